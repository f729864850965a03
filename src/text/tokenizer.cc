#include "unroll/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/names.h"
#include "base/quote.h"
#include "text/checked_text.h"
#include "text/lines.h"
#include "text/reading.h"
#include "text/sentencepiece.h"
#include "text/sentencepiece_file.h"
#include "text/spacing.h"
#include "text/symbol_counts.h"
#include "text/utf8.h"
#include "text/vocabulary.h"
#include "text/vocabulary_file.h"
#include "text/word_splitter.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view name(TokenizerKind kind) noexcept {
  switch (kind) {
    case TokenizerKind::kChar:
      return "char";
    case TokenizerKind::kByte:
      return "byte";
    case TokenizerKind::kWord:
      return "word";
    case TokenizerKind::kWhitespace:
      return "whitespace";
    case TokenizerKind::kSentencePiece:
      return "sentencepiece";
  }
  return {};
}

// With fewer there is nothing to predict.
constexpr std::int64_t kFewestSymbols = 2;

[[noreturn]] void refuse_options(std::string_view field, const std::string& what) {
  throw Error(ErrorCode::kUsage, what, fmt::format("tokenizer.{}", field));
}

void check_options(const TokenizerOptions& options) {
  const std::string_view kind = tokenizer_kind_name(options.kind);
  expect_enumerator("tokenizer.kind", options.kind, kind);
  const bool limited = options.vocab_size != 0 || options.min_count != 1;
  if (options.lowercase && !tokens_are_words(options.kind)) {
    refuse_options("lowercase",
                   fmt::format("`tokenizer.lowercase` is for words: `tokenizer.kind` {} does not fold them", kind));
  }
  if (options.kind == TokenizerKind::kByte && (limited || !options.vocab_file.empty())) {
    refuse_options("kind",
                   "`tokenizer.kind` byte always has the 256 bytes: leave out `tokenizer.vocab_file`, "
                   "`tokenizer.vocab_size` and `tokenizer.min_count`");
  }
  if (options.kind == TokenizerKind::kSentencePiece && limited) {
    refuse_options("vocab_size",
                   "a SentencePiece model is its own vocabulary: leave out `tokenizer.vocab_size` and "
                   "`tokenizer.min_count`, or train a SentencePiece model of another size");
  }
  if (options.kind == TokenizerKind::kSentencePiece && options.vocab_file.empty()) {
    refuse_options("kind", "`tokenizer.kind` sentencepiece needs the model's file, FILE.model");
  }
  if (limited && !options.vocab_file.empty()) {
    refuse_options("vocab_file",
                   "`tokenizer.vocab_file` names the whole vocabulary: leave out `tokenizer.vocab_size` and "
                   "`tokenizer.min_count`");
  }
  const std::int64_t fewest = std::ssize(required_symbols(options.kind)) + kFewestSymbols;
  if (options.vocab_size != 0 && options.vocab_size < fewest) {
    refuse_options("vocab_size",
                   fmt::format("`tokenizer.vocab_size` is {}: expected at least {}, special symbols included; 0 keeps "
                               "all",
                               options.vocab_size, fewest));
  }
  if (options.min_count < 1) {
    refuse_options("min_count", fmt::format("`tokenizer.min_count` is {}: expected at least 1", options.min_count));
  }
}

[[noreturn]] void refuse_text(std::string_view name, std::string_view what) {
  throw Error(ErrorCode::kInput, fmt::format("{}: {}", name, what));
}

// Number of different symbols of the text, without special ones, that are in the vocabulary.
std::int64_t count_known(TokenizerKind kind, const Vocabulary& vocabulary, const std::vector<SymbolCount>& counts) {
  return std::count_if(counts.begin(), counts.end(), [&](const SymbolCount& entry) {
    const std::int32_t id = kind == TokenizerKind::kChar ? vocabulary.character_id(decode_utf8(entry.symbol).value)
                                                         : vocabulary.word_id(entry.symbol);
    return id != vocabulary.unknown();
  });
}

