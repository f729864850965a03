// Converts text to ids and back. A Tokenizer is immutable, cheap to copy, and safe to share between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/text.h"

namespace unroll {

class CheckedText;

// How text is cut into symbols.
enum class TokenizerKind {
  kChar,           // Unicode code points of UTF-8 text; lossless
  kByte,           // the 256 byte values of any file; lossless
  kWord,           // ICU word boundaries; white space between words is dropped
  kWhitespace,     // runs of bytes between ASCII white space: for text that is already tokenised (Penn Treebank)
  kSentencePiece,  // sub-words of a SentencePiece model, which also defines the normalisation
};

// "char", "byte", "word", "whitespace", "sentencepiece".
[[nodiscard]] std::string_view tokenizer_kind_name(TokenizerKind kind) noexcept;

// The kind with this name. Throws Error{kUsage} listing the known kinds if there is none.
[[nodiscard]] TokenizerKind parse_tokenizer_kind(std::string_view name);

// Whether each symbol is a word: kWord and kWhitespace.
[[nodiscard]] bool tokens_are_words(TokenizerKind kind) noexcept;

// What tokenizers of this kind read: any bytes for kByte, else UTF-8.
[[nodiscard]] TextCoding text_coding(TokenizerKind kind) noexcept;

// How to build a vocabulary from a text. Errors name these fields `tokenizer.kind`, `tokenizer.min_count`, ...
struct TokenizerOptions {
  TokenizerKind kind = TokenizerKind::kChar;
  bool lowercase = false;       // kWord, kWhitespace: fold to lower case first (ICU, root locale)
  std::int64_t vocab_size = 0;  // keep at most this many symbols, special ones included; 0: all
  std::int64_t min_count = 1;   // drop symbols that occur less often
  std::string vocab_file = {};  // read the vocabulary from this file instead; empty: build it from the text.
                                // For kSentencePiece the .model file, which is required
};

// One symbol of an encoded text.
struct Token {
  std::int32_t id = 0;
  std::int64_t offset = 0;  // first byte in the encoded text
  std::int64_t length = 0;  // bytes; 0 for an end-of-line symbol that stands for no byte
};

// A whole text as ids, with the counts needed for bits per character and per byte.
struct EncodedText {
  std::vector<std::int32_t> ids;  // -1 for a line end in a vocabulary without a boundary
  std::int64_t bytes = 0;         // of the text
  std::int64_t characters = 0;    // Unicode code points of the text; bytes for kByte when the text is not UTF-8
  std::int64_t unknown = 0;       // number of ids that are the unknown symbol
  bool lossless = false;          // the ids decode to the text, byte for byte
};

// Maps text to ids and back.
//
// Ids: special symbols first ("<unk>"; then "<eos>" for words), then words by falling count, ties by bytes; characters
// by code point; bytes by value. A vocabulary that is made here has one boundary symbol, which ends each line and is
// the input before the first symbol: the newline for kChar (always present) and kByte, "<eos>" for words. For
// kSentencePiece ids are the model's own, and its end of sentence ("</s>") is the boundary; where it has none, one more
// symbol "<eos>".
//
// The vocabulary of a model that another program trained may lack "<unk>": then a text with a symbol that is not listed
// is refused. It may lack the boundary: then lines are read by themselves, and their ends are neither read nor
// predicted.
//
// Line ends: LF or CR LF. kByte, and kChar where the vocabulary holds it, keep a carriage return as a symbol like any
// other. Else it is a part of the line end: "\n" for kChar, "<eos>" for kWord and kWhitespace, which close a last line
// that lacks one; an empty text has none. A literal "<unk>" in whitespace text is the unknown symbol, a literal "<eos>"
// an error. kSentencePiece reads each line by itself, turns line ends into the boundary as words do, and loses what
// the model's normalisation changes: `lossless` says whether every line decodes to itself.
class Tokenizer {
 public:
  // Builds the vocabulary from a text (the training part only, so that the held-out part cannot leak into it).
  // Throws Error{kInput} for text that is not UTF-8 (naming the byte; kByte takes any), for an empty text, and for
  // fewer than two different symbols besides the boundary; Error{kUsage} for options that do not fit the kind.
  static Tokenizer train(const TokenizerOptions& options, const NamedText& text);

  // Rebuilds a tokenizer from what kind(), lowercase() and vocabulary() returned. Throws Error{kFormat} for
  // duplicates, symbols that the kind cannot have, or none at all. "<unk>" and the boundary may be missing.
  // Not for kSentencePiece.
  static Tokenizer from_vocabulary(TokenizerKind kind, bool lowercase, std::vector<std::string> symbols);

  // A tokenizer of kind kSentencePiece from the bytes of a .model file, which messages call `name`. Throws
  // Error{kFormat} for bytes that are not such a model.
  static Tokenizer from_sentencepiece(std::string model, const std::string& name);

  // The same from the file `path`. Also throws Error{kFile}.
  static Tokenizer from_sentencepiece_file(const std::string& path);

  [[nodiscard]] TokenizerKind kind() const noexcept;
  [[nodiscard]] bool lowercase() const noexcept;
  [[nodiscard]] std::int64_t size() const noexcept;                           // V
  [[nodiscard]] const std::vector<std::string>& vocabulary() const noexcept;  // by id
  [[nodiscard]] std::int32_t boundary() const noexcept;                       // newline or "<eos>"; -1: none
  [[nodiscard]] std::int32_t unknown() const noexcept;                        // "<unk>"; -1: none

  // The bytes of the .model file; empty unless kSentencePiece.
  [[nodiscard]] const std::string& sentencepiece_model() const noexcept;

  // Whether this symbol never occurs in a text: control symbols of kSentencePiece ("<s>") except the boundary.
  [[nodiscard]] bool is_control(std::int32_t id) const;

  // Encodes a whole text, line ends included. Throws Error{kInput} for text that is not UTF-8 (unless kByte) and for
  // the word "<eos>" in kWhitespace text, naming byte (from 0) and line (from 1), and for a symbol that a vocabulary
  // without "<unk>" lacks, naming line and column (from 1).
  [[nodiscard]] EncodedText encode(const NamedText& text) const;

  // Encodes one line without its newline, adding no boundary; a carriage return at its end as encode() does. A
  // newline within the line is the boundary. Throws as encode(), but leaves the line number to the name.
  [[nodiscard]] std::vector<Token> encode_line(const NamedText& line) const;

  // The text of a symbol as in a vocabulary: "a", "\n", "the", "<eos>".
  [[nodiscard]] const std::string& symbol(std::int32_t id) const;

  // The text to write for `id` after `previous` (-1: none): the symbol's bytes, for words with the space that belongs
  // before it; the boundary is a newline. For kSentencePiece the piece with its spaces, without the first one at the
  // start of a line; empty for control symbols.
  [[nodiscard]] std::string written(std::int32_t previous, std::int32_t id) const;

  // train() and encode() for texts that were checked for this kind already; for the library's own use.
  static Tokenizer train_on(const TokenizerOptions& options, const CheckedText& text);
  [[nodiscard]] EncodedText encode_checked(const CheckedText& text) const;

 private:
  struct Data;
  explicit Tokenizer(std::shared_ptr<const Data> data) noexcept;
  std::shared_ptr<const Data> data_;
};

}  // namespace unroll
