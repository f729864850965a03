#include "export/restored_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "export/description.h"
#include "export/exported_tensors.h"
#include "model/model_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Sets the parameters of a network from the tensors of a dict.
class TensorLookup {
 public:
  explicit TensorLookup(const ForeignFile& checkpoint) : checkpoint_(checkpoint) {
    const ValueGraph& values = checkpoint.values;
    if (!values.is(checkpoint.root, ValueKind::kDict)) refuse("it is not a dict of tensors");
    const std::vector<ValueId>& items = values[checkpoint.root].items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (!values.is(items[i], ValueKind::kString) || !values.is(items[i + 1], ValueKind::kTensor)) continue;
      tensors_[values[items[i]].text] = items[i + 1];
    }
  }

  // The numbers of the tensor, which is then known.
  [[nodiscard]] std::vector<float> take(const ExportedTensor& expected) {
    const auto found = tensors_.find(expected.name);
    if (found == tensors_.end()) refuse(fmt::format("tensor {} is missing", expected.name));
    const TensorValue& tensor = checkpoint_.values.tensor(found->second);
    tensors_.erase(found);
    if (tensor.shape != expected.shape) {
      refuse(fmt::format("tensor {} has the shape [{}]: expected [{}]", expected.name, fmt::join(tensor.shape, ", "),
                         fmt::join(expected.shape, ", ")));
    }
    return read_matrix(checkpoint_.values, tensor, expected.name).numbers;
  }

  void expect_nothing_else() const {
    if (tensors_.empty()) return;
    refuse(fmt::format("it has tensor {}, which the network that it describes does not have",
                       shown_name(tensors_.begin()->first)));
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::kFormat, fmt::format("'{}': {}", checkpoint_.path, why));
  }

 private:
  const ForeignFile& checkpoint_;
  std::map<std::string, ValueId> tensors_;
};

Parameters restore_parameters(const ForeignFile& checkpoint, const NetworkConfig& config) {
  Parameters parameters(config);
  const std::vector<ExportedTensor> expected = exported_tensors(config, parameters);
  TensorLookup lookup(checkpoint);
  for (const ExportedTensor& tensor : expected) {
    const std::vector<float> numbers = lookup.take(tensor);
    if (config.tied && tensor.name == "decoder.weight") {
      if (std::ranges::equal(numbers, tensor.numbers)) continue;
      lookup.refuse("decoder.weight is not encoder.weight, and the network that the file describes ties them");
    }
    const auto* const target = std::ranges::find(parameters.tensors(), tensor.name, &ParameterTensor::name).base();
    std::ranges::copy(numbers, parameters.values(*target).begin());
  }
  lookup.expect_nothing_else();
  return parameters;
}

}  // namespace

bool has_description(const ForeignFile& checkpoint) noexcept { return !checkpoint.description.empty(); }

Model restore_model(const ForeignFile& checkpoint) {
  const std::string& path = checkpoint.path;
  const std::map<std::string, std::string> metadata =
      metadata_from_description(checkpoint.description, fmt::format("'{}': the description", path));
  const NetworkConfig config = config_from_metadata(metadata, path);
  static_cast<void>(precision_from_metadata(metadata, path));
  const Tokenizer tokenizer = tokenizer_from_metadata(metadata, path);
  ModelUse use = use_from_metadata(metadata, config, tokenizer, path);
  return Model(
      std::make_shared<const Model::Data>(Model::Data{.config = config,
                                                      .tokenizer = tokenizer,
                                                      .training = training_from_metadata(metadata, path),
                                                      .weights = ModelWeights(restore_parameters(checkpoint, config)),
                                                      .use = std::move(use)}));
}

}  // namespace unroll