// Throws for a symbol that a vocabulary without "<unk>" lacks.
[[noreturn]] void refuse_symbol(TokenizerKind kind, const Vocabulary& vocabulary, std::string_view symbol,
                                const std::string& place) {
  throw Error(ErrorCode::kInput,
              fmt::format("{}: the {} {} is not in the vocabulary of {} symbols, which has no <unk> to stand for it: "
                          "leave it out, or write it otherwise",
                          place, kind == TokenizerKind::kChar ? "character" : "word", quote(symbol),
                          vocabulary.symbols().size()));
}

// The id of a character; kNoSymbol for a line end that the vocabulary lacks, and nothing for another character that it
// lacks without "<unk>".
std::optional<std::int32_t> id_of_character(const Vocabulary& vocabulary, char32_t character) noexcept {
  if (character == U'\n') return vocabulary.boundary();
  const std::int32_t id = vocabulary.character_id(character);
  return id < 0 ? std::nullopt : std::optional(id);
}

// The same for a word, or a line end.
std::optional<std::int32_t> id_of_word(const Vocabulary& vocabulary, std::string_view piece, std::string_view word) {
  if (piece == kNewline) return vocabulary.boundary();
  const std::int32_t id = vocabulary.word_id(word);
  return id < 0 ? std::nullopt : std::optional(id);
}

// Appends the id of a symbol; kNoSymbol where a line ends and the vocabulary has no line end.
void append(const Vocabulary& vocabulary, std::int32_t id, EncodedText& out) {
  out.ids.push_back(id);
  if (id == kNoSymbol) {
    out.lossless = false;
  } else if (id == vocabulary.unknown()) {
    ++out.unknown;
  }
}

// Calls f(id, byte, length) for each character, with kNoSymbol for a line end that the vocabulary lacks, and
// refuse(byte, length), which throws, for another one that it lacks without "<unk>". A carriage return that ends a line
// is a part of the line end where the vocabulary lacks it.
template <class F, class Refuse>
void for_each_character(const Vocabulary& vocabulary, std::string_view text, const Refuse& refuse, const F& f) {
  const std::int32_t carriage_return = vocabulary.character_id(U'\r');
  const bool keeps_returns = carriage_return >= 0 && carriage_return != vocabulary.unknown();
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = decode_utf8(text.substr(at));
    const bool ends_line = next.value == U'\r' && (at + 1 == text.size() || text[at + 1] == '\n');
    if (keeps_returns || !ends_line) {
      const std::optional<std::int32_t> id = id_of_character(vocabulary, next.value);
      if (!id) refuse(at, next.length);
      f(*id, at, next.length);
    }
    at += next.length;
  }
}

void encode_characters(const Vocabulary& vocabulary, const CheckedText& checked, EncodedText& out) {
  const std::string_view text = checked.view();
  out.ids.reserve(static_cast<std::size_t>(out.characters));
  out.lossless = true;
  const auto refuse = [&](std::size_t at, std::size_t length) {
    refuse_symbol(TokenizerKind::kChar, vocabulary, text.substr(at, length), checked.place(at));
  };
  for_each_character(vocabulary, text, refuse,
                     [&](std::int32_t id, std::size_t, std::size_t) { append(vocabulary, id, out); });
  out.lossless = out.lossless && out.unknown == 0 && std::ssize(out.ids) == out.characters;
}

