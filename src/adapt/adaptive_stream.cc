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

AdaptiveStream::AdaptiveStream(const Model& model, const Adaptation& adaptation, StatePolicy state, Workers& workers,
                               const NgramMixture* mixture)
    : adaptation_(checked(adaptation)),
      input_(model.tokenizer().boundary()),
      workers_(workers),
      network_(model.config(), adaptation.dynamic ? Purpose::kTraining : Purpose::kInference,
               adaptation.dynamic ? adaptation.dynamic->bptt : kSequenceSteps, 1, workers),
      state_(model.config(), 1),
      segment_state_(model.config(), 1) {
  if (adaptation.dynamic) {
    dynamic_.emplace(model, *adaptation.dynamic, workers);
  } else {
    plain_.emplace(packed_weights(model, workers));
  }
  if (state == StatePolicy::kReset) line_start_ = input_;
  if (adaptation.cache) cache_.emplace(*adaptation.cache);
  if (mixture != nullptr) ngram_.emplace(*mixture);
}

void AdaptiveStream::predict(std::span<const std::int32_t> next, Detail detail, std::vector<SymbolPrediction>& out) {
  while (!next.empty()) {
    const auto part = next.first(std::min(next.size(), room()));
    next = next.subspan(part.size());
    if (segment_.empty()) {
      segment_input_ = input_;
      copy_state(state_, segment_state_);
    }
    set_sequence(input_, part, window_, line_start_);
    input_ = part.back();
    network_.forward(weights(), window_, state_);
    if (cache_) cache_->attend(workers_, network_.outputs(), part);
    if (observer_) observer_(network_.outputs());
    out.resize(out.size() + part.size());
    const auto predictions = std::span(out).last(part.size());
    NgramRows* const ngram = ngram_ ? &*ngram_ : nullptr;
    if (cache_takes_part()) {
      if (ngram != nullptr) ngram->read(window_, detail);
      network_.read_logits(weights(), [&](std::int64_t t, std::span<float> logits) {
        predictions[static_cast<std::size_t>(t)] = prediction(t, logits, detail);
      });
    } else {
      predict_window(network_, weights(), window_,
                     {.temperature = adaptation_.temperature, .detail = detail, .ngram = ngram}, predictions);
    }
    if (dynamic_) learn();
  }
}

bool AdaptiveStream::cache_takes_part() const {
  if (!cache_) return false;
  for (std::int64_t t = 0; t < window_.T; ++t) {
    if (cache_->takes_part(t)) return true;
  }
  return false;
}

std::size_t AdaptiveStream::room() const noexcept {
  return dynamic_ ? static_cast<std::size_t>(adaptation_.dynamic->bptt) - segment_.size() : kSequenceSteps;
}

void AdaptiveStream::learn() {
  segment_.insert(segment_.end(), window_.targets.begin(), window_.targets.end());
  if (room() > 0) return;
  // A segment that came in several windows runs once more in one, so that the way back sees all of it.
  if (window_.targets.size() < segment_.size()) {
    set_sequence(segment_input_, segment_, window_, line_start_);
    network_.forward(weights(), window_, segment_state_);
  }
  dynamic_->learn(network_, window_);
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

SymbolPrediction AdaptiveStream::prediction(std::int64_t t, std::span<float> logits, Detail detail) const {
  const std::int32_t target = window_.targets[static_cast<std::size_t>(t)];
  if (adaptation_.temperature != 1) apply_temperature(adaptation_.temperature, logits);
  const bool cached = cache_ && cache_->takes_part(t);
  if (!cached && !ngram_) return unroll::predict(std::span<const float>(logits), target, detail);
  if (detail == Detail::kLogProb) {
    double log_prob = log_softmax_at(logits, target);
    if (cached) log_prob = cache_->mixed(t, log_prob);
    return {.log_prob = ngram_ ? ngram_->mixed(t, log_prob) : log_prob};
  }
  std::vector<double> log_probs(logits.size());
  log_softmax(logits, log_probs);
  if (cached) cache_->mix(t, log_probs);
  return ngram_ ? ngram_->predict(t, log_probs) : unroll::predict(log_probs, target);
}

}  // namespace unroll
