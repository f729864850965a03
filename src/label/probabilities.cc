#include "label/probabilities.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace unroll {
namespace {

void set_softmax(std::span<const float> scores, double T, ClassifiedText& text) {
  const double largest = std::ranges::max(scores);
  double sum = 0;
  for (const float score : scores) {
    text.log_probs.push_back((score - largest) / T);
    text.probabilities.push_back(std::exp(text.log_probs.back()));
    sum += text.probabilities.back();
  }
  const double log_sum = std::log(sum);
  for (double& log_prob : text.log_probs) log_prob -= log_sum;
  for (double& probability : text.probabilities) probability /= sum;
}

// ln sigmoid(x)
double log_sigmoid(double x) noexcept { return std::min(x, 0.0) - std::log1p(std::exp(-std::fabs(x))); }

void set_sigmoid(std::span<const float> scores, double T, ClassifiedText& text) {
  for (const float score : scores) {
    const double x = score / T;
    text.log_probs.push_back(log_sigmoid(x));
    text.log_complements.push_back(log_sigmoid(-x));
    text.probabilities.push_back(std::exp(text.log_probs.back()));
  }
}

// ln of the mean of exp(x), of each label.
std::vector<double> log_means(std::span<const ClassifiedText> models, std::vector<double> ClassifiedText::*logs) {
  std::vector<double> means((models.front().*logs).size());
  for (std::size_t k = 0; k < means.size(); ++k) {
    double largest = (models.front().*logs)[k];
    for (const ClassifiedText& model : models) largest = std::max(largest, (model.*logs)[k]);
    double sum = 0;
    for (const ClassifiedText& model : models) sum += std::exp((model.*logs)[k] - largest);
    means[k] = largest + std::log(sum / static_cast<double>(models.size()));
  }
  return means;
}

}  // namespace

ClassifiedText probabilities_of(const Task& task, std::span<const float> scores) {
  ClassifiedText text;
  if (task.multi_label) {
    set_sigmoid(scores, task.temperature, text);
  } else {
    set_softmax(scores, task.temperature, text);
  }
  return text;
}

ClassifiedText mean_of(std::span<const ClassifiedText> models) {
  ClassifiedText mean = models.front();
  if (models.size() == 1) return mean;
  for (const ClassifiedText& model : models.subspan(1)) {
    for (std::size_t k = 0; k < mean.probabilities.size(); ++k) mean.probabilities[k] += model.probabilities[k];
    mean.was_cut = mean.was_cut || model.was_cut;
  }
  for (double& probability : mean.probabilities) probability /= static_cast<double>(models.size());
  mean.log_probs = log_means(models, &ClassifiedText::log_probs);
  mean.log_complements = log_means(models, &ClassifiedText::log_complements);
  return mean;
}

}  // namespace unroll
