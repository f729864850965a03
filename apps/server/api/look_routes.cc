// What a model computes over a text, and how its gradients flow back: /v1/states and /v1/gradients.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json_text.h"
#include "json/look_json.h"
#include "server/api/api.h"
#include "server/api/unrolled_request.h"
#include "server/api_error.h"
#include "unroll/look/answer_flow.h"
#include "unroll/look/gradient_flow.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostNumbers = 1'000'000;  // of an answer
constexpr std::int64_t kMostLags = 1000;
constexpr std::int64_t kMostPositions = 1000;

// What is asked for of each layer and step.
struct StatesRequest {
  TextToUnroll text;
  std::vector<std::int64_t> layers;
  std::vector<std::string> want;
  std::int64_t top = 0;
};

// Recurrent layers, each direction by itself.
std::int64_t layers_of(const Model& model) { return model.config().layers * directions(model.config()); }

constexpr std::array<std::string_view, 5> kStates{"x", "h", "c", "gates", "sums"};

StatesRequest read_states(RequestFields& fields, const Model& model) {
  StatesRequest request{.text = text_to_unroll(fields), .layers = {}, .want = {}};
  const std::int64_t layers = layers_of(model);
  request.layers = fields.wholes("layers", {.least = 0, .most = static_cast<double>(layers - 1)});
  if (request.layers.empty()) {
    for (std::int64_t l = 0; l < layers; ++l) request.layers.push_back(l);
  }
  request.want = fields.texts("want");
  for (const std::string& name : request.want) {
    if (std::ranges::find(kStates, name) == kStates.end()) refuse_field("want", name, "any of x, h, c, gates, sums");
  }
  if (request.want.empty()) request.want = {"h"};
  request.top = fields.whole("top", 0, 100).value_or(0);
  return request;
}

// The numbers that one thing has at a step; empty where the cell has no such thing.
std::vector<float> numbers_of(const UnrolledText& text, const std::string& name, std::int64_t l, std::int64_t t) {
  const auto copied = [](std::span<const float> view) { return std::vector<float>(view.begin(), view.end()); };
  if (name == "x") return copied(text.x(l, t));
  if (name == "h") return copied(text.h(l, t));
  if (name == "c") return copied(text.c(l, t));
  return name == "gates" ? text.gates(l, t) : text.sums(l, t);
}

nlohmann::ordered_json layer_json(const UnrolledText& text, std::int64_t l, const std::vector<std::string>& want,
                                  const StillWanted& still_wanted) {
  nlohmann::ordered_json layer{{"layer", l}, {"name", layer_name(text.model().config(), l)}};
  for (const std::string& name : want) {
    nlohmann::ordered_json& rows = layer[name] = nlohmann::ordered_json::array();
    for (std::int64_t t = 0; t < text.steps(); ++t) {
      if (t % 64 == 0) still_wanted();
      std::vector<float> numbers = numbers_of(text, name, l, t);
      if (numbers.empty()) break;
      rows.push_back(std::move(numbers));
    }
  }
  return layer;
}

nlohmann::ordered_json steps_json(const UnrolledText& text, std::int64_t top) {
  const Tokenizer& tokenizer = text.model().tokenizer();
  const auto symbol = [&](std::int32_t id) {
    return id < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(tokenizer.symbol(id));
  };
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (std::int64_t t = 0; t < text.steps(); ++t) {
    nlohmann::ordered_json step{
        {"reads", text.input(t) < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(text.reads(t))},
        {"predicts", symbol(text.target(t))}};
    step["log_prob"] = nullptr;
    if (text.target(t) >= 0) step["log_prob"] = text.log_probs()[static_cast<std::size_t>(t)];
    if (top > 0 && text.predicts()) {
      nlohmann::ordered_json& likely = step["top"] = nlohmann::ordered_json::array();
      for (const LikelySymbol& one : text.likely(t, top)) {
        likely.push_back({{"text", tokenizer.symbol(one.id)}, {"log_prob", one.log_prob}, {"logit", one.logit}});
      }
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

// How many numbers a layer has at a step, at most.
std::int64_t width_of(const NetworkConfig& config, const std::string& name) {
  const std::int64_t blocks = std::max<std::int64_t>(1, std::ssize(gate_letters(config.cell)));
  if (name == "gates" || name == "sums") return blocks * config.hidden;
  if (name != "x") return config.hidden;
  return std::max(level_inputs(config, 0), config.layers > 1 ? level_inputs(config, 1) : 0);
}

// In pieces, where predictions have a gradient for each lag.
GradientFlow measured_flow(const UnrolledText& text, const GradientFlowOptions& options,
                           const StillWanted& still_wanted) {
  still_wanted();
  if (!text.predicts()) return answer_flow(text, options).flow;
  GradientFlowRun run(text, options);
  do {
    still_wanted();
  } while (run.step());
  return run.flow();
}

std::string states_body(const std::string& name, const Model& model, const StatesRequest& request,
                        const StillWanted& still_wanted) {
  const UnrolledText text = unrolled(model, request.text);
  std::int64_t numbers = 0;
  for (const std::string& want : request.want) {
    numbers += width_of(model.config(), want) * text.steps() * std::ssize(request.layers);
  }
  if (numbers > kMostNumbers) {
    throw ApiError(400,
                   fmt::format("the answer has {} numbers: this server tells at most {} at once, so ask for fewer "
                               "`layers`, less in `want`, or about a shorter `text`",
                               numbers, kMostNumbers),
                   "text", "too_many_numbers");
  }
  nlohmann::ordered_json body{{"object", "states"},
                              {"model", name},
                              {"gates", gate_letters(model.config().cell)},
                              {"unread_steps", text.unread_steps()},
                              {"steps", steps_json(text, request.top)}};
  nlohmann::ordered_json& layers = body["layers"] = nlohmann::ordered_json::array();
  for (const std::int64_t l : request.layers) layers.push_back(layer_json(text, l, request.want, still_wanted));
  return json_line(body);
}

}  // namespace

void Api::states(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> served = model_of(fields, *call);
  StatesRequest request = read_states(fields, served->model);
  ask(call, *served,
      [name = served->name, model = served->model, request = std::move(request)](const StillWanted& still_wanted) {
        return states_body(name, model, request, still_wanted);
      });
}

void Api::gradients(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> served = model_of(fields, *call);
  TextToUnroll text = text_to_unroll(fields);
  const GradientFlowOptions options{.lags = fields.whole("lags", 1, kMostLags).value_or(100),
                                    .positions = fields.whole("positions", 1, kMostPositions).value_or(64),
                                    .at = fields.whole("at", 0, std::int64_t{1} << 24)};
  ask(call, *served,
      [name = served->name, model = served->model, text = std::move(text), options](const StillWanted& still_wanted) {
        const UnrolledText looked_at = unrolled(model, text);
        const GradientFlow flow = measured_flow(looked_at, options, still_wanted);
        return json_line({{"object", "gradients"},
                          {"model", name},
                          {"predictions", flow.predictions},
                          {"unread_steps", looked_at.unread_steps()},
                          {"lines", flow_json(flow)}});
      });
}

}  // namespace unroll
