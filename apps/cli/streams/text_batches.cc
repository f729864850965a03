#include "cli/streams/text_batches.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>

namespace unroll {
namespace {

bool are_lines(const LabelledTextOptions& options) {
  const std::string& path = options.paths.front();
  std::error_code ignored;
  if (path != "-" && std::filesystem::is_directory(path, ignored)) return false;
  if (options.encoding != TextEncoding::kUtf8) return false;
  return options.format ? *options.format == TextFormat::kLabel : !format_of_name(path);
}

}  // namespace

TextBatches::TextBatches(const LabelledTextOptions& options, TextCoding coding, const UnitRange& range)
    : options_(options) {
  check(options);
  if (are_lines(options)) {
    lines_.emplace(options.paths.front(), LineIds::kNumber, coding, range);
    return;
  }
  whole_ = read_labelled_texts(options);
  const auto place = [this](std::int64_t unit) {
    return static_cast<std::size_t>(std::clamp(unit, std::int64_t{0}, std::ssize(whole_.texts)));
  };
  taken_ = place(range.first);
  end_ = place(range.last);
}

bool TextBatches::next(std::vector<std::string>& texts, std::size_t most) {
  texts.clear();
  if (lines_) return next_lines(texts, most);
  first_ = taken_;
  while (taken_ < end_ && texts.size() < most) texts.push_back(whole_.texts[taken_++].text);
  return !texts.empty();
}

bool TextBatches::next_lines(std::vector<std::string>& texts, std::size_t most) {
  if (taken_ == batch_.lines.size()) {
    taken_ = 0;
    if (!lines_->next(batch_)) return false;
  }
  first_ = taken_;
  while (taken_ < batch_.lines.size() && texts.size() < most) {
    texts.push_back(text_of_line(batch_.lines[taken_++], options_));
  }
  return true;
}

std::string TextBatches::name(std::size_t index) const {
  if (!lines_) return whole_.place(first_ + index);
  return fmt::format("{}, line {}", lines_->name(), batch_.first_number + static_cast<std::int64_t>(first_ + index));
}

}  // namespace unroll
