#include "unroll/data/labelled_texts.h"

#include <algorithm>
#include <cmath>

#include "data/hold_out.h"
#include "target.h"
#include "targets.h"
#include "unroll/data/data_report.h"

namespace unroll {
namespace {

void check_texts(const LabelledTexts& texts) {
  for (std::size_t i = 0; i < texts.texts.size(); ++i) {
    const LabelledText& text = texts.texts[i];
    expect(find_invalid_utf8(text.text) == std::string::npos, "a text is UTF-8");
    expect(text.weight >= 0 && std::isfinite(text.weight), "a weight is a number of at least 0");
    expect(std::ranges::is_sorted(text.labels), "labels of a text are in order");
    expect(!texts.place(i).empty(), "a text has a place");
    for (const std::int32_t label : text.labels) {
      expect(label >= 0 && label < std::ssize(texts.labels), "a label of a text is among all labels");
    }
  }
  for (const std::string& label : texts.labels) {
    expect(!label.empty() && label.find('\n') == std::string::npos, "a label is a name");
  }
}

void check_split(const LabelledTexts& texts) {
  const TextSplit split = hold_out(texts, 0.5, 1);
  expect(split.train.size() + split.valid.size() == texts.texts.size(), "each text is in one part");
}

}  // namespace

// l: label-first lines, b: with bare labels, t: TSV, c: CSV, j: JSON lines; in upper case with several labels a text, a
// weight and latin1.
std::string fuzz_labelled_texts(std::string_view input) {
  const char choice = take_choice(input, "lbtcjLBTCJ");
  const bool upper = choice < 'a';
  LabelledTextOptions options{.paths = {file_of(input, "texts")}};
  options.multi_label = upper;
  options.encoding = upper ? TextEncoding::kLatin1 : TextEncoding::kUtf8;
  if (upper) options.weight_column = "weight";
  const char format = upper ? static_cast<char>(choice - 'A' + 'a') : choice;
  options.bare_labels = format == 'b';
  options.format = format == 't'   ? TextFormat::kTsv
                   : format == 'c' ? TextFormat::kCsv
                   : format == 'j' ? TextFormat::kJsonLines
                                   : TextFormat::kLabel;
  return refusal_of([&] {
    const LabelledTexts texts = read_labelled_texts(options);
    expect(!texts.texts.empty() && !texts.labels.empty(), "there are texts and labels");
    check_texts(texts);
    static_cast<void>(describe_data(texts, &texts));
    static_cast<void>(refusal_of([&] { expect_trainable(texts); }));
    static_cast<void>(refusal_of([&] { check_split(texts); }));
  });
}

}  // namespace unroll
