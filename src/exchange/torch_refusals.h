// What is known of names and classes of PyTorch's modules: which are part of a language model, and why others are not.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoints/foreign_file.h"
#include "exchange/tensor_groups.h"

namespace unroll {

// Why a network with a module of this class is not one of ours: "is a torch.nn.modules.conv.Conv1d: ..."; empty if it
// may be. Of classes that are not PyTorch's own nothing is known: what is below them counts.
[[nodiscard]] std::string module_refusal(std::string_view class_name);

// Whether the name of a module says that it is an embedding ("encoder", "embed", "wte") or that it is a linear layer
// ("decoder", "fc", "output_proj", "linear"); nothing for other names.
[[nodiscard]] std::optional<bool> embedding_by_name(std::string_view module);

// Whether settings in the file name relu as the function of a simple recurrent network.
[[nodiscard]] bool mentions_relu(const ForeignFile& checkpoint);

// Why a file without recurrent weights is no network of ours.
[[nodiscard]] std::string why_not_recurrent(const ForeignFile& checkpoint, const std::vector<TensorGroup>& groups);

}  // namespace unroll
