// Inference steps of one network, timed on request: unroll's side of the sections `scoring` and `one_token`.
//
//   infer_step V E H L B T THREADS PRECISION
//       prints about, weights and log_probs (of the targets of the first windows, nats), then "ready"; then for each
//       number of seconds on standard input makes steps for at least that long and prints "STEPS SECONDS"
//   infer_step V E H L B T THREADS PRECISION --write FILE
//       writes the weights and the symbols, for the other side
//
// The network is an LSTM. A step runs one window of T steps by B rows, random symbols, from the state that the window
// before it left, and computes the log-probability of each target; with T = B = 1, as in writing text, all logits of
// the one symbol instead.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "network/network.h"
#include "network/parameters.h"
#include "program.h"
#include "random_windows.h"
#include "unroll/version.h"

namespace unroll {
namespace {

constexpr std::int64_t kWindows = 16;  // steps alternate among these; the other side reads them from the file
constexpr int kComparedNumbers = 4000;

// Uniform in +-2/sqrt(H), biases too: every part of the network affects the outputs that are compared.
Parameters random_parameters(const NetworkConfig& config) {
  Parameters parameters(config);
  std::mt19937 generator(2);
  const float bound = 2 / std::sqrt(static_cast<float>(config.hidden));
  for (const ParameterTensor& tensor : parameters.tensors()) {
    for (float& value : parameters.values(tensor)) {
      value = bound * (static_cast<float>(generator() >> 8U) * 0x1p-23F - 1);
    }
  }
  return parameters;
}

double log_probability(const std::vector<float>& logits, std::int32_t target) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  return logits[static_cast<std::size_t>(target)] - largest - std::log(sum);
}

class InferenceSteps {
 public:
  explicit InferenceSteps(const Case& c)
      : workers_(c.threads),
        parameters_(random_parameters(c.config)),
        weights_(c.config, Purpose::kInference, c.precision),
        network_(c.config, Purpose::kInference, c.T, c.B, workers_),
        state_(c.config, c.B),
        windows_(random_windows(c, kWindows)),
        logits_(static_cast<std::size_t>(c.config.vocabulary)),
        is_one_symbol_(c.T * c.B == 1) {
    weights_.pack(parameters_, workers_);
  }

  void step(std::int64_t number) {
    const Window& window = window_of(number);
    network_.forward(weights_, window, state_);
    if (is_one_symbol_) {
      network_.logits(weights_, 0, logits_);
    } else {
      log_probs_ = network_.log_probs(weights_, window);
    }
  }

  // A step, and the log-probabilities of its targets appended to `out`.
  void step_to_compare(std::int64_t number, std::string& out) {
    step(number);
    if (is_one_symbol_) {
      out += fmt::format(" {}", log_probability(logits_, window_of(number).targets[0]));
    } else {
      for (const double log_prob : log_probs_) out += fmt::format(" {}", log_prob);
    }
  }

 private:
  const Window& window_of(std::int64_t number) { return windows_[static_cast<std::size_t>(number % kWindows)]; }

  Workers workers_;
  Parameters parameters_;
  NetworkWeights weights_;
  Network network_;
  NetworkState state_;
  std::vector<Window> windows_;
  std::vector<float> logits_;
  std::span<const double> log_probs_;
  bool is_one_symbol_;
};

void introduce(const Case& c, InferenceSteps& steps) {
  const std::int64_t compared = std::clamp<std::int64_t>(kComparedNumbers / (c.T * c.B), 2, kWindows);
  std::string log_probs;
  for (std::int64_t number = 0; number < compared; ++number) steps.step_to_compare(number, log_probs);
  std::cout << fmt::format("about unroll {}: {}\nweights {}\nlog_probs{}\nready\n", version(), instruction_set(),
                           multiplied_weights(c.config), log_probs)
            << std::flush;
}

int run(const std::vector<std::string>& arguments) {
  constexpr std::size_t kWords = 8;
  const bool writes = arguments.size() == kWords + 2 && arguments[kWords] == "--write";
  if (arguments.size() != kWords && !writes) {
    std::cerr << "usage: infer_step V E H L B T THREADS PRECISION [--write FILE]\n";
    return 2;
  }
  Case c;
  c.config = sizes_of(arguments, 0);
  c.config.cell = Cell::kLstm;
  c.B = std::stoll(arguments[4]);
  c.T = std::stoll(arguments[5]);
  c.threads = std::stoi(arguments[6]);
  c.precision = parse_precision(arguments[7]);
  if (writes) {
    write(c, kWindows, random_parameters(c.config), arguments.back());
    return 0;
  }
  InferenceSteps steps(c);
  introduce(c, steps);
  time_on_request(0, [&](std::int64_t number) { steps.step(number); });
  return 0;
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) { return unroll::run_program("infer_step", argc, argv, unroll::run); }
