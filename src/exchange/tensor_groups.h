// Tensors of a file that belong together: those of one module, or of one state dict.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoints/foreign_file.h"

namespace unroll {

// A tensor, by its name in the group as in a state dict: "encoder.weight".
struct NamedTensor {
  std::string name;
  ValueId id = kNoValue;

  // Of "rnns.0.weight_ih_l0": "rnns.0" and "weight_ih_l0".
  [[nodiscard]] std::string_view module() const noexcept;
  [[nodiscard]] std::string_view leaf() const noexcept;
};

// A module of a whole module: its name ("" for the module itself), its class, and what its attributes are.
struct NamedModule {
  std::string name;
  std::string class_name;
  ValueId attributes = kNoValue;
};

struct TensorGroup {
  std::string path = {};                  // of the group in the file; empty: the file is the group
  std::vector<NamedTensor> tensors = {};  // in the order of the file
  std::vector<NamedModule> modules = {};  // empty: a state dict, which does not name classes

  // The class of a module; empty if it is not known.
  [[nodiscard]] std::string_view class_of(std::string_view module) const noexcept;

  // An attribute of a module, or kNoValue.
  [[nodiscard]] ValueId attribute(const ValueGraph& graph, std::string_view module, std::string_view name) const;
};

// All groups, in the order of the file. A module is an object whose attributes have "_modules" or "_parameters", with
// all modules below it; a state dict is a dict with tensors under strings. A tensor that modules share is in each.
// Throws Error{kFormat} for a name that is twice in a group, and for modules nested more than kDeepestNesting.
[[nodiscard]] std::vector<TensorGroup> tensor_groups(const ForeignFile& checkpoint);

}  // namespace unroll
