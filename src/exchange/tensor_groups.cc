#include "exchange/tensor_groups.h"

#include <fmt/core.h>

#include <unordered_set>
#include <utility>

#include "base/quote.h"
#include "unroll/error.h"

namespace unroll {
namespace {

std::string below(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

class GroupFinder {
 public:
  explicit GroupFinder(const ForeignFile& checkpoint) : checkpoint_(checkpoint), graph_(checkpoint.values) {}

  std::vector<TensorGroup> find() {
    walk(graph_, checkpoint_.root, [this](const WalkedValue& value) {
      if (is_module(value.id)) {
        TensorGroup group{.path = value.path};
        add_module(value.id, group);
        keep(std::move(group));
        return false;
      }
      if (graph_.is(value.id, ValueKind::kDict)) {
        TensorGroup group{.path = value.path};
        add_tensors(value.id, "", group);
        keep(std::move(group));
      }
      return true;
    });
    return std::move(groups_);
  }

 private:
  [[nodiscard]] bool is_module(ValueId id) const {
    const ValueId state = graph_.item(id, kState);
    return graph_.find(state, "_parameters") != kNoValue || graph_.find(state, "_modules") != kNoValue;
  }

  void keep(TensorGroup group) {
    if (group.tensors.empty()) return;
    std::unordered_set<std::string_view> names;
    for (const NamedTensor& tensor : group.tensors) {
      if (!names.insert(tensor.name).second) {
        throw Error(ErrorCode::kFormat,
                    fmt::format("'{}': the tensor {} is there twice", checkpoint_.path, quote(tensor.name)));
      }
    }
    groups_.push_back(std::move(group));
  }

  void add_tensors(ValueId dict, const std::string& prefix, TensorGroup& group) {
    if (!graph_.is(dict, ValueKind::kDict)) return;
    const std::vector<ValueId>& items = graph_[dict].items;
    for (std::size_t at = 0; at < items.size(); at += 2) {
      if (!graph_.is(items[at], ValueKind::kString) || !graph_.is(items[at + 1], ValueKind::kTensor)) continue;
      group.tensors.push_back({.name = below(prefix, graph_[items[at]].text), .id = items[at + 1]});
    }
  }

  struct Open {
    NamedModule module;
    std::int64_t depth = 0;
  };

  // The module and all below it, parents first, children in their order.
  void add_module(ValueId root, TensorGroup& group) {
    std::vector<Open> open{{.module = named("", root)}};
    std::unordered_set<ValueId> seen{root};
    while (!open.empty()) {
      const Open next = std::move(open.back());
      open.pop_back();
      if (next.depth > kDeepestNesting) {
        throw Error(ErrorCode::kFormat, fmt::format("'{}': modules are nested too deep", checkpoint_.path));
      }
      add_tensors(graph_.find(next.module.attributes, "_parameters"), next.module.name, group);
      const ValueId children = graph_.find(next.module.attributes, "_modules");
      const std::string prefix = next.module.name;
      group.modules.push_back(next.module);
      if (!graph_.is(children, ValueKind::kDict)) continue;
      const std::vector<ValueId>& items = graph_[children].items;
      for (std::size_t at = items.size(); at >= 2; at -= 2) {
        const ValueId child = items[at - 1];
        if (!graph_.is(items[at - 2], ValueKind::kString) || !is_module(child) || !seen.insert(child).second) continue;
        open.push_back({.module = named(below(prefix, graph_[items[at - 2]].text), child), .depth = next.depth + 1});
      }
    }
  }

  [[nodiscard]] NamedModule named(std::string name, ValueId object) const {
    return {.name = std::move(name), .class_name = graph_[object].text, .attributes = graph_.item(object, kState)};
  }

  const ForeignFile& checkpoint_;
  const ValueGraph& graph_;
  std::vector<TensorGroup> groups_;
};

}  // namespace

std::string_view NamedTensor::module() const noexcept {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? std::string_view() : std::string_view(name).substr(0, dot);
}

std::string_view NamedTensor::leaf() const noexcept { return std::string_view(name).substr(name.rfind('.') + 1); }

std::string_view TensorGroup::class_of(std::string_view module) const noexcept {
  for (const NamedModule& candidate : modules) {
    if (candidate.name == module) return candidate.class_name;
  }
  return {};
}

ValueId TensorGroup::attribute(const ValueGraph& graph, std::string_view module, std::string_view name) const {
  for (const NamedModule& candidate : modules) {
    if (candidate.name == module) return graph.find(candidate.attributes, name);
  }
  return kNoValue;
}

std::vector<TensorGroup> tensor_groups(const ForeignFile& checkpoint) { return GroupFinder(checkpoint).find(); }

}  // namespace unroll
