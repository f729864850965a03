#include "text/sentencepiece_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kLongestPiece = 4096;
constexpr std::size_t kMostPiecesOfFile = std::size_t{1} << 24;
// The library stores at most this many matches, but reads as many as there are.
constexpr std::size_t kMostMatches = 32;
constexpr std::size_t kLongestReplacement = 1024;

// Fields of ModelProto, of ModelProto.SentencePiece and of NormalizerSpec; types of pieces.
constexpr std::uint64_t kPieces = 1, kNormalizer = 3, kDenormalizer = 5;
constexpr std::uint64_t kPieceText = 1, kPieceScore = 2, kPieceType = 3;
constexpr std::uint64_t kCharsmap = 2;
constexpr std::int32_t kFirstType = 1, kUserDefined = 4, kLastType = 6;

[[noreturn]] void refuse(const std::string& name, std::string_view what) {
  throw Error(ErrorCode::kFormat, fmt::format("{}: not a usable SentencePiece model: {}", name, what));
}

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  std::uint64_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;  // of a varint
  std::string_view bytes;   // of any other type
};

// Reads the fields of one message.
class MessageReader {
 public:
  MessageReader(std::string_view message, const std::string& name) : rest_(message), name_(name) {}

  bool next(Field& field) {
    if (rest_.empty()) return false;
    const std::uint64_t tag = varint();
    // Of longer ones the library reads the lower 32 bits.
    if (tag > std::numeric_limits<std::uint32_t>::max()) refuse(name_, "a field has too large a number");
    field = {.number = tag >> 3, .type = static_cast<WireType>(tag & 7), .value = 0, .bytes = {}};
    if (field.number == 0) refuse(name_, "a field has the number 0");
    switch (field.type) {
      case WireType::kVarint:
        field.value = varint();
        return true;
      case WireType::kFixed64:
        field.bytes = take(8);
        return true;
      case WireType::kBytes:
        field.bytes = take(varint());
        return true;
      case WireType::kFixed32:
        field.bytes = take(4);
        return true;
    }
    refuse(name_, "a field has an unknown type");
  }

 private:
  std::uint64_t varint() {
    constexpr unsigned kMostBits = 63;
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift <= kMostBits; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    refuse(name_, "a number has more than ten bytes");
  }

  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) refuse(name_, "it is cut short");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  const std::string& name_;
};

struct PieceFields {
  std::string_view text;
  float score = 0;
  bool user_defined = false;
};

PieceFields read_piece(std::string_view message, const std::string& name) {
  PieceFields piece;
  MessageReader reader(message, name);
  for (Field field; reader.next(field);) {
    if (field.number == kPieceText && field.type == WireType::kBytes) piece.text = field.bytes;
    if (field.number == kPieceScore && field.type == WireType::kFixed32) {
      piece.score = std::bit_cast<float>(u32_at(field.bytes, 0));
    }
    if (field.number == kPieceType && field.type == WireType::kVarint) {
      // The library reads the lower 32 bits, and keeps the type before where they are none that it knows.
      const auto type = static_cast<std::int32_t>(field.value);
      if (type >= kFirstType && type <= kLastType) piece.user_defined = type == kUserDefined;
    }
  }
  return piece;
}

void check_piece(const PieceFields& piece, std::size_t id, const std::string& name) {
  const auto refuse_piece = [&](std::string_view what) { refuse(name, fmt::format("piece {} {}", id, what)); };
  if (piece.text.empty()) refuse_piece("is empty");
  if (piece.text.size() > kLongestPiece) refuse_piece(fmt::format("is longer than {} bytes", kLongestPiece));
  if (find_invalid_utf8(piece.text) != std::string_view::npos) refuse_piece("is not UTF-8");
  if (piece.text.find('\0') != std::string_view::npos) refuse_piece("contains a NUL");
  if (!std::isfinite(piece.score)) refuse_piece("has a score that is not a number");
}

// Pieces of which each is a prefix of the next all match at one place of a text.
void check_nesting(std::vector<std::string_view> pieces, const std::string& name) {
  std::ranges::sort(pieces);
  std::vector<std::string_view> open;
  for (const std::string_view piece : pieces) {
    while (!open.empty() && !piece.starts_with(open.back())) open.pop_back();
    open.push_back(piece);
    if (open.size() > kMostMatches) {
      refuse(name, fmt::format("more than {} user-defined pieces are prefixes of each other", kMostMatches));
    }
  }
}

