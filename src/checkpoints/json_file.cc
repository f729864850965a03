#include "checkpoints/json_file.h"

#include <fmt/core.h>

#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "model/strict_json.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Builds values from the events of a parser, without recursion.
class JsonEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonEvents(ValueGraph& graph, const std::string& name) : graph_(graph), name_(name) {}

  [[nodiscard]] ValueId root() const noexcept { return root_; }

  bool null() override { return put(graph_.add_none()); }
  bool boolean(bool value) override { return put(graph_.add_bool(value)); }
  bool number_integer(number_integer_t value) override { return put(graph_.add_integer(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    const bool fits = value <= static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max());
    return put(fits ? graph_.add_integer(static_cast<std::int64_t>(value))
                    : graph_.add_real(static_cast<double>(value)));
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return put(graph_.add_real(value)); }
  bool string(string_t& value) override { return put(graph_.add_string(std::move(value))); }
  bool binary(binary_t& /*value*/) override { return false; }

  bool start_object(std::size_t /*size*/) override { return open(ValueKind::kDict); }
  bool start_array(std::size_t /*size*/) override { return open(ValueKind::kList); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& key) override {
    if (!open_.back().keys.insert(key).second) refuse(fmt::format("the key {} is there twice", quote(key)));
    graph_[open_.back().id].items.push_back(graph_.add_string(std::move(key)));
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/, const nlohmann::json::exception& e) override {
    if (std::string_view(e.what()).find("surrogate") != std::string_view::npos) {
      refuse(fmt::format("byte {}: an escape \\ud800 to \\udfff stands alone, which is no character: expected a pair",
                         position));
    }
    refuse(fmt::format("it is not JSON from byte {} on", position));
  }

 private:
  struct Open {
    ValueId id = kNoValue;
    std::unordered_set<std::string> keys = {};
  };

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::kFormat, fmt::format("{}: {}", name_, why));
  }

  bool put(ValueId id) {
    if (open_.empty()) {
      root_ = id;
    } else {
      graph_[open_.back().id].items.push_back(id);
    }
    return true;
  }

  bool open(ValueKind kind) {
    if (std::ssize(open_) >= kDeepestNesting) refuse(fmt::format("it is nested more than {} deep", kDeepestNesting));
    const ValueId id = graph_.add_items(kind, {});
    put(id);
    open_.push_back({.id = id});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  ValueGraph& graph_;
  const std::string& name_;
  ValueId root_ = kNoValue;
  std::vector<Open> open_;
};

}  // namespace

ValueId read_json(ValueGraph& graph, std::string_view text, const std::string& name) {
  JsonEvents events(graph, name);
  nlohmann::json::sax_parse(text.begin(), text.end(), &events);
  return events.root();
}

}  // namespace unroll
