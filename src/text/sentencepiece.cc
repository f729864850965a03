#include "text/sentencepiece.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <exception>
#include <utility>

#include "text/sentencepiece_file.h"
#include "text/vocabulary.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// The library needs about 240 bytes of memory per byte of a line.
constexpr std::size_t kLongestLine = std::size_t{16} << 20;

// Pieces are "<0x00>" to "<0xFF>".
char byte_of(const std::string& piece) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
  return static_cast<char>(digit(piece.at(3)) * 16 + digit(piece.at(4)));
}

std::string with_spaces(std::string text) {
  for (std::size_t at = text.find(kSpacePiece); at != std::string::npos; at = text.find(kSpacePiece, at + 1)) {
    text.replace(at, kSpacePiece.size(), " ");
  }
  return text;
}

}  // namespace

std::string plain_words(std::string_view complaint) {
  const std::size_t bracket = complaint.find("] ");
  if (bracket != std::string_view::npos) complaint.remove_prefix(bracket + 2);
  while (complaint.ends_with('.') || complaint.ends_with('\n')) complaint.remove_suffix(1);
  return std::string(complaint);
}

struct SentencePiece::Library {
  sentencepiece::SentencePieceProcessor processor;
};

SentencePiece::SentencePiece(std::string model, const std::string& name) : model_(std::move(model)) {
  check_sentencepiece_file(model_, name);
  auto library = std::make_unique<Library>();
  sentencepiece::SentencePieceProcessor& processor = library->processor;
  std::string fault;
  try {
    const auto status = processor.LoadFromSerializedProto(model_);
    if (!status.ok()) fault = status.message();
  } catch (const std::exception& error) {  // its double array throws
    fault = error.what();
  }
  if (!fault.empty()) {
    throw Error(ErrorCode::kFormat, fmt::format("{}: SentencePiece rejects this model: {}", name, plain_words(fault)));
  }
  const int pieces = processor.GetPieceSize();
  for (int id = 0; id < pieces; ++id) {
    const std::string& piece = processor.IdToPiece(id);
    symbols_.push_back(piece);
    control_.push_back(processor.IsControl(id) || processor.IsUnused(id));
    if (processor.IsByte(id)) {
      written_.emplace_back(1, byte_of(piece));
    } else {
      written_.push_back(processor.IsControl(id) ? "" : with_spaces(piece));
    }
  }
  unknown_ = processor.unk_id();
  boundary_ = processor.eos_id();
  if (boundary_ < 0) {
    boundary_ = pieces;
    symbols_.emplace_back(kEndSymbol);
    written_.emplace_back();
    control_.push_back(true);
  }
  library_ = std::move(library);
  std::vector<Token> tokens;
  encode("a", 0, name, tokens);
  drops_first_space_ =
      !tokens.empty() && symbols_[static_cast<std::size_t>(tokens.front().id)].starts_with(kSpacePiece);
}

SentencePiece::~SentencePiece() = default;

void SentencePiece::encode(std::string_view line, std::int64_t offset, std::string_view name,
                           std::vector<Token>& tokens) const {
  if (line.size() > kLongestLine) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: a line of {} bytes is too long for SentencePiece: expected at most {}; split it", name,
                            line.size(), kLongestLine));
  }
  sentencepiece::ImmutableSentencePieceText text;
  const auto status = library_->processor.Encode(line, text.mutable_proto());
  if (!status.ok()) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: SentencePiece cannot read it: {}", name, plain_words(status.message())));
  }
  const auto count = static_cast<int>(text.pieces_size());
  for (int i = 0; i < count; ++i) {
    const auto piece = text.pieces(i);
    const auto begin = static_cast<std::int64_t>(piece.begin());
    tokens.push_back({.id = static_cast<std::int32_t>(piece.id()),
                      .offset = offset + begin,
                      .length = static_cast<std::int64_t>(piece.end()) - begin});
  }
}

std::string SentencePiece::decode(const std::vector<Token>& tokens) const {
  std::vector<int> ids;
  ids.reserve(tokens.size());
  for (const Token& token : tokens) ids.push_back(token.id);
  std::string text;
  const auto status = library_->processor.Decode(ids, &text);
  if (!status.ok())
    throw Error(ErrorCode::kInput, fmt::format("SentencePiece cannot decode: {}", plain_words(status.message())));
  return text;
}

}  // namespace unroll
