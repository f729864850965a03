// What a model that labels texts reads of a text: its lines, each a text of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/window.h"
#include "unroll/look/unrolled_text.h"
#include "unroll/model.h"

namespace unroll {

// Steps as UnrolledText counts them, those of one text after those of another. Empty of a language model.
struct LabelSteps {
  std::vector<std::int64_t> rows = {};  // of the window, of each step: a long text is read in pieces
  std::vector<std::string> read = {};   // what each step reads, as the text has it
  std::vector<std::string> bytes = {};  // the same with what stands before it: together the text
  std::vector<TextOfSteps> texts = {};
  std::int64_t unread = 0;
};

// Sets `window`, of one row, to the lines of a text that are not empty, or to the one text; words of a tagger stand
// between blanks. Lines are read as long as all of their steps are among the first `most_steps`, of the first line as
// many as that. Throws Error{kInput} for a text without a line, and what the tokenizer throws.
[[nodiscard]] LabelSteps read_label_steps(const Model& model, const NamedText& text, const UnrolledTextOptions& options,
                                          Window& window);

}  // namespace unroll
