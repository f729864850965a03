// Cuts texts and sentences into the steps of a network, and says which steps are rows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "label/encoding.h"
#include "label/examples.h"
#include "probe/row_sink.h"
#include "unroll/model.h"

namespace unroll {

// Whether a network predicts each symbol of a line from those before it, and reads lines for that. A language model of
// both directions, or of characters of words, reads whole texts as classifiers do.
[[nodiscard]] bool reads_lines(const NetworkConfig& config) noexcept;

// Reads texts one after another into examples. Views the model.
//
// The example of a network that reads lines has an id for each symbol and the boundary, or kNoSymbol, and a step before
// each of them. A tagger's sentence is several examples where it is tagged in parts.
class TextReader {
 public:
  explicit TextReader(const Model& model);

  [[nodiscard]] bool reads_words() const noexcept;

  // Encodes a text or a sentence, and says how it is read. Throws Error{kInput}. Views the text.
  [[nodiscard]] ReadText read(const std::string& text, const std::string& name);
  [[nodiscard]] ReadText read(const std::vector<std::string>& words, const std::string& name);

  // Appends its examples and calls `appended` after each, which may clear them.
  void append(Examples& examples, const std::function<void()>& appended);

  // Texts so far of which only the beginning is read.
  [[nodiscard]] std::int64_t cut_texts() const noexcept { return cut_; }

 private:
  [[nodiscard]] bool reads_as_language() const noexcept { return reads_lines(model_.config()); }
  void encode(std::string_view text, const std::string& name);
  void append_words(Examples& examples, const std::function<void()>& appended);
  // The text that was encoded last, without its rows.
  [[nodiscard]] ReadText encoded_text() const;
  // The step after which a symbol has been read.
  [[nodiscard]] std::int64_t step_of(std::int64_t token) const noexcept;

  const Model& model_;
  std::string text_;                // the last one
  std::vector<Token> tokens_;       // of it
  std::vector<std::string> words_;  // or, of a tagger, its words
  // Of the present examples.
  std::optional<TextEncoder> texts_encoder_;
  std::optional<WordEncoder> words_encoder_;
  std::int64_t cut_ = 0;
};

}  // namespace unroll
