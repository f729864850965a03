#include "train/checkpoint.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/quote.h"
#include "model/model_file.h"
#include "model/tensor_file.h"
#include "train/run_plan.h"
#include "unroll/error.h"
#include "unroll/number_range.h"

namespace unroll {
namespace {

constexpr std::string_view kFormat = "unroll-resume/1";
constexpr std::string_view kPolicyFormat = "unroll-resume/2";  // of a model that needs_policy()

// Calls visit(name, shape, values) for every tensor of a resume file, in the order of the file: what is written and
// what is read cannot drift apart.
template <class Visit>
void for_each_tensor(const TrainTensors& tensors, const TrainPosition& position, const Visit& visit) {
  const auto visit_all = [&](const std::string& prefix, const Parameters& parameters) {
    for (const ParameterTensor& tensor : parameters.tensors()) {
      visit(prefix + tensor.name, tensor.shape, parameters.values(tensor));
    }
  };
  visit_all("current/", tensors.parameters);
  if (position.best_step > 0) visit_all("best/", *tensors.best);
  if (position.average_start >= 0) visit_all("average/", *tensors.average);
  if (tensors.moments.m) visit_all("m/", *tensors.moments.m);
  if (tensors.moments.v) visit_all("v/", *tensors.moments.v);
  if (tensors.state == nullptr) return;
  const NetworkState& state = *tensors.state;
  visit("state/h", std::vector<std::int64_t>{state.h.size() / state.H, state.H}, state.h.span());
  if (state.c.size() > 0)
    visit("state/c", std::vector<std::int64_t>{state.c.size() / state.H, state.H}, state.c.span());
}

constexpr NumberRange kSteps{.least = 0, .most = static_cast<double>(kMostSteps)};
constexpr NumberRange kFromOne{.least = 1, .most = kSteps.most};
constexpr NumberRange kPredictions{.least = 0, .most = 0x1p53};
constexpr NumberRange kNats{.least = -1e300, .most = 1e300};
constexpr NumberRange kDivisor{.least = 1};  // grows without end while validation does not improve
constexpr NumberRange kAmount{.least = 0, .most = 1e300};
constexpr NumberRange kSpeed{.least = 0};  // without end for a step that took no time
constexpr NumberRange kFlag{.least = 0, .most = 1};

// Calls visit(key, number, range) for every number of a position.
template <class Position, class Visit>
void for_each_number(Position& position, const Visit& visit) {
  visit("step", position.step, kSteps);
  visit("tokens", position.tokens, kPredictions);
  visit("nats_since_point", position.nats_since_point, kNats);
  visit("predictions_since_point", position.predictions_since_point, kPredictions);
  visit("lr_divisor", position.lr_divisor, kDivisor);
  visit("best_step", position.best_step, kSteps);
  visit("best_nats", position.best_nats, kNats);
  visit("steps", position.steps, kFromOne);
  visit("save_every", position.save_every, kFromOne);
}

// The same for numbers that are in the file only where weights are averaged.
template <class Position, class Visit>
void for_each_number_of_average(Position& position, const Visit& visit) {
  visit("average_start", position.average_start, kSteps);
  visit("best_is_average", position.best_is_average, kFlag);
}

[[noreturn]] void refuse_file(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kFormat, fmt::format("'{}' is damaged: {}", path, what));
}

// The same for numbers that are in the file only where the last step is yet to be validated.
template <class Step, class Visit>
void for_each_number_of_unvalidated(Step& step, const Visit& visit) {
  visit("unvalidated_nats", step.nats_per_token, kNats);
  visit("unvalidated_lr", step.lr, kAmount);
  visit("unvalidated_grad_norm", step.grad_norm, kAmount);
  visit("unvalidated_tokens_per_s", step.tokens_per_s, kSpeed);
}

template <class Number>
void parse_number(const TensorFile& file, const std::string& key, Number& number, const NumberRange& range) {
  const std::string& text = file.required(key);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    refuse_file(file.path(), fmt::format("its metadata '{}' is {}, not a number", key, quote(text)));
  }
  if (contains(range, static_cast<double>(number))) return;
  refuse_file(file.path(), fmt::format("its metadata '{}' is {}: expected {}", key, quote(text),
                                       describe(range, std::is_integral_v<Number>)));
}

// Throws where numbers contradict each other, each of which is in its range.
void check_position(const TrainPosition& position, const std::string& path) {
  const auto expect_at_most = [&](std::string_view name, std::int64_t number, std::string_view bound_name,
                                  std::int64_t bound) {
    if (number <= bound) return;
    refuse_file(path,
                fmt::format("its metadata '{}' is {}: expected at most {}, its '{}'", name, number, bound, bound_name));
  };
  expect_at_most("step", position.step, "steps", position.steps);
  expect_at_most("predictions_since_point", position.predictions_since_point, "tokens", position.tokens);
  expect_at_most("best_step", position.best_step, "step", position.step);
  expect_at_most("average_start", position.average_start, "step", position.step);
  if (position.step == position.steps && !position.unvalidated) {
    refuse_file(path, fmt::format("its metadata 'step' is {}, the end of its run", position.step));
  }
  expect_at_most("best_is_average", position.best_is_average ? 1 : 0, "best_step", position.best_step);
}

