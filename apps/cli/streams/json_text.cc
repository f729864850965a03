#include "cli/streams/json_text.h"

#include <nlohmann/json.hpp>

namespace unroll {
namespace {

// How many bytes a character that begins with `first` has, and the range of its second byte; 0 bytes: it cannot begin.
struct Lead {
  std::size_t bytes;
  unsigned char least;
  unsigned char most;
};

Lead lead_of(unsigned char first) noexcept {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xC2 || first > 0xF4) return {0, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  return {4, 0x80, static_cast<unsigned char>(first == 0xF4 ? 0x8F : 0xBF)};
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const Lead lead = lead_of(static_cast<unsigned char>(text[0]));
    if (lead.bytes == 0 || lead.bytes > text.size()) return false;
    for (std::size_t i = 1; i < lead.bytes; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < (i == 1 ? lead.least : 0x80) || byte > (i == 1 ? lead.most : 0xBF)) return false;
    }
    text.remove_prefix(lead.bytes);
  }
  return true;
}

void put_text(nlohmann::ordered_json* object, const std::string& text) {
  (*object)["text"] = text;
  if (is_utf8(text)) return;
  nlohmann::ordered_json bytes = nlohmann::ordered_json::array();
  for (const char byte : text) bytes.push_back(static_cast<unsigned char>(byte));
  (*object)["bytes"] = std::move(bytes);
}

std::string json_line(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace unroll
