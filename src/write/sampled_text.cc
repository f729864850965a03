#include "write/sampled_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/philox.h"
#include "infer/inference.h"
#include "unroll/error.h"
#include "write/sampler.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostRows = 64;
constexpr std::int64_t kTokensOfRow = 1024;  // at least, where there are several

double random_number(std::uint64_t seed, std::int64_t row, std::int64_t position) {
  const auto words = random_words(seed, static_cast<std::uint32_t>(position), RandomPurpose::kSampledText, 0,
                                  static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(position >> 32));
  return uniform_double(words[0], words[1]);
}

}  // namespace

std::vector<std::int32_t> sampled_text(const Model& model, std::int64_t tokens, std::uint64_t seed, Workers& workers,
                                       const EvaluationProgress& progress) {
  const NetworkConfig& config = model.config();
  const std::int32_t boundary = model.tokenizer().boundary();
  const std::int64_t B = std::clamp<std::int64_t>(tokens / kTokensOfRow, 1, kMostRows);
  const bool resets = model.trained_state_policy() == StatePolicy::kReset;
  const NetworkWeights weights = packed_weights(model, workers);
  Network network(config, Purpose::kInference, 1, B, workers);
  NetworkState state(config, B);
  std::vector<Sampler> samplers(static_cast<std::size_t>(B), Sampler(config.vocabulary, -1));
  std::vector<std::vector<std::int32_t>> rows(static_cast<std::size_t>(B));
  std::vector<std::int32_t> last(static_cast<std::size_t>(B), boundary);
  Window window;
  const std::int64_t steps = (tokens + B - 1) / B;
  for (std::int64_t step = 0; step < steps; ++step) {
    make_window(1, B, window, [&](std::int64_t row, std::int64_t) {
      const std::int32_t input = last[static_cast<std::size_t>(row)];
      return WindowStep{.input = input, .reset = resets && input == boundary};
    });
    network.forward(weights, window, state);
    network.read_logits(weights, [&](std::int64_t row, std::span<float> logits) {
      const auto r = static_cast<std::size_t>(row);
      last[r] = samplers[r].sample({}, logits, random_number(seed, row, step));
      rows[r].push_back(last[r]);
    });
    if (progress) progress(B * (step + 1), B * steps);
  }
  std::vector<std::int32_t> text;
  for (const std::vector<std::int32_t>& row : rows) {
    const auto end = std::find(row.rbegin(), row.rend(), boundary).base();
    text.insert(text.end(), row.begin(), end);
  }
  if (text.empty()) {
    throw Error(ErrorCode::kInput,
                fmt::format("no line ends among the {} tokens that the network wrote: let it write more", tokens));
  }
  return text;
}

}  // namespace unroll