void check_history(const TrainingRecord& record, const TrainPosition& position, const std::string& path) {
  std::int64_t last = 0;
  for (const HistoryPoint& point : record.history) {
    if (point.step <= last || point.step > position.step ||
        !contains(kPredictions, static_cast<double>(point.tokens))) {
      refuse_file(path, fmt::format("its history has a point of step {} and {} tokens after one of step {}: expected "
                                    "rising steps up to {}",
                                    point.step, point.tokens, last, position.step));
    }
    last = point.step;
  }
}

}  // namespace

std::string checkpoint_path(const std::string& model_path) { return model_path + ".resume"; }

bool is_checkpoint(const std::string& path) {
  constexpr std::size_t kBytesOfLength = 8;
  const std::string head = read_head(path, std::size_t{1} << 16);
  return head.size() > kBytesOfLength && head.find(R"({"__metadata__":{)") == kBytesOfLength &&
         head.find(R"("format":"unroll-resume/)") != std::string::npos;
}

void save_checkpoint(const std::string& path, const NetworkConfig& config, const Tokenizer& tokenizer,
                     const TrainingRecord& record, const TrainPosition& position, const TrainTensors& tensors,
                     const ModelUse& use) {
  std::map<std::string, std::string> metadata = model_metadata(config, tokenizer, record, use);
  metadata["format"] = metadata.contains("policy") ? kPolicyFormat : kFormat;
  metadata["length"] = position.length;
  if (!position.instruction_sets.empty()) metadata["instruction_sets"] = position.instruction_sets;
  for_each_number(position, [&](const std::string& key, auto number, const NumberRange&) {
    metadata[key] = fmt::format("{}", number);
  });
  if (position.best_accuracy) metadata["best_accuracy"] = fmt::format("{}", *position.best_accuracy);
  std::vector<TensorToWrite> list;
  if (position.average_start >= 0) {
    for_each_number_of_average(position, [&](const std::string& key, std::int64_t number, const NumberRange&) {
      metadata[key] = fmt::format("{}", number);
    });
  }
  if (position.unvalidated) {
    for_each_number_of_unvalidated(
        *position.unvalidated,
        [&](const std::string& key, double number, const NumberRange&) { metadata[key] = fmt::format("{}", number); });
  }
  for_each_tensor(tensors, position,
                  [&](const std::string& name, const std::vector<std::int64_t>& shape, std::span<const float> values) {
                    list.emplace_back(name, shape, values);
                  });
  write_tensor_file(path, list, metadata);
}

struct Checkpoint::File {
  TensorFile tensors;
  Tokenizer tokenizer;
};

Checkpoint::Checkpoint(const std::string& path) {
  TensorFile tensors(path, {kFormat, kPolicyFormat});
  Tokenizer tokenizer = tokenizer_from_metadata(tensors.metadata(), path);
  file_ = std::make_unique<File>(File{std::move(tensors), std::move(tokenizer)});
  const TensorFile& file = file_->tensors;
  record_ = training_from_metadata(file.metadata(), path);
  position_.length = file.required("length");
  const auto sets = file.metadata().find("instruction_sets");
  if (sets != file.metadata().end()) position_.instruction_sets = sets->second;
  for_each_number(position_, [&](const std::string& key, auto& number, const NumberRange& range) {
    parse_number(file, key, number, range);
  });
  if (file.metadata().contains("best_accuracy")) {
    parse_number(file, "best_accuracy", position_.best_accuracy.emplace(), NumberRange{.least = 0, .most = 1});
  }
  if (file.metadata().contains("unvalidated_nats")) {
    for_each_number_of_unvalidated(position_.unvalidated.emplace(),
                                   [&](const std::string& key, double& number, const NumberRange& range) {
                                     parse_number(file, key, number, range);
                                   });
  }
  if (file.metadata().contains("average_start")) {
    for_each_number_of_average(position_, [&](const std::string& key, auto& value, const NumberRange& range) {
      std::int64_t number = 0;
      parse_number(file, key, number, range);
      value = static_cast<std::remove_reference_t<decltype(value)>>(number);
    });
  }
  check_position(position_, path);
  check_history(record_, position_, path);
}
Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;

const Tokenizer& Checkpoint::tokenizer() const noexcept { return file_->tokenizer; }

void Checkpoint::restore(const TrainTensors& tensors) const {
  const std::string& path = file_->tensors.path();
  if (position_.best_step > 0 && tensors.best == nullptr) {
    refuse_file(path, "it has weights of a validation, and its run has none");
  }
  if (position_.average_start >= 0 && tensors.average == nullptr) {
    refuse_file(path, "it has averaged weights, and its run has none");
  }
  for_each_tensor(tensors, position_,
                  [&](const std::string& name, const std::vector<std::int64_t>& shape, std::span<float> values) {
                    file_->tensors.copy(name, shape, values);
                  });
}

}  // namespace unroll
