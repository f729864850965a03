// Samples of what a network writes while it is trained.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "cli/flags/sample_flags.h"
#include "unroll/model.h"

namespace unroll {

// The prompt, and what `model` writes after it: 200 characters or bytes, or 50 tokens of other kinds, at temperature 1
// from seed 1, so that the same weights write the same. Throws as Generator does.
[[nodiscard]] std::string sample_of(const Model& model, const SampleRequest& request);

// As TrainObserver::on_weights calls it: the sample that is due after `step`; empty if none is. Before the first step
// it only tries the prompt, so that a run does not fail later on.
class TrainingSamples {
 public:
  explicit TrainingSamples(SampleRequest request) : request_(std::move(request)) {}

  [[nodiscard]] std::optional<std::string> after(std::int64_t step, const std::function<Model()>& present);

 private:
  SampleRequest request_;
  bool begun_ = false;
};

}  // namespace unroll
