#include "unroll/export.h"

#include "base/file_claim.h"
#include "base/names.h"
#include "export/description.h"
#include "export/exported_tensors.h"
#include "export/npz_writer.h"
#include "export/torch_writer.h"
#include "model/model_file.h"
#include "model/tensor_file.h"

namespace unroll {
namespace {

constexpr std::string_view name_of_format(ExportFormat format) noexcept {
  switch (format) {
    case ExportFormat::kPytorch:
      return "pytorch";
    case ExportFormat::kSafetensors:
      return "safetensors";
    case ExportFormat::kNpz:
      return "npz";
  }
  return {};
}

void write_safetensors(const std::string& path, const std::vector<ExportedTensor>& exported,
                       const std::string& description) {
  std::vector<TensorToWrite> tensors;
  for (const ExportedTensor& tensor : exported) tensors.emplace_back(tensor.name, tensor.shape, tensor.numbers);
  write_tensor_file(path, tensors, {{"format", "pt"}, {"unroll", description}});
}

}  // namespace

std::string_view export_format_name(ExportFormat format) noexcept { return name_of_format(format); }

ExportFormat parse_export_format(std::string_view text) {
  return parse_name<ExportFormat, name_of_format>("format", text);
}

void export_model(const Model& model, ExportFormat format, const std::string& path) {
  expect_enumerator("format", format, name_of_format(format));
  Parameters parameters(model.config());
  read_parameters(model.config(), model.data().weights.view(), parameters);
  const std::vector<ExportedTensor> tensors = exported_tensors(model.config(), parameters);
  const std::string description = description_of(model);
  const FileClaim claim(path);
  switch (format) {
    case ExportFormat::kPytorch:
      return write_state_dict(path, tensors, description);
    case ExportFormat::kSafetensors:
      return write_safetensors(path, tensors, description);
    case ExportFormat::kNpz:
      return write_npz(path, tensors, description);
  }
}

}  // namespace unroll
