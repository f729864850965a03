#include "server/api/symbol_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "json/json_text.h"
#include "server/api/json_parts.h"
#include "unroll/character.h"

namespace unroll {
namespace {

// Whether bytes are a character or the beginning of one. What may follow a first byte is one range of bytes, which
// holds the first or the last of those that continue characters.
bool begins_character(const std::string& bytes) {
  const auto is_completed_by = [&bytes](char byte) {
    const Character character = first_character(bytes + std::string(3, byte));
    return character.well_formed && character.bytes >= bytes.size();
  };
  return is_completed_by('\x80') || is_completed_by('\xbf');
}

std::string byte_list(std::string_view text) {
  std::string list;
  for (const char byte : text) append_element(list, fmt::format("{}", static_cast<unsigned char>(byte)));
  return list;
}

std::string chat_entry(std::string_view shown, std::string_view piece, std::string_view log_prob) {
  return fmt::format(R"({{"token":{},"logprob":{},"bytes":[{}])", json_string(shown), log_prob, byte_list(piece));
}

}  // namespace

std::string shown_piece(std::string_view piece) {
  if (is_utf8(piece)) return std::string(piece);
  std::string shown = "bytes:";
  for (const char byte : piece) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return shown;
}

std::int64_t CharacterCount::add(std::string_view piece) {
  const bool breaks_off = !unfinished_.empty() && !piece.empty() && !begins_character(unfinished_ + piece.front());
  const std::int64_t begin = whole_ + (breaks_off ? 1 : 0);
  for (const char byte : piece) add_byte(byte);
  return begin;
}

void CharacterCount::add_byte(char byte) {
  unfinished_ += byte;
  if (!begins_character(unfinished_)) {
    if (unfinished_.size() > 1) ++whole_;
    unfinished_ = byte;
  }
  if (!begins_character(unfinished_) || first_character(unfinished_).well_formed) {
    ++whole_;
    unfinished_.clear();
  }
}

void SymbolLog::skip(std::int32_t id, std::string_view text) {
  characters_.add(text);
  previous_ = id;
}

void SymbolLog::add_given(std::int32_t id, std::string_view piece) {
  if (shape_ == LogShape::kText) {
    append_element(tokens_, json_string(shown_piece(piece)));
    append_element(log_probs_, "null");
    append_element(top_, "null");
  }
  add_piece(id, piece);
}

void SymbolLog::add(const SymbolReport& report, std::string_view piece) {
  if (report.given) return add_given(report.id, piece);
  const std::string shown = shown_piece(piece);
  const std::string log_prob = json_number(report.log_prob);
  if (shape_ == LogShape::kText) {
    append_element(tokens_, json_string(shown));
    append_element(log_probs_, log_prob);
    append_element(top_, "{" + top(report, piece) + "}");
  } else {
    append_element(tokens_, chat_entry(shown, piece, log_prob) + ",\"top_logprobs\":[" + top(report, piece) + "]}");
  }
  add_piece(report.id, piece);
}

std::string SymbolLog::name(std::int32_t id) const { return tokenizer_.written(previous_, id); }

// The alternatives, and the symbol itself at its place among them or at the end.
std::string SymbolLog::top(const SymbolReport& report, std::string_view piece) const {
  std::vector<SymbolProbability> listed = report.alternatives;
  if (std::ranges::find(listed, report.id, &SymbolProbability::id) == listed.end()) {
    listed.push_back({.id = report.id, .log_prob = report.log_prob});
  }
  std::string list;
  std::set<std::string> names{shown_piece(piece)};
  for (const SymbolProbability& symbol : listed) {
    const bool is_itself = symbol.id == report.id;
    const std::string text = is_itself ? std::string(piece) : name(symbol.id);
    std::string unique = shown_piece(text);
    if (!is_itself && !names.insert(unique).second) unique = fmt::format("token_id:{}", symbol.id);
    const std::string log_prob = json_number(symbol.log_prob);
    append_element(list, shape_ == LogShape::kText ? json_string(unique) + ":" + log_prob
                                                   : chat_entry(unique, text, log_prob) + "}");
  }
  return list;
}

void SymbolLog::add_piece(std::int32_t id, std::string_view piece) {
  const std::int64_t offset = characters_.add(piece);
  if (shape_ == LogShape::kText) append_element(offsets_, fmt::format("{}", offset));
  previous_ = id;
}

std::size_t SymbolLog::bytes() const noexcept {
  return tokens_.size() + log_probs_.size() + top_.size() + offsets_.size();
}

void SymbolLog::take(std::string& json) {
  if (shape_ == LogShape::kText) {
    json.append("{\"tokens\":[").append(tokens_).append("],\"token_logprobs\":[").append(log_probs_);
    json.append("],\"top_logprobs\":[").append(top_).append("],\"text_offset\":[").append(offsets_).append("]}");
  } else {
    json.append("{\"content\":[").append(tokens_).append("],\"refusal\":null}");
  }
  for (std::string* list : {&tokens_, &log_probs_, &top_, &offsets_}) list->clear();
}

}  // namespace unroll
