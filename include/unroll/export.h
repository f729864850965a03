// Writes a model as a file of other programs, from which import_model() makes the same model again.
//
//   unroll::export_model(model, unroll::ExportFormat::kPytorch, "book.pt");
//
// Tensors have the names, shapes and gate orders of docs/format.md, which are PyTorch's, and a few shapes as its
// modules have them (docs/export.md). Beside them the file holds a description: the vocabulary, the labels, how the
// model is used and how it was trained.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/model.h"

namespace unroll {

//   kPytorch      a state dict as torch.save() writes it, which torch.load(weights_only=True) reads
//   kSafetensors  safetensors with the metadata "format": "pt"
//   kNpz          arrays of NumPy, which numpy.load() reads
enum class ExportFormat : std::uint8_t { kPytorch, kSafetensors, kNpz };

// "pytorch", "safetensors", "npz".
[[nodiscard]] std::string_view export_format_name(ExportFormat format) noexcept;

// The format with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] ExportFormat parse_export_format(std::string_view text);

// Replaces the file `path`; equal models give equal bytes. Weights are f32, of a rounded model the numbers that it
// computes with, and what comes back by import_model() is an f32 model. Throws Error{kFile}, also where the format has
// no room for so many numbers.
void export_model(const Model& model, ExportFormat format, const std::string& path);

// Python that rebuilds the network with PyTorch's modules and loads what export_model() wrote. Throws Error{kUsage}
// with the reason where PyTorch has no module for a part of the network.
[[nodiscard]] std::string pytorch_module(const Model& model);

}  // namespace unroll
