#include "train/checkpoint.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <type_traits>
#include <vector>

#include "base/file.h"
#include "model/model_file.h"
#include "model/tensor_file.h"
#include "unroll/error.h"

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
  const NetworkState& state = tensors.state;
  visit("state/h", std::vector<std::int64_t>{state.h.size() / state.H, state.H}, state.h.span());
  if (state.c.size() > 0)
    visit("state/c", std::vector<std::int64_t>{state.c.size() / state.H, state.H}, state.c.span());
}

// Calls visit(key, number) for every number of a position.
template <class Position, class Visit>
void for_each_number(Position& position, const Visit& visit) {
  visit("step", position.step);
  visit("tokens", position.tokens);
  visit("nats_since_point", position.nats_since_point);
  visit("predictions_since_point", position.predictions_since_point);
  visit("lr_divisor", position.lr_divisor);
  visit("best_step", position.best_step);
  visit("best_nats", position.best_nats);
  visit("steps", position.steps);
  visit("save_every", position.save_every);
}

// The same for numbers that are in the file only where weights are averaged.
template <class Position, class Visit>
void for_each_number_of_average(Position& position, const Visit& visit) {
  visit("average_start", position.average_start);
  visit("best_is_average", position.best_is_average);
}

// The same for numbers that are in the file only where the last step is yet to be validated.
template <class Step, class Visit>
void for_each_number_of_unvalidated(Step& step, const Visit& visit) {
  visit("unvalidated_nats", step.nats_per_token);
  visit("unvalidated_lr", step.lr);
  visit("unvalidated_grad_norm", step.grad_norm);
  visit("unvalidated_tokens_per_s", step.tokens_per_s);
}

template <class Number>
void parse_number(const TensorFile& file, const std::string& key, Number& number) {
  const std::string& text = file.required(key);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorCode::kFormat,
                fmt::format("'{}' is damaged: its metadata '{}' is '{}', not a number", file.path(), key, text));
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
                     BeginPolicy begin) {
  std::map<std::string, std::string> metadata = model_metadata(config, tokenizer, record, begin);
  metadata["format"] = needs_policy(tokenizer, begin) ? kPolicyFormat : kFormat;
  metadata["length"] = position.length;
  for_each_number(position, [&](const std::string& key, auto number) { metadata[key] = fmt::format("{}", number); });
  std::vector<TensorToWrite> list;
  if (position.average_start >= 0) {
    for_each_number_of_average(
        position, [&](const std::string& key, std::int64_t number) { metadata[key] = fmt::format("{}", number); });
  }
  if (position.unvalidated) {
    for_each_number_of_unvalidated(*position.unvalidated, [&](const std::string& key, double number) {
      metadata[key] = fmt::format("{}", number);
    });
  }
  for_each_tensor(tensors, position,
                  [&](const std::string& name, const std::vector<std::int64_t>& shape, std::span<const float> values) {
                    list.emplace_back(name, shape, values);
                  });
  write_tensor_file(path, list, metadata);
}

struct Checkpoint::File {
  TensorFile tensors;
};

Checkpoint::Checkpoint(const std::string& path)
    : file_(std::make_unique<File>(File{TensorFile(path, {kFormat, kPolicyFormat})})) {
  const TensorFile& file = file_->tensors;
  record_ = training_from_metadata(file.metadata(), path);
  position_.length = file.required("length");
  for_each_number(position_, [&](const std::string& key, auto& number) { parse_number(file, key, number); });
  if (file.metadata().contains("unvalidated_nats")) {
    for_each_number_of_unvalidated(position_.unvalidated.emplace(),
                                   [&](const std::string& key, double& number) { parse_number(file, key, number); });
  }
  if (!file.metadata().contains("average_start")) return;
  for_each_number_of_average(position_, [&](const std::string& key, auto& value) {
    std::int64_t number = 0;
    parse_number(file, key, number);
    value = static_cast<std::remove_reference_t<decltype(value)>>(number);
  });
}
Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;

void Checkpoint::restore(const TrainTensors& tensors) const {
  for_each_tensor(tensors, position_,
                  [&](const std::string& name, const std::vector<std::int64_t>& shape, std::span<float> values) {
                    file_->tensors.copy(name, shape, values);
                  });
}

}  // namespace unroll
