#include "checkpoints/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/quote.h"
#include "unroll/character.h"

namespace unroll {
namespace {

constexpr std::size_t kItemsShown = 8;       // of longer ones
constexpr std::size_t kMostShownWhole = 32;  // items of a dict or list that is shown whole

bool is_container(const Value& value) {
  return value.kind == ValueKind::kList || value.kind == ValueKind::kTuple || value.kind == ValueKind::kSet ||
         value.kind == ValueKind::kDict;
}

bool is_plain(const Value& value) {
  return !is_container(value) && value.kind != ValueKind::kObject && value.kind != ValueKind::kTensor;
}

// The text of a source, whose lines stay lines.
std::string shown_source(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const Character next = first_character(text);
    const bool is_layout = next.value == U'\n' || next.value == U'\t';
    if (is_layout || (next.well_formed && is_printable(next))) {
      shown += text.substr(0, next.bytes);
    } else if (!text.starts_with("\r\n")) {
      shown += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(next.value));
    }
    text.remove_prefix(next.bytes);
  }
  return shown;
}

class Description {
 public:
  explicit Description(const ForeignFile& checkpoint) : checkpoint_(checkpoint), graph_(checkpoint.values) {}

  std::string run() {
    text_ = fmt::format("# {}\n", checkpoint_.format);
    walk(graph_, checkpoint_.root, [this](const WalkedValue& value) {
      const Value& held = graph_[value.id];
      if (held.kind == ValueKind::kNone || (is_container(held) && held.items.empty())) return false;
      const bool goes_on = !is_container(held) || !all_plain(held);
      add(value.path, goes_on ? shown(held) : shown_items(held));
      return goes_on;
    });
    for (const SourceText& source : checkpoint_.sources) {
      text_ += fmt::format("\n# source text of {}, from {}\n{}\n", shown_name(source.name), quote(source.file),
                           shown_source(source.text));
    }
    return std::move(text_);
  }

 private:
  void add(const std::string& path, const std::string& what) {
    text_ += fmt::format("{}\t{}\n", path.empty() ? "." : path, what);
  }

  [[nodiscard]] bool all_plain(const Value& value) const {
    return std::ranges::all_of(value.items, [this](ValueId id) { return is_plain(graph_[id]); });
  }

  [[nodiscard]] std::string shown(const Value& value) const {
    switch (value.kind) {
      case ValueKind::kNone:
        return "none";
      case ValueKind::kBool:
        return value.integer != 0 ? "true" : "false";
      case ValueKind::kInteger:
        return std::to_string(value.integer);
      case ValueKind::kReal:
        return fmt::format("{}", value.real);
      case ValueKind::kString:
        return quote(value.text);
      case ValueKind::kBytes:
      case ValueKind::kLargeInteger:
        return fmt::format("{} of {} bytes", value_kind_name(value.kind), value.text.size());
      case ValueKind::kName:
        return shown_name(value.text);
      case ValueKind::kObject:
        return fmt::format("object of {}", shown_name(value.text));
      case ValueKind::kTensor:
        return shown_tensor(graph_.tensor_at(value));
      case ValueKind::kStorage:
        return "storage";
      case ValueKind::kDict:
        return fmt::format("dict of {}", value.items.size() / 2);
      case ValueKind::kList:
      case ValueKind::kTuple:
      case ValueKind::kSet:
        return fmt::format("{} of {}", value_kind_name(value.kind), value.items.size());
    }
    return {};
  }

  [[nodiscard]] std::string shown_tensor(const TensorValue& tensor) const {
    const Storage& storage = graph_.storage_of(tensor);
    std::string shown = fmt::format("tensor [{}] {}", fmt::join(tensor.shape, ", "), element_type_name(storage.type));
    if (!storage.device.empty()) shown += " " + shown_name(storage.device);
    return shown;
  }

  [[nodiscard]] std::string shown_items(const Value& value) const {
    std::vector<std::string> items;
    const bool is_dict = value.kind == ValueKind::kDict;
    const std::size_t step = is_dict ? 2 : 1;
    const std::size_t count = value.items.size() / step;
    const std::size_t end = step * (count <= kMostShownWhole ? count : kItemsShown);
    for (std::size_t at = 0; at < end; at += step) {
      const std::string first = shown(graph_[value.items[at]]);
      items.push_back(is_dict ? fmt::format("{}: {}", first, shown(graph_[value.items[at + 1]])) : first);
    }
    const bool is_cut = end < step * count;
    return fmt::format("{}: {}{}", shown(value), fmt::join(items, ", "), is_cut ? ", ..." : "");
  }

  const ForeignFile& checkpoint_;
  const ValueGraph& graph_;
  std::string text_;
};

}  // namespace

std::string describe(const ForeignFile& checkpoint) { return Description(checkpoint).run(); }

}  // namespace unroll
