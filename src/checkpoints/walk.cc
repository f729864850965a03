#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "checkpoints/value.h"
#include "unroll/character.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kLongestPart = 80;

std::string joined_path(const std::string& path, const std::string& part) {
  return path.empty() ? part : path + "." + part;
}

// A value whose items are being visited.
struct WalkFrame {
  WalkedValue value;
  std::size_t next = 0;  // place in its items
};

class Walk {
 public:
  Walk(const ValueGraph& graph, const std::function<bool(const WalkedValue&)>& visit)
      : graph_(graph), visit_(visit), visited_(static_cast<std::size_t>(graph.size())) {}

  void run(ValueId root) {
    enter({.id = root});
    while (!frames_.empty()) {
      WalkFrame& frame = frames_.back();
      const Value& value = graph_[frame.value.id];
      const bool is_dict = value.kind == ValueKind::kDict;
      if (frame.next >= value.items.size()) {
        frames_.pop_back();
        continue;
      }
      const std::size_t at = frame.next;
      frame.next += is_dict ? 2 : 1;
      const ValueId item = value.items[is_dict ? at + 1 : at];
      if (item == kNoValue || visited_[static_cast<std::size_t>(item)]) continue;
      enter({.id = item, .path = path_of(frame.value.path, value, at), .depth = frame.value.depth + 1});
    }
  }

 private:
  void enter(WalkedValue value) {
    if (value.depth > kDeepestNesting) {
      throw GraphLimit(ErrorCode::kFormat,
                       fmt::format("values are nested more than {} deep: expected a network's file", kDeepestNesting));
    }
    visited_[static_cast<std::size_t>(value.id)] = true;
    if (visit_(value)) frames_.push_back({.value = std::move(value)});
  }

  // What an object was made from has its path; a list's items have their places, a dict's values their keys.
  [[nodiscard]] std::string path_of(const std::string& path, const Value& value, std::size_t at) const {
    switch (value.kind) {
      case ValueKind::kDict:
        return joined_path(path, shown_key(graph_[value.items[at]]));
      case ValueKind::kObject:
        return at == kArguments ? joined_path(path, "()") : path;
      default:
        return joined_path(path, std::to_string(at));
    }
  }

  static std::string shown_key(const Value& key) {
    switch (key.kind) {
      case ValueKind::kString:
      case ValueKind::kBytes:
        return shown_name(key.text);
      case ValueKind::kInteger:
      case ValueKind::kBool:
        return std::to_string(key.integer);
      case ValueKind::kReal:
        return fmt::format("{}", key.real);
      default:
        return fmt::format("({})", value_kind_name(key.kind));
    }
  }

  const ValueGraph& graph_;
  const std::function<bool(const WalkedValue&)>& visit_;
  std::vector<bool> visited_;
  std::vector<WalkFrame> frames_;
};

}  // namespace

std::string shown_name(std::string_view name) {
  bool printable = !name.empty() && name.size() <= kLongestPart;
  for (std::string_view rest = name; printable && !rest.empty();) {
    const Character next = first_character(rest);
    printable = next.well_formed && is_printable(next);
    rest.remove_prefix(next.bytes);
  }
  return printable ? std::string(name) : quote(name);
}

void walk(const ValueGraph& graph, ValueId root, const std::function<bool(const WalkedValue&)>& visit) {
  if (root != kNoValue) Walk(graph, visit).run(root);
}

}  // namespace unroll