void encode_words(const Vocabulary& vocabulary, const WordSplitter& splitter, const CheckedText& checked,
                  EncodedText& out) {
  const std::string_view text = checked.view();
  // Whether the ids alone decode to the text: one space between words, a newline after each line.
  bool as_written = true;
  bool after_word = false;
  const char* end = text.data();
  out.lossless = true;
  splitter.split(text, [&](std::string_view piece, std::string_view word) {
    const bool line_end = piece == kNewline;
    const std::optional<std::int32_t> id = id_of_word(vocabulary, piece, word);
    if (!id) {
      const auto at = static_cast<std::size_t>(piece.data() - text.data());
      refuse_symbol(checked.kind(), vocabulary, word, checked.place(at));
    }
    append(vocabulary, *id, out);
    const bool space = after_word && !line_end;
    as_written = as_written && piece == word && piece.data() == end + (space ? 1 : 0) && (!space || *end == ' ');
    end = piece.data() + piece.size();
    after_word = !line_end;
  });
  const bool whole_lines = text.empty() || text.back() == '\n';
  if (!whole_lines) append(vocabulary, vocabulary.boundary(), out);
  out.lossless = out.lossless && as_written && whole_lines && out.unknown == 0;
}

// "line 3, column 5", where the line is called "line 3".
std::string place_in_line(const NamedText& line, std::ptrdiff_t at) {
  return fmt::format("{}, column {}", line.name, column_of(line.text, static_cast<std::size_t>(at)));
}

std::string_view without_carriage_return(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

void encode_pieces(const SentencePiece& pieces, std::string_view text, std::string_view name, EncodedText& out) {
  out.lossless = true;
  std::vector<Token> tokens;
  for_each_line(text, [&](std::string_view line, std::int64_t offset, bool whole) {
    tokens.clear();
    pieces.encode(without_carriage_return(line), offset, name, tokens);
    for (const Token& token : tokens) {
      out.ids.push_back(token.id);
      out.unknown += token.id == pieces.unknown() ? 1 : 0;
    }
    out.ids.push_back(pieces.boundary());
    out.lossless = out.lossless && whole && out.unknown == 0 && pieces.decode(tokens) == line;
  });
}

}  // namespace

struct Tokenizer::Data {
  Data(TokenizerKind the_kind, bool lower, std::vector<std::string> symbols)
      : kind(the_kind), lowercase(lower), vocabulary(the_kind, std::move(symbols)), splitter(the_kind, lower) {}

  Data(std::string model, const std::string& name)
      : kind(TokenizerKind::kSentencePiece),
        lowercase(false),
        pieces(std::in_place, std::move(model), name),
        vocabulary(pieces->symbols(), pieces->boundary(), pieces->unknown()),
        splitter(kind, false) {}

  // Rejects invalid ids of callers.
  [[nodiscard]] const std::string& symbol(std::int32_t id) const {
    const std::vector<std::string>& symbols = vocabulary.symbols();
    if (id < 0 || id >= std::ssize(symbols)) {
      throw Error(ErrorCode::kUsage, fmt::format("symbol {} is not in a vocabulary of {}", id, symbols.size()));
    }
    return symbols[static_cast<std::size_t>(id)];
  }

  TokenizerKind kind;
  bool lowercase;
  std::optional<SentencePiece> pieces;  // for kSentencePiece only
  Vocabulary vocabulary;
  WordSplitter splitter;
};

std::string_view tokenizer_kind_name(TokenizerKind kind) noexcept { return name(kind); }

TokenizerKind parse_tokenizer_kind(std::string_view text) { return parse_name<TokenizerKind, name>("tokenizer", text); }

bool tokens_are_words(TokenizerKind kind) noexcept {
  return kind == TokenizerKind::kWord || kind == TokenizerKind::kWhitespace;
}

TextCoding text_coding(TokenizerKind kind) noexcept {
  return kind == TokenizerKind::kByte ? TextCoding::kBytes : TextCoding::kUtf8;
}

Tokenizer::Tokenizer(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}

Tokenizer Tokenizer::train(const TokenizerOptions& options, const NamedText& text) {
  expect_enumerator("tokenizer.kind", options.kind, tokenizer_kind_name(options.kind));
  return train_on(options, CheckedText(options.kind, options.lowercase, text));
}

