#include "exchange/found_vocabulary.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/quote.h"
#include "unroll/character.h"

namespace unroll {
namespace {

constexpr std::string_view kPadding = "<pad>";
constexpr std::size_t kOthersShown = 4;

// The whole number that a value is, or that a string is in decimal digits, as keys of JSON are.
std::optional<std::int64_t> id_of(const Value& value) {
  if (value.kind == ValueKind::kInteger) return value.integer;
  if (value.kind != ValueKind::kString || value.text.empty()) return std::nullopt;
  std::int64_t id = 0;
  const char* end = value.text.data() + value.text.size();
  const auto [stop, failure] = std::from_chars(value.text.data(), end, id);
  return failure == std::errc() && stop == end ? std::optional(id) : std::nullopt;
}

std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> characters;
  while (!text.empty()) {
    const std::size_t bytes = first_character(text).bytes;
    characters.emplace_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return characters;
}

bool are_distinct(const std::vector<std::string>& symbols) {
  const std::unordered_set<std::string_view> seen(symbols.begin(), symbols.end());
  return seen.size() == symbols.size();
}

// Ids and symbols.
using Entries = std::vector<std::pair<std::int64_t, std::string>>;

class VocabularyFinder {
 public:
  VocabularyFinder(const ValueGraph& graph, std::int64_t size) : graph_(graph), size_(size) {}

  VocabularySearch run(ValueId root) {
    walk(graph_, root, [this](const WalkedValue& value) {
      const Value& held = graph_[value.id];
      const std::string path = value.path.empty() ? "the file" : value.path;
      switch (held.kind) {
        case ValueKind::kDict:
          look_at_dict(held, path);
          break;
        case ValueKind::kList:
        case ValueKind::kTuple:
          look_at_list(held, path);
          break;
        case ValueKind::kString:
          if (!value.path.empty()) look_at_string(held, path);
          break;
        default:
          break;
      }
      return true;
    });
    return std::move(search_);
  }

 private:
  void look_at_dict(const Value& dict, const std::string& path) {
    const std::size_t count = dict.items.size() / 2;
    if (count < 2) return;
    // Ids by symbol first: the keys of the other kind may be digits as well.
    for (const bool by_symbol : {true, false}) {
      Entries entries;
      for (std::size_t at = 0; at < dict.items.size(); at += 2) {
        const Value& symbol = graph_[dict.items[by_symbol ? at : at + 1]];
        const Value& number = graph_[dict.items[by_symbol ? at + 1 : at]];
        const bool is_id = !by_symbol || number.kind == ValueKind::kInteger;
        const std::optional<std::int64_t> id = is_id ? id_of(number) : std::nullopt;
        if (symbol.kind != ValueKind::kString || !id) break;
        entries.emplace_back(*id, symbol.text);
      }
      if (entries.size() == count) return place(entries, path);
    }
    tell_odd_id(dict, path);
  }

  // A dict of as many symbols as are looked for, one of whose ids is no whole number.
  void tell_odd_id(const Value& dict, const std::string& path) {
    const std::int64_t count = std::ssize(dict.items) / 2;
    if (count != size_) return;
    for (std::size_t at = 0; at < dict.items.size(); at += 2) {
      const Value& symbol = graph_[dict.items[at]];
      const Value& id = graph_[dict.items[at + 1]];
      if (symbol.kind == ValueKind::kString && id.kind == ValueKind::kReal) {
        return tell(path, count,
                    fmt::format(", and the id of {} is {}: expected a whole number", quote(symbol.text),
                                value_kind_name(id.kind)));
      }
    }
  }

  void place(const Entries& entries, const std::string& path) {
    const std::int64_t count = std::ssize(entries);
    std::vector<std::string> symbols(static_cast<std::size_t>(size_));
    std::vector<bool> has(static_cast<std::size_t>(size_));
    for (const auto& [id, symbol] : entries) {
      if (id < 0 || id >= size_ || has[static_cast<std::size_t>(id)]) return tell_ids(path, entries);
      has[static_cast<std::size_t>(id)] = true;
      symbols[static_cast<std::size_t>(id)] = symbol;
    }
    if (count == size_ - 1 && !has[0]) {
      symbols[0] = kPadding;
    } else if (count != size_) {
      return tell(path, count);
    }
    keep(std::move(symbols), path);
  }

  void look_at_list(const Value& list, const std::string& path) {
    if (list.items.size() < 2) return;
    std::vector<std::string> symbols;
    for (const ValueId item : list.items) {
      if (!graph_.is(item, ValueKind::kString)) return tell_odd_item(list, symbols.size(), path);
      symbols.push_back(graph_[item].text);
    }
    std::ssize(symbols) == size_ ? keep(std::move(symbols), path) : tell(path, std::ssize(symbols));
  }

  // A list of as many items as are looked for, which begins with strings.
  void tell_odd_item(const Value& list, std::size_t at, const std::string& path) {
    const std::int64_t count = std::ssize(list.items);
    if (at == 0 || count != size_) return;
    tell(path, count,
         fmt::format(", and that of id {} is {}: expected a string", at, value_kind_name(graph_[list.items[at]].kind)));
  }

  // Texts of any kind stand in files; only one of this many different characters is taken for a list of them.
  void look_at_string(const Value& text, const std::string& path) {
    constexpr std::int64_t kMostBytes = 4;
    if (std::ssize(text.text) < size_ || std::ssize(text.text) > kMostBytes * size_) return;
    std::vector<std::string> symbols = characters_of(text.text);
    if (std::ssize(symbols) == size_ && are_distinct(symbols)) keep(std::move(symbols), path);
  }

  void keep(std::vector<std::string> symbols, const std::string& path) {
    if (!are_distinct(symbols)) return tell(path, std::ssize(symbols));
    for (const FoundVocabulary& known : search_.found) {
      if (known.symbols == symbols) return;
    }
    search_.found.push_back({.path = path, .symbols = std::move(symbols)});
  }

  void tell(const std::string& path, std::int64_t count, const std::string& what = "") {
    if (search_.others.size() >= kOthersShown) return;
    search_.others.push_back(fmt::format("{} has {} symbols{}", path, count, what));
  }

  void tell_ids(const std::string& path, Entries entries) {
    std::ranges::stable_sort(entries, {}, &Entries::value_type::first);
    const auto same = std::ranges::adjacent_find(entries, {}, &Entries::value_type::first);
    if (same != entries.end()) {
      return tell(path, std::ssize(entries),
                  fmt::format(", of which {} and {} have the id {}", quote(same->second), quote((same + 1)->second),
                              same->first));
    }
    const auto [least, most] = std::ranges::minmax_element(entries);
    tell(path, std::ssize(entries), fmt::format(" with ids from {} to {}", least->first, most->first));
  }

  const ValueGraph& graph_;
  std::int64_t size_;
  VocabularySearch search_;
};

}  // namespace

VocabularySearch find_vocabularies(const ValueGraph& graph, ValueId root, std::int64_t size) {
  return VocabularyFinder(graph, size).run(root);
}

}  // namespace unroll
