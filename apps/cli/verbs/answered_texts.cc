#include "cli/verbs/answered_texts.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>

#include "cli/streams/quantities.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kTextsAtOnce = 1024;
constexpr double kInfiniteNats = std::numeric_limits<double>::infinity();
constexpr double kSilentUntil = 2;  // seconds
constexpr std::size_t kMostUnknownShown = 5;

// Calls take(place, said) for each text. Returns the seconds that it took.
template <class Take>
double for_each_said(Classifier& classifier, const LabelledTexts& texts, Terminal& terminal, const Take& take) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  std::vector<std::string> batch;
  for (std::size_t first = 0; first < texts.texts.size(); first += batch.size()) {
    const std::size_t count = std::min(kTextsAtOnce, texts.texts.size() - first);
    batch.clear();
    for (std::size_t i = first; i < first + count; ++i) batch.push_back(texts.texts[i].text);
    std::vector<ClassifiedText> said =
        classifier.classify(batch, [&](std::size_t i) { return texts.place(first + i); });
    for (std::size_t i = 0; i < count; ++i) take(first + i, said[i]);
    if (seconds() > kSilentUntil && terminal.live_due()) {
      terminal.live(fmt::format("classifying  {}%  {} left", 100 * (first + count) / texts.texts.size(),
                                people_seconds(seconds() / static_cast<double>(first + count) *
                                               static_cast<double>(texts.texts.size() - first - count))));
    }
  }
  terminal.keep_live();
  return seconds();
}

std::string unknown_note(const LabelledTexts& texts, std::size_t known) {
  const auto is_unknown = [&](std::int32_t label) { return static_cast<std::size_t>(label) >= known; };
  std::int64_t count = 0;
  for (const LabelledText& text : texts.texts) count += std::ranges::any_of(text.labels, is_unknown) ? 1 : 0;
  std::string names;
  for (std::size_t i = known; i < std::min(texts.labels.size(), known + kMostUnknownShown); ++i) {
    names += (names.empty() ? "" : ", ") + fmt::format("\"{}\"", texts.labels[i]);
  }
  if (texts.labels.size() > known + kMostUnknownShown) {
    names += fmt::format(" and {} more", texts.labels.size() - known - kMostUnknownShown);
  }
  return fmt::format("labels that no model knows: {}; {}", names,
                     count == 1 ? "1 text has one, and is never right"
                                : fmt::format("{} texts have one, and are never right", grouped(count)));
}

}  // namespace

AnswerTaker::AnswerTaker(const Classifier& classifier, const LabelledTexts& texts) : classifier_(classifier) {
  std::unordered_map<std::string, std::int32_t> places;
  for (const std::string& label : texts.labels) places.emplace(label, static_cast<std::int32_t>(places.size()));
  rank_of_.assign(texts.labels.size(), -1);
  for (const std::string& label : classifier.labels()) {
    rank_of_[static_cast<std::size_t>(places.at(label))] = static_cast<std::int32_t>(place_of_.size());
    place_of_.push_back(places.at(label));
  }
}

AnsweredText AnswerTaker::take(const LabelledText& text, const ClassifiedText& said) const {
  AnsweredText answered{.was_cut = said.was_cut};
  for (const std::int32_t rank : classifier_.answers(said)) {
    answered.answers.push_back(place_of_[static_cast<std::size_t>(rank)]);
  }
  if (classifier_.multi_label()) {
    take_each_label(text, said, answered);
  } else {
    take_one_label(text, said, answered);
  }
  return answered;
}

void AnswerTaker::take_one_label(const LabelledText& text, const ClassifiedText& said, AnsweredText& answered) const {
  const std::int32_t right = text.labels.front();
  const std::int32_t rank = rank_of_[static_cast<std::size_t>(right)];
  answered.nats = rank < 0 ? kInfiniteNats : -said.log_probs[static_cast<std::size_t>(rank)];
  answered.confidences.push_back({.probability = std::min(1.0, std::ranges::max(said.probabilities)),
                                  .is_right = std::ranges::find(answered.answers, right) != answered.answers.end()});
}

