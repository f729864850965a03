#include "adapt/adaptive_stream.h"

#include <algorithm>
#include <cstddef>

#include "infer/inference.h"
#include "infer/sequence.h"

namespace unroll {
namespace {

// `adaptation`, checked before memory is taken for it.
const Adaptation& checked(const Adaptation& adaptation) {
  check(adaptation);
  return adaptation;
}

void copy_state(const NetworkState& from, NetworkState& to) {
  std::ranges::copy(from.h.span(), to.h.data());
  std::ranges::copy(from.c.span(), to.c.data());
}

}  // namespace

AdaptiveStream::AdaptiveStream(const Model& model, const Adaptation& adaptation, const Reading& reading,
                               Workers& workers, const NgramMixture* mixture)
    : adaptation_(checked(adaptation)),
      steps_(reading),
      workers_(workers),
      network_(model.config(), adaptation.dynamic ? Purpose::kTraining : Purpose::kInference,
               adaptation.dynamic ? adaptation.dynamic->bptt : kSequenceSteps, 1, workers),
      state_(model.config(), 1),
      segment_steps_(reading),
      segment_state_(model.config(), 1) {
  if (adaptation.dynamic) {
    dynamic_.emplace(model, *adaptation.dynamic, workers);
  } else {
    plain_.emplace(packed_weights(model, workers));
  }
  if (adaptation.cache) cache_.emplace(*adaptation.cache);
  if (mixture != nullptr) ngram_.emplace(*mixture);
}

void AdaptiveStream::predict(std::span<const std::int32_t> next, Detail detail, std::vector<SymbolPrediction>& out) {
  while (!next.empty()) {
    const auto part = next.first(std::min(next.size(), room()));
    next = next.subspan(part.size());
    if (segment_.empty()) {
      segment_steps_ = steps_;
      copy_state(state_, segment_state_);
    }
    set_sequence(steps_, part, window_);
    network_.forward(weights(), window_, state_);
    gather_predicted();
    out.resize(out.size() + part.size());
    const auto predictions = std::span(out).last(part.size());
    NgramRows* const ngram = ngram_ ? &*ngram_ : nullptr;
    if (cache_takes_part()) {
      if (ngram != nullptr) ngram->read(window_, detail);
      network_.read_logits(weights(), [&](std::int64_t t, std::span<float> logits) {
        const std::int64_t seen = predicted_[static_cast<std::size_t>(t)];
        if (seen >= 0) predictions[static_cast<std::size_t>(t)] = prediction(t, seen, logits, detail);
      });
    } else {
      predict_window(network_, weights(), window_,
                     {.temperature = adaptation_.temperature, .detail = detail, .ngram = ngram}, predictions);
    }
    if (dynamic_) {
      segment_.insert(segment_.end(), part.begin(), part.end());
      learn();
    }
  }
}

void AdaptiveStream::gather_predicted() {
  predicted_.clear();
  std::vector<float> rows;
  std::vector<std::int32_t> targets;
  const MatView<const float> h = network_.outputs();
  for (std::int64_t t = 0; t < window_.T; ++t) {
    const std::int32_t target = window_.targets[static_cast<std::size_t>(t)];
    predicted_.push_back(target == kIgnored ? -1 : std::ssize(targets));
    if (target == kIgnored) continue;
    targets.push_back(target);
    if (cache_ || observer_) rows.insert(rows.end(), h.row(t), h.row(t) + h.cols);
  }
  if (rows.empty()) return;
  const MatView<const float> states(rows.data(), std::ssize(targets), h.cols);
  if (cache_) cache_->attend(workers_, states, targets);
  if (observer_) observer_(states);
}

bool AdaptiveStream::cache_takes_part() const {
  return cache_ &&
         std::ranges::any_of(predicted_, [this](std::int64_t seen) { return seen >= 0 && cache_->takes_part(seen); });
}

std::size_t AdaptiveStream::room() const noexcept {
  return dynamic_ ? static_cast<std::size_t>(adaptation_.dynamic->bptt) - segment_.size() : kSequenceSteps;
}

void AdaptiveStream::learn() {
  if (room() > 0) return;
  // A segment that came in several windows runs once more in one, so that the way back sees all of it.
  if (window_.targets.size() < segment_.size()) {
    set_sequence(segment_steps_, segment_, window_);
    network_.forward(weights(), window_, segment_state_);
  }
  if (window_.predictions > 0) dynamic_->learn(network_, window_);
  segment_.clear();
}

std::vector<double> AdaptiveStream::log_probs(std::span<const std::int32_t> next, const EvaluationProgress& progress) {
  std::vector<double> result;
  std::vector<SymbolPrediction> predictions;
  while (result.size() < next.size()) {
    const std::size_t size = std::min<std::size_t>(next.size() - result.size(), kSequenceSteps);
    predictions.clear();
    predict(next.subspan(result.size(), size), Detail::kLogProb, predictions);
    for (const SymbolPrediction& prediction : predictions) result.push_back(prediction.log_prob);
    if (progress) progress(std::ssize(result), std::ssize(next));
  }
  return result;
}

SymbolPrediction AdaptiveStream::prediction(std::int64_t t, std::int64_t seen, std::span<float> logits,
                                            Detail detail) const {
  const std::int32_t target = window_.targets[static_cast<std::size_t>(t)];
  if (adaptation_.temperature != 1) apply_temperature(adaptation_.temperature, logits);
  const bool cached = cache_ && cache_->takes_part(seen);
  if (!cached && !ngram_) return unroll::predict(std::span<const float>(logits), target, detail);
  if (detail == Detail::kLogProb) {
    double log_prob = log_softmax_at(logits, target);
    if (cached) log_prob = cache_->mixed(seen, log_prob);
    return {.log_prob = ngram_ ? ngram_->mixed(t, log_prob) : log_prob};
  }
  std::vector<double> log_probs(logits.size());
  log_softmax(logits, log_probs);
  if (cached) cache_->mix(seen, log_probs);
  return ngram_ ? ngram_->predict(t, log_probs) : unroll::predict(log_probs, target);
}

}  // namespace unroll
