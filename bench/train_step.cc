// Training steps of one network on random symbols, timed on request: unroll's side of bench/compare.
//
//   train_step CELL V E H L B T THREADS PRECISION
//       prints about, weights, losses and norms, then "ready"; then for each number of seconds on standard input makes
//       steps for at least that long and prints "STEPS SECONDS"; PRECISION is f32 or bf16
//   train_step CELL V E H L B T THREADS PRECISION --write FILE
//       writes the initial weights and the symbols, for the other side
//
// A step is that of TrainingRun::step(): zero the gradient, forward, backward, norm, clip, update, pack.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "network/gradients.h"
#include "network/network.h"
#include "network/parameters.h"
#include "program.h"
#include "random_windows.h"
#include "train/initial_weights.h"
#include "train/optimizer.h"
#include "unroll/version.h"

namespace unroll {
namespace {

// Both sides: bench/train_step_torch.py has the same numbers.
constexpr double kClip = 0.02;  // below the initial norms, so that clipping is compared too
constexpr double kRate = 10;
constexpr UpdateRule kRule{.optimizer = Optimizer::kSgd};
constexpr int kComparedSteps = 3;     // all on the first window, where an update has an effect
constexpr std::int64_t kWindows = 8;  // the timed steps alternate among these

struct Outcome {
  double loss = 0;  // before the update, nats per symbol
  double norm = 0;  // of the gradient before clipping
};

Parameters first_weights(const NetworkConfig& config) {
  Parameters parameters(config);
  set_initial_weights(config, {.seed = 1}, parameters);
  return parameters;
}

class TrainingSteps {
 public:
  explicit TrainingSteps(const Case& c)
      : workers_(c.threads),
        parameters_(first_weights(c.config)),
        gradients_(c.config, c.T * c.B),
        moments_(kRule, c.config),
        weights_(c.config, Purpose::kTraining, c.precision),
        network_(c.config, Purpose::kTraining, c.T, c.B, workers_),
        state_(c.config, c.B),
        windows_(random_windows(c, kWindows)) {
    weights_.pack(parameters_, workers_);
  }

  Outcome step(std::int64_t window_number) {
    const Window& window = windows_[static_cast<std::size_t>(window_number % kWindows)];
    ++steps_;
    gradients_.set_zero(workers_);
    network_.forward(weights_, window, state_);
    const double loss = network_.backward(weights_, window, gradients_);
    const double norm = gradient_norm(workers_, gradients_, Owners(one_rank(), gradients_));
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      throw std::runtime_error(fmt::format("step {}: loss {}, gradient norm {}", steps_, loss, norm));
    }
    const UpdateStep update{.scale = std::min(1.0, kClip / norm), .rate = kRate, .step = steps_};
    update_parameters(workers_, gradients_, Owners(one_rank(), gradients_).mine(), kRule, update,
                      {moments_, parameters_});
    weights_.pack(parameters_, workers_);
    return {loss, norm};
  }

 private:
  Workers workers_;
  Parameters parameters_;
  Gradients gradients_;
  Moments moments_;
  NetworkWeights weights_;
  Network network_;
  NetworkState state_;
  std::vector<Window> windows_;
  std::int64_t steps_ = 0;
};

void introduce(const Case& c, TrainingSteps& steps) {
  std::string about = fmt::format("unroll {}: {}", version(), instruction_set());
  for (const auto& [name, number] : libraries()) {
    if (name == "Highway") about += fmt::format(", {} {}", name, number);
  }
  std::string losses;
  std::string norms;
  for (int i = 0; i < kComparedSteps; ++i) {
    const Outcome outcome = steps.step(0);
    losses += fmt::format(" {}", outcome.loss);
    norms += fmt::format(" {}", outcome.norm);
  }
  std::cout << fmt::format("about {}\nweights {}\nlosses{}\nnorms{}\nready\n", about, multiplied_weights(c.config),
                           losses, norms)
            << std::flush;
}

int run(const std::vector<std::string>& arguments) {
  constexpr std::size_t kWords = 9;
  const bool writes = arguments.size() == kWords + 2 && arguments[kWords] == "--write";
  if (arguments.size() != kWords && !writes) {
    std::cerr << "usage: train_step CELL V E H L B T THREADS PRECISION [--write FILE]\n";
    return 2;
  }
  Case c;
  c.config = sizes_of(arguments, 1);
  c.config.cell = parse_cell(arguments[0]);
  c.B = std::stoll(arguments[5]);
  c.T = std::stoll(arguments[6]);
  c.threads = std::stoi(arguments[7]);
  c.precision = parse_precision(arguments[8]);
  if (writes) {
    write(c, kWindows, first_weights(c.config), arguments.back());
    return 0;
  }
  TrainingSteps steps(c);
  introduce(c, steps);
  constexpr std::int64_t kFewest = 2;
  time_on_request(kFewest, [&](std::int64_t number) { steps.step(number); });
  return 0;
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) { return unroll::run_program("train_step", argc, argv, unroll::run); }