void AnswerTaker::take_each_label(const LabelledText& text, const ClassifiedText& said, AnsweredText& answered) const {
  double nats = 0;
  for (const std::int32_t label : text.labels) {
    if (rank_of_[static_cast<std::size_t>(label)] < 0) nats = kInfiniteNats;
  }
  for (std::size_t k = 0; k < place_of_.size(); ++k) {
    const bool has = std::ranges::find(text.labels, place_of_[k]) != text.labels.end();
    nats -= has ? said.log_probs[k] : said.log_complements[k];
    answered.confidences.push_back({.probability = said.probabilities[k], .is_right = has});
  }
  answered.nats = nats;
}

void AnswerSums::add(AnsweredText text) {
  cut_ += text.was_cut ? 1 : 0;
  nats_.push_back(text.nats);
  for (const Confidence& confidence : text.confidences) error_.add(confidence);
  answers_.push_back(std::move(text.answers));
}

AnsweredTexts AnswerSums::finish() const {
  return {
      .answers = answers_, .nats = mean_nats(nats_), .calibration_error = error_.value(), .cut = cut_, .seconds = 0};
}

LabelledTexts texts_for(const Classifier& classifier, LabelledTextOptions options) {
  if (options.multi_label && !classifier.multi_label()) {
    throw Error(ErrorCode::kUsage, "--multi-label: the model gives each text one label");
  }
  options.multi_label = classifier.multi_label();
  LabelledTexts texts = read_labelled_texts(options);
  renumber_labels(texts, classifier.labels());
  return texts;
}

LabelSets right_labels(const LabelledTexts& texts) {
  LabelSets sets;
  for (const LabelledText& text : texts.texts) sets.push_back(text.labels);
  return sets;
}

AnsweredTexts answer_texts(Classifier& classifier, const LabelledTexts& texts, Terminal& terminal) {
  const AnswerTaker taker(classifier, texts);
  AnswerSums sums;
  const double seconds = for_each_said(classifier, texts, terminal, [&](std::size_t i, const ClassifiedText& said) {
    sums.add(taker.take(texts.texts[i], said));
  });
  AnsweredTexts answered = sums.finish();
  answered.seconds = seconds;
  return answered;
}

std::vector<AnsweredText> answer_part(Classifier& classifier, const LabelledTexts& texts,
                                      std::span<const LabelledText> part,
                                      const std::function<std::string(std::size_t)>& names) {
  const AnswerTaker taker(classifier, texts);
  std::vector<std::string> batch;
  for (const LabelledText& text : part) batch.push_back(text.text);
  const std::vector<ClassifiedText> said = classifier.classify(batch, names);
  std::vector<AnsweredText> answered;
  for (std::size_t i = 0; i < part.size(); ++i) answered.push_back(taker.take(part[i], said[i]));
  return answered;
}

std::vector<ClassifiedText> classify_texts(Classifier& classifier, const LabelledTexts& texts, Terminal& terminal) {
  std::vector<ClassifiedText> all;
  for_each_said(classifier, texts, terminal,
                [&](std::size_t, ClassifiedText& said) { all.push_back(std::move(said)); });
  return all;
}

std::vector<std::int32_t> single_labels(const LabelSets& sets) {
  std::vector<std::int32_t> labels;
  for (const std::vector<std::int32_t>& set : sets) labels.push_back(set.front());
  return labels;
}

std::string names_in(const std::vector<std::int32_t>& set, const std::vector<std::string>& names) {
  std::string list;
  for (const std::int32_t label : set) list += (list.empty() ? "" : ",") + names[static_cast<std::size_t>(label)];
  return list.empty() ? "-" : list;
}

std::vector<std::string> notes_on_texts(const LabelledTexts& texts, std::size_t known, std::int64_t cut) {
  std::vector<std::string> notes;
  if (texts.labels.size() > known) notes.push_back(unknown_note(texts, known));
  if (cut > 0) {
    notes.push_back(fmt::format("{} text{} longer than 4,096 tokens, of which the first were read", grouped(cut),
                                cut == 1 ? " is" : "s are"));
  }
  return notes;
}

}  // namespace unroll
