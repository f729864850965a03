#include "cli/streams/training_log.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "unroll/error.h"

namespace unroll {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kFile, fmt::format("cannot {} the log {}: {}", what, path, std::strerror(errno)));
}

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

// The step of a line of the log; -1 if it is not one.
std::int64_t step_of(std::string_view line) {
  const nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
  if (!entry.is_object()) return -1;
  const auto step = entry.find("step");
  return step != entry.end() && step->is_number_integer() ? step->get<std::int64_t>() : -1;
}

[[noreturn]] void refuse_line(const std::string& path, std::int64_t number) {
  throw Error(ErrorCode::kInput,
              fmt::format("{}: line {} is not a line of a training log; name another file for --log", path, number));
}

// Throws if the file is not a log, so that it is not emptied.
void expect_log(int descriptor, const std::string& path) {
  constexpr std::string_view kStart = "{\"step\":";
  std::array<char, kStart.size()> start{};
  const ssize_t got = ::pread(descriptor, start.data(), start.size(), 0);
  if (got < 0) fail(path, "read");
  const std::string_view found(start.data(), static_cast<std::size_t>(got));
  if (found != kStart.substr(0, found.size())) refuse_line(path, 1);
}

// The size of the log up to `last_step`, in bytes.
std::size_t kept_bytes(std::string_view content, std::int64_t last_step, const std::string& path) {
  std::size_t begin = 0;
  for (std::int64_t number = 1; begin < content.size(); ++number) {
    const std::size_t end = content.find('\n', begin);
    const bool whole = end != std::string_view::npos;
    const std::int64_t step = step_of(content.substr(begin, whole ? end - begin : end));
    if (whole && step < 0) refuse_line(path, number);
    if (!whole || step > last_step) break;
    begin = end + 1;
  }
  return begin;
}

}  // namespace

TrainingLog::TrainingLog(std::string path) : path_(std::move(path)) {}

TrainingLog::~TrainingLog() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

void TrainingLog::start(std::int64_t first_step) {
  if (path_.empty()) return;
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
  expect_log(descriptor_, path_);
  const std::size_t kept = first_step > 0 ? kept_bytes(read_all(descriptor_, path_), first_step, path_) : 0;
  if (::ftruncate(descriptor_, static_cast<off_t>(kept)) != 0) fail(path_, "cut");
}

void TrainingLog::add(const StepReport& report) {
  if (descriptor_ < 0) return;
  nlohmann::ordered_json entry{
      {"step", report.step}, {"tokens", report.tokens},       {"nats_per_token", report.nats_per_token},
      {"lr", report.lr},     {"grad_norm", report.grad_norm}, {"tokens_per_s", report.tokens_per_s}};
  if (report.valid_nats_per_token) entry["valid_nats_per_token"] = *report.valid_nats_per_token;
  if (report.average_valid_nats_per_token) {
    entry["average_valid_nats_per_token"] = *report.average_valid_nats_per_token;
  }
  const std::string line = entry.dump() + '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      descriptor_ = -1;
      return;
    } else if (errno != EINTR) {
      fail(path_, "write");
    }
  }
}

}  // namespace unroll
