#include "data/trainable.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quote.h"
#include "data/label_numbers.h"
#include "data/message_parts.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostLabels = 10'000;
constexpr std::int64_t kFewLabels = 10;

std::string names_of_files(const LabelledTexts& texts) {
  if (texts.files.size() == 1) return text_name(texts.files.front());
  return fmt::format("{} and {} more", text_name(texts.files.front()), texts.files.size() - 1);
}

}  // namespace

std::string doubt_about_labels(std::int64_t labels, std::int64_t texts) {
  if (labels <= kMostLabels && labels <= std::max(kFewLabels, texts / 2)) return "";
  return fmt::format("{} labels in {} texts: is this the right column?", grouped_digits(labels), grouped_digits(texts));
}

void expect_trainable(const LabelledTexts& texts) {
  if (texts.texts.empty()) throw Error(ErrorCode::kInput, "there are no texts to train on");
  const std::string files = names_of_files(texts);
  const auto labels = std::ssize(texts.labels);
  const bool some_without =
      std::ranges::any_of(texts.texts, [](const LabelledText& text) { return text.labels.empty(); });
  if (labels == 0) throw Error(ErrorCode::kInput, fmt::format("{}: no text has a label", files));
  if (labels == 1 && !(texts.multi_label && some_without)) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: every text has the label {}: expected at least two labels to choose "
                            "from",
                            files, quote(texts.labels.front())));
  }
  if (const std::string doubt = doubt_about_labels(labels, std::ssize(texts.texts)); !doubt.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{}: {} (`label_column`)", files, doubt), "label_column");
  }
  if (std::ranges::none_of(texts.texts, [](const LabelledText& text) { return text.weight > 0; })) {
    throw Error(ErrorCode::kInput, fmt::format("{}: no text has a weight above 0 (`weight_column`)", files),
                "weight_column");
  }
}

void expect_known_labels(const LabelledTexts& texts, std::span<const std::string> labels) {
  const LabelNumbers known = label_numbers(texts.labels, labels);
  if (known.labels.size() == labels.size()) return;
  for (std::size_t i = 0; i < texts.texts.size(); ++i) {
    for (const std::int32_t label : texts.texts[i].labels) {
      const auto place = static_cast<std::size_t>(label);
      if (static_cast<std::size_t>(known.numbers[place]) < labels.size()) continue;
      throw Error(ErrorCode::kInput, fmt::format("{}: the label {} is none of those that the model knows: {}",
                                                 texts.place(i), quote(texts.labels[place]), quoted_list(labels)));
    }
  }
}

}  // namespace unroll
