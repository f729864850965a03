#include "unroll/look/pooled_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "look/unrolled_data.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// What a text's steps give on to the readout, in their order.
class ReadOutputs {
 public:
  ReadOutputs(const UnrolledText::Data& text, std::int64_t number)
      : text_(text), steps_(text.labels.texts.at(static_cast<std::size_t>(number))) {}

  [[nodiscard]] std::int64_t steps() const noexcept { return steps_.steps; }

  [[nodiscard]] std::span<const float> row(std::int64_t i) const {
    const auto D = static_cast<std::size_t>(level_outputs(text_.config()));
    return std::span(text_.outputs).subspan(static_cast<std::size_t>(text_.row(steps_.first + i)) * D, D);
  }

 private:
  const UnrolledText::Data& text_;
  TextOfSteps steps_;
};

std::vector<double> nothing_of(const ReadOutputs& outputs) {
  return std::vector<double>(static_cast<std::size_t>(outputs.steps()));
}

std::vector<double> shares_of_ends(const ReadOutputs& outputs, bool both_directions) {
  std::vector<double> shares = nothing_of(outputs);
  shares.back() += both_directions ? 0.5 : 1;
  shares.front() += both_directions ? 0.5 : 0;
  return shares;
}

std::vector<double> shares_of_maxima(const ReadOutputs& outputs) {
  std::vector<double> shares = nothing_of(outputs);
  const std::size_t D = outputs.row(0).size();
  for (std::size_t j = 0; j < D; ++j) {
    std::int64_t greatest = 0;
    for (std::int64_t i = 1; i < outputs.steps(); ++i) {
      if (outputs.row(i)[j] > outputs.row(greatest)[j]) greatest = i;
    }
    shares[static_cast<std::size_t>(greatest)] += 1 / static_cast<double>(D);
  }
  return shares;
}

std::vector<double> shares_of_attention(const ReadOutputs& outputs, std::span<const float> w) {
  std::vector<double> scores = nothing_of(outputs);
  for (std::int64_t i = 0; i < outputs.steps(); ++i) {
    for (std::size_t j = 0; j < w.size(); ++j) {
      scores[static_cast<std::size_t>(i)] +=
          static_cast<double>(w[j]) * std::tanh(static_cast<double>(outputs.row(i)[j]));
    }
  }
  const double largest = std::ranges::max(scores);
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - largest);
  for (double& score : scores) score /= sum;
  return scores;
}

}  // namespace

std::vector<double> pooled_steps(const UnrolledText& text, std::int64_t text_number) {
  const UnrolledText::Data& data = text.data();
  if (data.labels.texts.empty() || data.config().readout == Readout::kSteps) {
    throw Error(ErrorCode::kUsage, fmt::format("the model's task is {}: expected a classifier, which reads out texts",
                                               task_name(data.model.task().kind)));
  }
  if (text_number < 0 || text_number >= std::ssize(data.labels.texts)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`text` is {}: expected 0 to {}", text_number, data.labels.texts.size() - 1), "text");
  }
  const ReadOutputs outputs(data, text_number);
  const bool both = data.config().bidirectional;
  const auto n = static_cast<double>(outputs.steps());
  switch (data.config().readout) {
    case Readout::kLast:
      return shares_of_ends(outputs, both);
    case Readout::kMax:
      return shares_of_maxima(outputs);
    case Readout::kAttention:
      return shares_of_attention(outputs, data.weights.attention());
    case Readout::kConcat: {
      std::vector<double> shares = shares_of_ends(outputs, both);
      const std::vector<double> maxima = shares_of_maxima(outputs);
      for (std::size_t i = 0; i < shares.size(); ++i) shares[i] = (shares[i] + maxima[i] + 1 / n) / 3;
      return shares;
    }
    case Readout::kMean:
    case Readout::kSteps:
      break;
  }
  return std::vector<double>(static_cast<std::size_t>(outputs.steps()), 1 / n);
}

}  // namespace unroll