// Walks the table of rules as the library does: from each reachable state, over every byte.
class RuleTable {
 public:
  RuleTable(std::string_view trie, std::string_view replacements, const std::string& name)
      : trie_(trie), replacements_(replacements), name_(name) {}

  void check() const {
    std::size_t steps = 0;
    std::vector<std::size_t> states{state_behind(0)};
    for (std::size_t depth = 0; !states.empty(); ++depth) {
      if (depth > kMostMatches) refuse(name_, fmt::format("a rule is longer than {} bytes", kMostMatches));
      std::vector<std::size_t> next;
      for (const std::size_t state : states) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
          if (label(unit(state ^ byte)) == byte) next.push_back(state_behind(state ^ byte));
        }
      }
      std::ranges::sort(next);
      next.erase(std::unique(next.begin(), next.end()), next.end());
      // Valid tables share few states between depths.
      steps += next.size();
      if (steps > trie_.size()) refuse(name_, "its rules contain a cycle");
      states = std::move(next);
    }
  }

 private:
  static std::uint32_t label(std::uint32_t unit) { return unit & 0x800000FFU; }
  static std::uint32_t offset(std::uint32_t unit) { return (unit >> 10U) << ((unit & 0x200U) >> 6U); }
  static bool has_value(std::uint32_t unit) { return (unit >> 8U & 1U) != 0; }
  static std::uint32_t value(std::uint32_t unit) { return unit & 0x7FFFFFFFU; }

  [[nodiscard]] std::uint32_t unit(std::size_t index) const { return u32_at(trie_, 4 * index); }

  // The state after the unit `index`; all 256 steps from it must be within the table.
  [[nodiscard]] std::size_t state_behind(std::size_t index) const {
    const std::size_t state = index ^ offset(unit(index));
    if ((state | 0xFFU) >= trie_.size() / 4) refuse(name_, "a rule leaves its table");
    if (has_value(unit(index)) && value(unit(state)) >= replacements_.size()) {
      refuse(name_, "a rule's replacement is outside the table");
    }
    return state;
  }

  std::string_view trie_;
  std::string_view replacements_;
  const std::string& name_;
};

void check_charsmap(std::string_view charsmap, const std::string& name) {
  constexpr std::size_t kSizeBytes = 4;
  constexpr std::size_t kLeastTrie = 4 * 256;
  if (charsmap.empty()) return;
  if (charsmap.size() <= kSizeBytes) refuse(name, "its rules of normalisation are cut short");
  const std::size_t size = u32_at(charsmap, 0);
  charsmap.remove_prefix(kSizeBytes);
  if (size < kLeastTrie || size % 4 != 0 || size >= charsmap.size() || charsmap.back() != '\0') {
    refuse(name, "its rules of normalisation are damaged");
  }
  const std::string_view replacements = charsmap.substr(size);
  for (std::size_t at = 0; at < replacements.size();) {
    const std::size_t end = replacements.find('\0', at);
    if (end - at > kLongestReplacement) {
      refuse(name, fmt::format("a rule inserts more than {} bytes", kLongestReplacement));
    }
    at = end + 1;
  }
  RuleTable(charsmap.substr(0, size), replacements, name).check();
}

void check_normalizer(std::string_view message, const std::string& name) {
  MessageReader reader(message, name);
  for (Field field; reader.next(field);) {
    if (field.number == kCharsmap && field.type == WireType::kBytes) check_charsmap(field.bytes, name);
  }
}

}  // namespace

void check_sentencepiece_file(std::string_view bytes, const std::string& name) {
  if (bytes.size() > kLargestSentencePieceFile) {
    refuse(name, fmt::format("it has {} bytes, expected at most {}", bytes.size(), kLargestSentencePieceFile));
  }
  std::size_t pieces = 0;
  std::vector<std::string_view> user_defined;
  MessageReader reader(bytes, name);
  for (Field field; reader.next(field);) {
    if (field.type != WireType::kBytes) continue;
    if (field.number == kPieces) {
      const PieceFields piece = read_piece(field.bytes, name);
      check_piece(piece, pieces, name);
      if (++pieces > kMostPiecesOfFile) refuse(name, fmt::format("it has more than {} pieces", kMostPiecesOfFile));
      if (piece.user_defined) user_defined.push_back(piece.text);
    } else if (field.number == kNormalizer || field.number == kDenormalizer) {
      check_normalizer(field.bytes, name);
    }
  }
  if (pieces == 0) refuse(name, "it has no pieces");
  check_nesting(std::move(user_defined), name);
}

}  // namespace unroll
