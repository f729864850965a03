#include "server/models/model_facts.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "unroll/look/truncation.h"
#include "unroll/look/unrolled_text.h"
#include "unroll/network.h"
#include "unroll/precision.h"
#include "unroll/task.h"

namespace unroll {
namespace {

// The letter of docs/math/rnn.md for what a tensor is.
std::string_view kind_of(std::string_view name) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  if (has("bias")) return "biases";
  if (name.starts_with("rnn.weight_ih")) return "U";
  if (name.starts_with("rnn.weight_hh")) return "W";
  if (name.starts_with("decoder.")) return "V";
  return name == "encoder.weight" ? "embedding" : "other";
}

// How many numbers there are of each kind; together all parameters.
nlohmann::ordered_json numbers_of(const Model& model) {
  nlohmann::ordered_json numbers{{"embedding", 0}, {"U", 0}, {"W", 0}, {"V", 0}, {"biases", 0}, {"other", 0}};
  for (const TensorInfo& tensor : model.tensors()) {
    std::int64_t count = 1;
    for (const std::int64_t length : tensor.shape) count *= length;
    nlohmann::ordered_json& sum = numbers[std::string(kind_of(tensor.name))];
    sum = sum.get<std::int64_t>() + count;
  }
  return numbers;
}

}  // namespace

nlohmann::ordered_json model_facts(const ServedModel& served) {
  const Model& model = served.model;
  const NetworkConfig& net = model.config();
  nlohmann::ordered_json facts{{"task", task_name(model.task().kind)},
                               {"checksum", model.checksum()},
                               {"tokenizer", tokenizer_kind_name(model.tokenizer().kind())},
                               {"vocabulary", model.tokenizer().size()},
                               {"precision", precision_name(model.precision())},
                               {"cell", cell_name(net.cell)},
                               {"layers", net.layers},
                               {"hidden", net.hidden},
                               {"embed", net.embed},
                               {"directions", directions(net)},
                               {"tied", net.tied},
                               {"parameters", parameter_count(net)},
                               {"numbers", numbers_of(model)},
                               {"gates", gate_letters(net.cell)},
                               {"bptt", nullptr},
                               {"labels", model.task().labels},
                               {"readout", nullptr},
                               {"twin", served.is_twin}};
  if (net.outputs > 0) facts["readout"] = readout_name(net.readout);
  if (const std::optional<std::int64_t> length = trained_bptt(model)) facts["bptt"] = *length;
  return {{"id", served.name},
          {"object", "model"},
          {"created", served.created},
          {"owned_by", "unroll"},
          {"unroll", std::move(facts)}};
}

}  // namespace unroll
