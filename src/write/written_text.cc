#include "write/written_text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <utility>

#include "base/philox.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr double kMostBias = 1e6;  // beyond it logits would lose what tells them apart, or overflow

SamplerOptions sampler_options(const GeneratorOptions& options) {
  return {options.temperature, options.top_k, options.top_p, options.min_p};
}

void check_bias(const std::string& field, double value) {
  // Written so that NaN fails too.
  if (!(std::abs(value) <= kMostBias)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`{}` is {}: expected a number from -{} to {}", field, value, kMostBias, kMostBias), field);
  }
}

// A number in [0, 1) for each text and position.
double random_number(std::uint64_t seed, std::uint32_t copy, std::int64_t position) {
  const auto words = random_words(seed, static_cast<std::uint32_t>(position), RandomPurpose::kSampling, copy & 0xFFFFU,
                                  copy >> 16, static_cast<std::uint32_t>(position >> 32));
  return uniform_double(words[0], words[1]);
}

bool has_penalties(const GeneratorOptions& options) {
  return options.presence_penalty != 0 || options.frequency_penalty != 0;
}

std::vector<std::string> all_stops(WritingPlan& plan) {
  std::vector<std::string> stops = std::move(plan.stops);
  stops.push_back(plan.options.stop);
  return stops;
}

}  // namespace

void check(const GeneratorOptions& options, const Tokenizer& tokenizer) {
  check(sampler_options(options));
  for (const LogitBias& bias : options.logit_bias) {
    if (bias.id < 0 || bias.id >= tokenizer.size()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("`logit_bias` names symbol {}, which does not exist: expected 0 to {}", bias.id,
                              tokenizer.size() - 1),
                  "logit_bias");
    }
    check_bias("logit_bias", bias.bias);
  }
  check_bias("presence_penalty", options.presence_penalty);
  check_bias("frequency_penalty", options.frequency_penalty);
}

void check_length(std::int64_t length) {
  if (length >= 0) return;
  throw Error(ErrorCode::kUsage, fmt::format("`length` is {}: expected 0 or above", length), "length");
}

WrittenText::WrittenText(const Tokenizer& tokenizer, WritingPlan plan)
    : tokenizer_(&tokenizer), plan_(std::move(plan)), stream_(all_stops(plan_)) {
  if (plan_.length == 0) finish_ = Finish::kLength;
}

WrittenSymbol WrittenText::write(std::span<float> logits, Sampler& sampler, std::string& out) {
  change(logits);
  const std::int32_t id =
      sampler.sample(sampler_options(plan_.options), logits, random_number(plan_.options.seed, plan_.copy, position_));
  if (plan_.ends_at_boundary && id == tokenizer_->boundary()) {
    stream_.finish(out);
    finish_ = Finish::kEnd;
    return {.id = id, .draw = sampler.last_draw()};
  }
  std::string piece = piece_of(id);
  const bool stopped = stream_.append(piece, out);
  plan_.previous = id;
  if (has_penalties(plan_.options)) ++counts_[id];
  ++position_;
  if (stopped) {
    finish_ = Finish::kStop;
  } else if (position_ == plan_.length) {
    stream_.finish(out);
    finish_ = Finish::kLength;
  }
  return {.id = id, .text = std::move(piece), .draw = sampler.last_draw()};
}

// Adds biases, and subtracts penalties of the symbols so far.
void WrittenText::change(std::span<float> logits) const {
  const auto add = [&](std::int32_t id, double bias) {
    logits[static_cast<std::size_t>(id)] += static_cast<float>(bias);
  };
  for (const LogitBias& bias : plan_.options.logit_bias) add(bias.id, bias.bias);
  for (const auto& [id, count] : counts_) {
    add(id, -(plan_.options.presence_penalty + plan_.options.frequency_penalty * static_cast<double>(count)));
  }
}

std::string WrittenText::piece_of(std::int32_t id) const {
  std::string piece = tokenizer_->written(plan_.previous, id);
  // The prompt ends with the space already.
  const bool is_doubled = position_ == 0 && plan_.prompt_ends_in_space;
  if (is_doubled && piece.size() > 1 && piece.front() == ' ') piece.erase(0, 1);
  return piece;
}

}  // namespace unroll
