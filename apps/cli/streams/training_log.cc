#include "cli/streams/training_log.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "cli/streams/quantities.h"
#include "unroll/error.h"

namespace unroll {
namespace {

Error error_of(const std::string& path, const std::string& what) {
  return {ErrorCode::kFile, fmt::format("cannot {} the log {}: {}", what, path, std::strerror(errno))};
}

[[noreturn]] void fail(const std::string& path, const std::string& what) { throw error_of(path, what); }

std::string read_all(int descriptor, const std::string& path) {
  std::string content;
  std::string block(std::size_t{1} << 16, '\0');
  while (true) {
    const ssize_t got = ::read(descriptor, block.data(), block.size());
    if (got == 0) return content;
    if (got > 0) {
      content.append(block, 0, static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      fail(path, "read");
    }
  }
}

// A field of a line, in their order.
struct LogField {
  std::string_view before;  // what precedes its number
  bool always;
};

constexpr std::array<LogField, 11> kFields{{{R"({"step":)", true},
                                            {R"(,"tokens":)", true},
                                            {R"(,"nats_per_token":)", true},
                                            {R"(,"lr":)", true},
                                            {R"(,"grad_norm":)", true},
                                            {R"(,"tokens_per_s":)", true},
                                            {R"(,"valid_nats_per_token":)", false},
                                            {R"(,"average_valid_nats_per_token":)", false},
                                            {R"(,"valid_accuracy":)", false},
                                            {R"(,"train_unknown_share":)", false},
                                            {R"(,"valid_unknown_share":)", false}}};

// Whether `text` begins with `expected`, which is then taken from it, or is itself the beginning of that.
bool take(std::string_view& text, std::string_view expected) {
  const std::size_t size = std::min(text.size(), expected.size());
  if (text.substr(0, size) != expected.substr(0, size)) return false;
  text.remove_prefix(size);
  return true;
}

bool is_number(std::string_view text) {
  if (text == "null") return true;  // how an infinite speed is written
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size();
}

// Whether `text` is what nlohmann writes of a string after its first quotation mark, and the end of the object, or the
// beginning of that.
bool ends_as_string(std::string_view text, bool whole) {
  while (!text.empty() && text.front() != '"') {
    const bool escaped = text.front() == '\\';
    if (static_cast<unsigned char>(text.front()) < ' ') return false;
    text.remove_prefix(1);
    if (!escaped) continue;
    if (text.empty()) break;
    if (std::string_view(R"("\bfnrtu)").find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
  }
  return text == R"("})" || (!whole && (text.empty() || text == R"(")"));
}

// Whether `text` is the line of a sample, without its end, or the beginning of one.
bool is_sample_text(std::string_view text, bool whole) {
  constexpr std::string_view kBefore = R"(,"sample":")";
  if (!take(text, kFields.front().before)) return false;
  const std::size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
  const bool has_step = size > 0 && is_number(text.substr(0, size));
  text.remove_prefix(size);
  if (text.empty()) return !whole;
  const bool cut = text.size() < kBefore.size();
  return has_step && take(text, kBefore) && (cut ? !whole : ends_as_string(text, whole));
}

// Whether `text` is the line of a step, without its end, or the beginning of one.
bool is_step_text(std::string_view text, bool whole) {
  for (const LogField& field : kFields) {
    if (!take(text, field.before)) {
      if (field.always) return false;
      continue;
    }
    const std::size_t size = std::min(text.find_first_not_of("+-.0123456789enul"), text.size());
    if (size == text.size()) return !whole;
    if (!is_number(text.substr(0, size))) return false;
    text.remove_prefix(size);
  }
  return text == "}" || (!whole && text.empty());
}

bool is_log_text(std::string_view text, bool whole) { return is_step_text(text, whole) || is_sample_text(text, whole); }

// The step of a line of the log; -1 if it is not one.
std::int64_t step_of(std::string_view line) {
  if (!is_log_text(line, true)) return -1;
  std::int64_t step = -1;
  const char* const first = line.data() + kFields.front().before.size();
  std::from_chars(first, line.data() + line.size(), step);
  return step;
}

[[noreturn]] void refuse_line(const std::string& path, std::int64_t number) {
  throw Error(ErrorCode::kInput,
              fmt::format("{}: line {} is not a line of a training log; name another file for --log", path, number));
}

// The size of the log up to `last_step`, in bytes. Throws if the file is not a log.
std::size_t kept_bytes(std::string_view content, std::int64_t last_step, const std::string& path) {
  std::size_t kept = 0;
  std::size_t begin = 0;
  for (std::int64_t number = 1; begin < content.size(); ++number) {
    const std::size_t end = content.find('\n', begin);
    const std::string_view line = content.substr(begin, end - begin);
    if (end == std::string_view::npos) {
      if (!is_log_text(line, false)) refuse_line(path, number);
      break;
    }
    const std::int64_t step = step_of(line);
    if (step < 0) refuse_line(path, number);
    begin = end + 1;
    if (step <= last_step) kept = begin;
  }
  return kept;
}

}  // namespace

TrainingLog::TrainingLog(std::string path) : path_(std::move(path)) {}

TrainingLog::~TrainingLog() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

void TrainingLog::start(const TrainPlan& plan) {
  if (path_.empty()) return;
  train_unknown_ = train_unknown_share(plan);
  valid_unknown_ = valid_unknown_share(plan);
  if (path_ == "-") {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  // Pipes and devices are opened for writing alone: there is nothing to cut, and a pipe opened for reading too would
  // not notice that its reader is gone.
  struct stat status {};
  const bool plain = ::stat(path_.c_str(), &status) != 0 || S_ISREG(status.st_mode);
  descriptor_ = ::open(path_.c_str(), plain ? O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC : O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(path_, "open");
  if (!plain) return;
  const std::size_t kept = kept_bytes(read_all(descriptor_, path_), plan.first_step, path_);
  if (::ftruncate(descriptor_, static_cast<off_t>(kept)) != 0) fail(path_, "cut");
}

void TrainingLog::add(const StepReport& report) {
  if (descriptor_ < 0 || failure_) return;
  nlohmann::ordered_json entry{
      {"step", report.step}, {"tokens", report.tokens},       {"nats_per_token", report.nats_per_token},
      {"lr", report.lr},     {"grad_norm", report.grad_norm}, {"tokens_per_s", report.tokens_per_s}};
  if (report.valid_nats_per_token) entry["valid_nats_per_token"] = *report.valid_nats_per_token;
  if (report.average_valid_nats_per_token) {
    entry["average_valid_nats_per_token"] = *report.average_valid_nats_per_token;
  }
  if (report.valid_accuracy) entry["valid_accuracy"] = *report.valid_accuracy;
  if (train_unknown_ > 0) entry["train_unknown_share"] = train_unknown_;
  if (report.valid_nats_per_token && valid_unknown_ > 0) entry["valid_unknown_share"] = valid_unknown_;
  write_line(entry.dump());
}

void TrainingLog::add_sample(std::int64_t step, const std::string& sample) {
  if (descriptor_ < 0 || failure_) return;
  const nlohmann::ordered_json entry{{"step", step}, {"sample", sample}};
  write_line(entry.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void TrainingLog::write_line(std::string line) {
  rest_ = std::move(line) + '\n';
  if (!write_rest()) failure_ = error_of(path_, "write");
}

bool TrainingLog::finish() { return write_rest(); }

bool TrainingLog::write_rest() {
  while (!rest_.empty()) {
    const ssize_t written = ::write(descriptor_, rest_.data(), rest_.size());
    if (written >= 0) {
      rest_.erase(0, static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      descriptor_ = -1;
      return true;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace unroll
