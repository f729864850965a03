#include "search/trial_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/file.h"
#include "base/quote.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kFirstLine = "unroll auto 1";
constexpr std::string_view kNone = "-";

// A value on one line, without tabs.
std::string in_field(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t first = 0;;) {
    const std::size_t end = std::min(text.find(separator, first), text.size());
    parts.push_back(text.substr(first, end - first));
    if (end == text.size()) return parts;
    first = end + 1;
  }
}

// Reads the fields of a line; sets is_odd where one is no number.
class FieldReader {
 public:
  explicit FieldReader(std::string_view line) : fields_(split(line, '\t')) {}

  std::string_view text() { return next_ < fields_.size() ? fields_[next_++] : odd(); }

  template <class Number>
  Number number() {
    return parsed<Number>(text());
  }

  template <class Number>
  std::optional<Number> optional_number() {
    const std::string_view field = text();
    return field == kNone ? std::nullopt : std::optional(parsed<Number>(field));
  }

  Setting setting() {
    Setting setting;
    const std::string_view field = text();
    if (field == kNone) return setting;
    for (const std::string_view choice : split(field, ',')) setting.push_back(parsed<std::int64_t>(choice));
    return setting;
  }

  [[nodiscard]] bool is_read() const noexcept { return !is_odd_ && next_ == fields_.size(); }

 private:
  std::string_view odd() {
    is_odd_ = true;
    return {};
  }

  template <class Number>
  Number parsed(std::string_view field) {
    Number number{};
    const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), number);
    if (error != std::errc() || stop != field.data() + field.size()) is_odd_ = true;
    return number;
  }

  std::vector<std::string_view> fields_;
  std::size_t next_ = 0;
  bool is_odd_ = false;
};

template <class Number>
std::string field_of(const std::optional<Number>& number) {
  return number ? fmt::format("{}", *number) : std::string(kNone);
}

std::string line_of(const LoggedTrial& logged) {
  const AutoTrial& trial = logged.trial;
  const std::string choices = fmt::format("{}", fmt::join(logged.setting, ","));
  const std::string line = fmt::format("trial\t{}\t{}\t{}\t{}\t", choices.empty() ? kNone : choices,
                                       field_of(trial.epochs), trial.steps, trial.seconds);
  if (trial.score) return line + fmt::format("{}\t{}\n", trial.score->nats, field_of(trial.score->accuracy));
  return line + fmt::format("failed\t{}\n", in_field(trial.failure));
}

// The trial of a line after its first field; none: it is not one.
std::optional<LoggedTrial> trial_of(std::string_view line) {
  FieldReader fields(line);
  LoggedTrial logged;
  static_cast<void>(fields.text());
  logged.setting = fields.setting();
  logged.trial.epochs = fields.optional_number<std::int64_t>();
  logged.trial.steps = fields.number<std::int64_t>();
  logged.trial.seconds = fields.number<double>();
  if (line.find("\tfailed\t") != std::string_view::npos) {
    static_cast<void>(fields.text());
    logged.trial.failure = fields.text();
  } else {
    const auto nats = fields.number<double>();
    logged.trial.score = TrialScore{.nats = nats, .accuracy = fields.optional_number<double>()};
  }
  return fields.is_read() ? std::optional(logged) : std::nullopt;
}

}  // namespace

void TrialLog::expect_own() const {
  if (!file_exists(path_) || read_head(path_, kFirstLine.size()) == kFirstLine) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("'{}' is where a search keeps its trials, and is something else: move it, or give another "
                          "`files.save`",
                          path_),
              "files.save");
}

bool TrialLog::read() {
  if (!file_exists(path_)) return false;
  const std::string bytes = read_file(path_);
  std::vector<std::string_view> lines = split(bytes, '\n');
  const auto refuse = [&](std::size_t line) {
    throw Error(ErrorCode::kFormat,
                fmt::format("'{}', line {}: not what a search of settings writes", path_, line + 1));
  };
  if (lines.front() != kFirstLine || !lines.back().empty()) refuse(0);
  lines.pop_back();
  std::size_t next = 1;
  for (const auto& [name, value] : asked_) {
    const std::vector<std::string_view> fields =
        next < lines.size() ? split(lines[next], '\t') : std::vector<std::string_view>();
    if (fields.size() != 3 || fields[0] != "option" || fields[1] != name) refuse(next);
    if (fields[2] != in_field(value)) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("cannot resume the search of '{}': {} is {}, and was {} when it began; give the same "
                              "options, or `files.overwrite`",
                              path_, name, quote(value), quote(std::string(fields[2]))),
                  "files.resume");
    }
    ++next;
  }
  for (; next < lines.size(); ++next) {
    std::optional<LoggedTrial> logged = trial_of(lines[next]);
    if (!logged || !lines[next].starts_with("trial\t")) refuse(next);
    logged->trial.number = std::ssize(trials_) + 1;
    trials_.push_back(*std::move(logged));
  }
  return true;
}

void TrialLog::add(LoggedTrial trial) {
  trials_.push_back(std::move(trial));
  std::string bytes = fmt::format("{}\n", kFirstLine);
  for (const auto& [name, value] : asked_) bytes += fmt::format("option\t{}\t{}\n", name, in_field(value));
  for (const LoggedTrial& logged : trials_) bytes += line_of(logged);
  replace_file(path_, std::array<std::string_view, 1>{bytes});
}

void TrialLog::remove() const { remove_file(path_); }

std::optional<AutoTrial> TrialLog::find(const Setting& setting, std::optional<std::int64_t> epochs) const {
  const auto found = std::ranges::find_if(
      trials_, [&](const LoggedTrial& logged) { return logged.setting == setting && logged.trial.epochs == epochs; });
  return found == trials_.end() ? std::nullopt : std::optional(found->trial);
}

std::string trial_log_path(const std::string& save) { return save + ".auto"; }

NamedValues asked_values(const AutoTrainOptions& options) {
  NamedValues values;
  for (const DescribedOption& one : describe_all(options.train)) {
    if (one.option.field.starts_with("files.") && one.option.field != "files.from") continue;
    if (one.option.field == "run.threads") continue;
    values.emplace_back(one.option.name, one.value);
  }
  values.emplace_back("texts", fmt::format("{}", fmt::join(options.train.text.paths, ", ")));
  std::vector<std::string> fixed = options.fixed;
  std::ranges::sort(fixed);
  values.emplace_back("fixed", fmt::format("{}", fmt::join(fixed, ", ")));
  return values;
}

}  // namespace unroll
