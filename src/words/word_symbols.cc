#include "words/word_symbols.h"

#include <fmt/format.h>

#include "text/sentencepiece.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// How many bytes of white space `text` begins with. In pieces other white space is text like any letter: models that do
// not normalise learn pieces across tabs.
std::size_t leading_space(std::string_view text, bool pieces) {
  if (pieces) return text.starts_with(kSpacePiece) ? kSpacePiece.size() : text.starts_with(' ') ? 1 : 0;
  return !text.empty() && is_ascii_space(text.front()) ? 1 : 0;
}

}  // namespace

WordVocabulary::WordVocabulary(const Tokenizer& tokenizer)
    : tokens_are_words_(unroll::tokens_are_words(tokenizer.kind())), boundary_(tokenizer.boundary()) {
  const bool pieces = tokenizer.kind() == TokenizerKind::kSentencePiece;
  for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
    Shape shape{.space_first = true, .space_last = true, .text = false};
    if (id != boundary_) {
      const bool opaque = tokens_are_words_ || id == tokenizer.unknown() || tokenizer.is_control(id);
      shape = opaque ? Shape{.text = true} : shape_of(tokenizer.symbol(id), pieces);
    }
    if (tokenizer.kind() == TokenizerKind::kChar && tokenizer.symbol(id) == " ") space_ = id;
    if (shape.space_first) closing_.push_back(id);
    shapes_.push_back(shape);
  }
}

WordVocabulary::Shape WordVocabulary::shape_of(std::string_view symbol, bool pieces) {
  Shape shape;
  bool after_text_and_space = false;
  bool first = true;
  for (std::string_view rest = symbol; !rest.empty(); first = false) {
    const std::size_t space = leading_space(rest, pieces);
    shape.space_last = space > 0;
    if (space > 0) {
      shape.space_first = shape.space_first || first;
      after_text_and_space = shape.text;
    } else if (after_text_and_space) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("the vocabulary has a symbol that spans words, \"{}\": such symbols do not give the "
                              "probability of a word; score tokens instead",
                              symbol));
    } else {
      shape.text = true;
    }
    rest.remove_prefix(space > 0 ? space : 1);
  }
  return shape;
}

WordStage WordVocabulary::after(WordStage stage, std::int32_t id) const {
  const Shape& shape = shapes_[static_cast<std::size_t>(id)];
  if (tokens_are_words_) return WordStage::kClosed;
  if (shape.text) return shape.space_last ? WordStage::kClosed : WordStage::kText;
  return stage == WordStage::kText ? WordStage::kText : WordStage::kSpace;
}

std::vector<WordSymbols> WordVocabulary::cut(std::span<const std::int32_t> ids) const {
  std::vector<WordSymbols> words;
  WordSymbols word;
  WordStage stage = WordStage::kSpace;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const bool closed = stage == WordStage::kClosed || (stage == WordStage::kText && closes(ids[i]));
    if (closed) {
      word.last = i;
      words.push_back(word);
      word = {.first = i, .last = i, .before = stage, .end = false};
      stage = WordStage::kSpace;
    }
    if (ids[i] != boundary_) stage = after(stage, ids[i]);
  }
  word.last = ids.size();
  word.end = true;
  words.push_back(word);
  return words;
}

}  // namespace unroll
