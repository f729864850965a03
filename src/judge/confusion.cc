#include "unroll/judge/confusion.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::vector<ConfusionCell> confusion(std::span<const std::int32_t> right, std::span<const std::int32_t> answers) {
  if (right.size() != answers.size()) {
    throw Error(ErrorCode::kUsage, fmt::format("confusion of {} labels and {} answers: expected the same texts",
                                               right.size(), answers.size()));
  }
  std::vector<std::uint64_t> pairs;
  pairs.reserve(right.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    pairs.push_back(std::uint64_t{static_cast<std::uint32_t>(right[i])} << 32 | static_cast<std::uint32_t>(answers[i]));
  }
  std::ranges::sort(pairs);
  std::vector<ConfusionCell> cells;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i == 0 || pairs[i] != pairs[i - 1]) {
      cells.push_back({.right = static_cast<std::int32_t>(pairs[i] >> 32),
                       .answer = static_cast<std::int32_t>(pairs[i] & 0xFFFFFFFF)});
    }
    ++cells.back().texts;
  }
  return cells;
}

void write_confusion(const std::string& path, std::span<const ConfusionCell> cells,
                     std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) text += "," + csv_field(name);
  text += "\n";
  auto next = cells.begin();
  for (std::int32_t right = 0; right < std::ssize(names); ++right) {
    text += csv_field(names[static_cast<std::size_t>(right)]);
    for (std::int32_t answer = 0; answer < std::ssize(names); ++answer) {
      const bool here = next != cells.end() && next->right == right && next->answer == answer;
      text += here ? fmt::format(",{}", (next++)->texts) : ",0";
    }
    text += "\n";
  }
  replace_file(path, std::vector<std::string_view>{text});
}

}  // namespace unroll