Tokenizer Tokenizer::train_on(const TokenizerOptions& options, const CheckedText& text) {
  check_options(options);
  const std::string& name = text.name();
  if (text.empty()) refuse_text(name, "the text is empty");
  if (options.kind == TokenizerKind::kSentencePiece) {
    return from_sentencepiece_file(options.vocab_file);
  }
  const WordSplitter splitter(options.kind, options.lowercase);
  std::vector<SymbolCount> counts = count_symbols(options.kind, text.view(), splitter);
  if (counts.empty() && tokens_are_words(options.kind)) refuse_text(name, "the text holds no word");
  if (std::ssize(counts) < kFewestSymbols) {
    refuse_text(name, "the text holds fewer than two different symbols besides line ends: nothing to learn");
  }
  if (options.kind == TokenizerKind::kByte) return from_vocabulary(options.kind, false, byte_symbols());
  if (!options.vocab_file.empty()) {
    Tokenizer tokenizer =
        from_vocabulary(options.kind, options.lowercase, read_vocabulary_file(options.kind, options.vocab_file));
    if (count_known(options.kind, tokenizer.data_->vocabulary, counts) < kFewestSymbols) {
      refuse_text(name, fmt::format("fewer than two of its symbols are in vocabulary '{}'", options.vocab_file));
    }
    return tokenizer;
  }
  std::vector<std::string> symbols = most_frequent(options, std::move(counts));
  if (std::ssize(symbols) < std::ssize(required_symbols(options.kind)) + kFewestSymbols) {
    refuse_text(name, fmt::format("`tokenizer.min_count` {} leaves fewer than two symbols; make it smaller",
                                  options.min_count));
  }
  return from_vocabulary(options.kind, options.lowercase, std::move(symbols));
}

Tokenizer Tokenizer::from_vocabulary(TokenizerKind kind, bool lowercase, std::vector<std::string> symbols) {
  expect_enumerator("kind", kind, tokenizer_kind_name(kind));
  if (kind == TokenizerKind::kSentencePiece) {
    throw Error(ErrorCode::kUsage, "vocabulary: that of SentencePiece comes from its model");
  }
  if (lowercase && !tokens_are_words(kind)) {
    throw Error(ErrorCode::kFormat,
                fmt::format("vocabulary: lower case does not go with '{}'", tokenizer_kind_name(kind)));
  }
  return Tokenizer(std::make_shared<const Data>(kind, lowercase, std::move(symbols)));
}

Tokenizer Tokenizer::from_sentencepiece(std::string model, const std::string& name) {
  return Tokenizer(std::make_shared<const Data>(std::move(model), name));
}

Tokenizer Tokenizer::from_sentencepiece_file(const std::string& path) {
  const MappedFile file(path);
  const std::string_view start = file.bytes().substr(0, kLargestSentencePieceFile + 1);
  return from_sentencepiece(std::string(start), fmt::format("'{}'", path));
}

TokenizerKind Tokenizer::kind() const noexcept { return data_->kind; }
bool Tokenizer::lowercase() const noexcept { return data_->lowercase; }
std::int64_t Tokenizer::size() const noexcept { return std::ssize(data_->vocabulary.symbols()); }
const std::vector<std::string>& Tokenizer::vocabulary() const noexcept { return data_->vocabulary.symbols(); }
std::int32_t Tokenizer::boundary() const noexcept { return data_->vocabulary.boundary(); }
std::int32_t Tokenizer::unknown() const noexcept { return data_->vocabulary.unknown(); }
const std::string& Tokenizer::symbol(std::int32_t id) const { return data_->symbol(id); }

const std::string& Tokenizer::sentencepiece_model() const noexcept {
  static const std::string kNone;
  return data_->pieces ? data_->pieces->model() : kNone;
}

bool Tokenizer::is_control(std::int32_t id) const {
  static_cast<void>(data_->symbol(id));
  return data_->pieces && id != boundary() && data_->pieces->is_control(id);
}

