// Training steps of one network on random symbols, timed on request: the side of bench/compare that is unroll.
//
//   train_step CELL V E H L B T THREADS PRECISION
//       prints about, weights, losses and norms, then "ready"; then for each number of seconds on standard input makes
//       steps for at least that long and prints "STEPS SECONDS"; PRECISION is f32 or bf16
//   train_step CELL V E H L B T THREADS PRECISION --write FILE
//       writes the first weights and the symbols, for the other side
//
// A step is what TrainingRun::step() does: zero the gradient, forward, backward, norm, clip, update, pack.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/gradients.h"
#include "model/network.h"
#include "model/parameters.h"
#include "model/tensor_file.h"
#include "train/initial_weights.h"
#include "train/optimizer.h"
#include "unroll/version.h"

namespace unroll {
namespace {

// Both sides: bench/train_step_torch.py has the same numbers.
constexpr double kClip = 0.02;  // below the norms at the start, so that clipping is compared too
constexpr double kRate = 10;
constexpr int kComparedSteps = 3;     // all on the first window: there an update shows
constexpr std::int64_t kWindows = 8;  // the steps that are timed take turns among so many windows

struct Outcome {
  double loss = 0;  // before the update, nats per symbol
  double norm = 0;  // of the gradient before clipping
};

struct Case {
  NetworkConfig config;
  std::int64_t B = 0;
  std::int64_t T = 0;
  int threads = 1;
  Precision precision = Precision::kF32;
};

// kWindows * T + 1 symbols for each of B rows, time-major: window w predicts those from w * T + 1 on.
std::vector<std::int32_t> random_ids(const Case& c) {
  std::mt19937 generator(1);
  std::vector<std::int32_t> ids(static_cast<std::size_t>((kWindows * c.T + 1) * c.B));
  const auto V = static_cast<std::uint64_t>(c.config.vocabulary);
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(generator() % V);
  return ids;
}

Parameters first_weights(const NetworkConfig& config) {
  Parameters parameters(config);
  set_initial_weights(config, Init::kUniform, 1, parameters);
  return parameters;
}

// Symbols are written as floats, which hold them exactly.
void write(const Case& c, const std::string& path) {
  const Parameters parameters = first_weights(c.config);
  const std::vector<std::int32_t> ids = random_ids(c);
  const std::vector<float> id_values(ids.begin(), ids.end());
  std::vector<TensorToWrite> tensors;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    tensors.push_back({tensor.name, tensor.shape, parameters.values(tensor)});
  }
  tensors.push_back({"ids", {kWindows * c.T + 1, c.B}, id_values});
  write_tensor_file(path, tensors, {{"format", "unroll-bench/1"}});
}

class TrainingSteps {
 public:
  explicit TrainingSteps(const Case& c)
      : workers_(c.threads),
        parameters_(first_weights(c.config)),
        gradients_(c.config, c.T * c.B),
        moments_(Optimizer::kSgd, c.config),
        weights_(c.config, Purpose::kTraining, c.precision),
        network_(c.config, Purpose::kTraining, c.T, c.B, workers_),
        state_(c.config, c.B) {
    const std::vector<std::int32_t> ids = random_ids(c);
    for (std::int64_t w = 0; w < kWindows; ++w) {
      const auto first = ids.begin() + w * c.T * c.B;
      windows_.push_back({.T = c.T,
                          .B = c.B,
                          .inputs = {first, first + c.T * c.B},
                          .targets = {first + c.B, first + (c.T + 1) * c.B},
                          .reset = {},
                          .predictions = c.T * c.B});
    }
    weights_.pack(parameters_, workers_);
  }

  Outcome step(std::int64_t window_number) {
    const Window& window = windows_[static_cast<std::size_t>(window_number % kWindows)];
    const DropoutKey no_dropout;
    ++steps_;
    gradients_.set_zero(workers_);
    network_.forward(weights_, window, state_, no_dropout);
    const double loss = network_.backward(weights_, window, no_dropout, gradients_);
    const double norm = gradient_norm(workers_, gradients_);
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      throw std::runtime_error(fmt::format("step {}: loss {}, gradient norm {}", steps_, loss, norm));
    }
    update_parameters(workers_, gradients_, std::min(1.0, kClip / norm), kRate, steps_, moments_, parameters_);
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

void time_on_request(TrainingSteps& steps) {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t kFewest = 2;
  for (std::string line; std::getline(std::cin, line);) {
    const double wanted = std::stod(line);
    const Clock::time_point start = Clock::now();
    std::int64_t made = 0;
    double seconds = 0;
    while (made < kFewest || seconds < wanted) {
      steps.step(made++);
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    std::cout << fmt::format("{} {}\n", made, seconds) << std::flush;
  }
}

int run(const std::vector<std::string>& arguments) {
  constexpr std::size_t kWords = 9;
  const bool writes = arguments.size() == kWords + 2 && arguments[kWords] == "--write";
  if (arguments.size() != kWords && !writes) {
    std::cerr << "usage: train_step CELL V E H L B T THREADS PRECISION [--write FILE]\n";
    return 2;
  }
  Case c;
  c.config.cell = parse_cell(arguments[0]);
  c.config.vocabulary = std::stoll(arguments[1]);
  c.config.embed = std::stoll(arguments[2]);
  c.config.hidden = std::stoll(arguments[3]);
  c.config.layers = std::stoll(arguments[4]);
  c.B = std::stoll(arguments[5]);
  c.T = std::stoll(arguments[6]);
  c.threads = std::stoi(arguments[7]);
  c.precision = parse_precision(arguments[8]);
  if (writes) {
    write(c, arguments.back());
    return 0;
  }
  TrainingSteps steps(c);
  introduce(c, steps);
  time_on_request(steps);
  return 0;
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) {
  try {
    return unroll::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "train_step: " << error.what() << '\n';
    return 1;
  }
}
