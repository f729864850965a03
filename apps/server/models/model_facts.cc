#include "server/models/model_facts.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "json/json_text.h"
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

bool begins_with_letter(std::string_view written) {
  if (written.empty()) return false;
  const char first = written.front();
  return (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || static_cast<unsigned char>(first) >= 0x80;
}

// Texts of one symbol each, words or letters where there are such: what may stand at the beginning of any text.
std::vector<std::string> some_symbols(const Tokenizer& tokenizer) {
  constexpr std::size_t kMost = 8;
  std::vector<std::string> letters;
  std::vector<std::string> others;
  for (std::int32_t id = 0; id < tokenizer.size() && letters.size() < kMost; ++id) {
    if (id == tokenizer.boundary() || id == tokenizer.unknown()) continue;
    std::string written = tokenizer.written(-1, id);
    if (!is_utf8(written)) continue;
    if (begins_with_letter(written)) {
      letters.push_back(std::move(written));
    } else if (others.size() < kMost && !written.empty()) {
      others.push_back(std::move(written));
    }
  }
  return letters.empty() ? others : letters;
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
                               {"begin", begin_policy_name(model.begin_policy())},
                               {"symbols", some_symbols(model.tokenizer())},
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