EncodedText Tokenizer::encode(const NamedText& text) const {
  return encode_checked(CheckedText(data_->kind, data_->lowercase, text));
}

EncodedText Tokenizer::encode_checked(const CheckedText& checked) const {
  assert(checked.kind() == data_->kind);
  const std::string_view text = checked.view();
  EncodedText out;
  out.bytes = std::ssize(text);
  const bool utf8 = data_->kind != TokenizerKind::kByte || find_invalid_utf8(text) == std::string_view::npos;
  out.characters = utf8 ? count_code_points(text) : out.bytes;
  switch (data_->kind) {
    case TokenizerKind::kByte:
      out.ids.reserve(text.size());
      for (const char byte : text) out.ids.push_back(static_cast<unsigned char>(byte));
      out.lossless = true;
      break;
    case TokenizerKind::kChar:
      encode_characters(data_->vocabulary, checked, out);
      break;
    case TokenizerKind::kWhitespace:
      encode_words(data_->vocabulary, data_->splitter, checked, out);
      break;
    case TokenizerKind::kWord:
      encode_words(data_->vocabulary, data_->splitter, checked, out);
      out.lossless = false;  // the places of white space are lost
      break;
    case TokenizerKind::kSentencePiece:
      encode_pieces(*data_->pieces, text, checked.name(), out);
      break;
  }
  return out;
}

std::vector<Token> Tokenizer::encode_line(const NamedText& named) const {
  check_line(data_->kind, data_->lowercase, named);
  const std::string_view line = named.text;
  const Vocabulary& vocabulary = data_->vocabulary;
  std::vector<Token> tokens;
  if (tokens_are_words(data_->kind)) {
    data_->splitter.split(line, [&](std::string_view piece, std::string_view word) {
      const std::ptrdiff_t at = piece.data() - line.data();
      const std::optional<std::int32_t> id = id_of_word(vocabulary, piece, word);
      if (!id) refuse_symbol(data_->kind, vocabulary, word, place_in_line(named, at));
      tokens.push_back({*id, at, std::ssize(piece)});
    });
    return tokens;
  }
  if (data_->pieces) {
    for_each_line(line, [&](std::string_view part, std::int64_t offset, bool whole) {
      data_->pieces->encode(without_carriage_return(part), offset, named.name, tokens);
      if (whole) tokens.push_back({vocabulary.boundary(), offset + std::ssize(part), 1});
    });
    return tokens;
  }
  tokens.reserve(line.size());
  if (data_->kind == TokenizerKind::kByte) {
    for (std::int64_t at = 0; const char byte : line) tokens.push_back({static_cast<unsigned char>(byte), at++, 1});
    return tokens;
  }
  const auto refuse = [&](std::size_t at, std::size_t length) {
    refuse_symbol(data_->kind, vocabulary, line.substr(at, length),
                  place_in_line(named, static_cast<std::ptrdiff_t>(at)));
  };
  for_each_character(vocabulary, line, refuse, [&](std::int32_t id, std::size_t at, std::size_t length) {
    tokens.push_back({id, static_cast<std::int64_t>(at), static_cast<std::int64_t>(length)});
  });
  return tokens;
}

std::string Tokenizer::written(std::int32_t previous, std::int32_t id) const {
  const std::string& symbol = data_->symbol(id);
  if (!reads_lines(data_->kind)) return symbol;
  if (id == boundary()) return "\n";
  if (data_->pieces) {
    const std::string& piece = data_->pieces->written(id);
    const bool first = previous == -1 || previous == boundary();
    return first && data_->pieces->drops_first_space() && piece.starts_with(' ') ? piece.substr(1) : piece;
  }
  if (previous == -1 || previous == boundary()) return symbol;
  const bool space = data_->kind == TokenizerKind::kWhitespace || space_between(data_->symbol(previous), symbol);
  return space ? " " + symbol : symbol;
}

}  // namespace unroll
