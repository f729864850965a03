#include "unroll/probe/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/philox.h"
#include "base/workers.h"
#include "data/hold_out.h"
#include "probe/fitted_probe.h"
#include "unroll/error.h"
#include "unroll/fnv1a.h"
#include "unroll/probe/text_states.h"

namespace unroll {
namespace {

enum Part : std::uint8_t { kTrain, kChoose, kTest };

// The items that are probed, texts or words, in the order of their rows: those of each part together.
struct ProbedItems {
  std::array<std::int64_t, 3> counts{};
  std::vector<std::int32_t> labels = {};  // places; from `known` on: training lacks them
  std::vector<std::uint64_t> types = {};  // equal for equal items

  void add(Part part, std::int32_t label, std::uint64_t type) {
    ++counts[part];
    labels.push_back(label);
    types.push_back(type);
  }
  [[nodiscard]] RowParts parts() const { return {counts[kTrain], counts[kChoose], counts[kTest]}; }
  [[nodiscard]] std::span<const std::int32_t> train_labels() const {
    return std::span(labels).first(static_cast<std::size_t>(counts[kTrain]));
  }
  [[nodiscard]] std::span<const std::int32_t> test_labels() const {
    return std::span(labels).last(static_cast<std::size_t>(counts[kTest]));
  }
};

void check(const ProbeOptions& options) {
  if (!(options.valid_split > 0 && options.valid_split < 1)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`valid_split` is {}: expected a number above 0 and below 1", options.valid_split),
                "valid_split");
  }
  if (options.readout == Readout::kSteps || options.readout == Readout::kAttention) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`readout` is {}: expected last, mean, max or concat, which texts of every layer have",
                            readout_name(options.readout)),
                "readout");
  }
}

LabelledTexts some_of(const LabelledTexts& texts, const std::vector<std::size_t>& places) {
  LabelledTexts some{.texts = {}, .labels = texts.labels, .files = texts.files, .multi_label = texts.multi_label};
  for (const std::size_t place : places) some.texts.push_back(texts.texts[place]);
  return some;
}

TaggedTexts some_of(const TaggedTexts& texts, const std::vector<std::size_t>& places) {
  TaggedTexts some{.sentences = {}, .tags = texts.tags, .files = texts.files, .columns = texts.columns};
  for (const std::size_t place : places) some.sentences.push_back(texts.sentences[place]);
  return some;
}

// Texts of each part.
template <class Texts>
std::array<Texts, 3> parts_of(const Texts& texts, const Texts* test, const ProbeOptions& options) {
  std::array<Texts, 3> parts;
  const Texts* rest = &texts;
  Texts without_test;
  if (test == nullptr) {
    const TextSplit split = hold_out(texts, options.valid_split, options.seed);
    parts[kTest] = some_of(texts, split.valid);
    without_test = some_of(texts, split.train);
    rest = &without_test;
  } else {
    parts[kTest] = *test;
  }
  const TextSplit split = hold_out(*rest, options.valid_split, options.seed);
  parts[kChoose] = some_of(*rest, split.valid);
  parts[kTrain] = some_of(*rest, split.train);
  return parts;
}

// The layer of its random numbers, next to those of which texts are held out.
constexpr std::uint32_t kControl = 1;

// Labels that mean nothing: each type has one, drawn by its hash as often as labels occur in training.
std::vector<std::int32_t> control_labels(const ProbedItems& items, std::int64_t K, std::uint64_t seed) {
  std::vector<std::int64_t> up_to(static_cast<std::size_t>(K));
  for (const std::int32_t label : items.train_labels()) ++up_to[static_cast<std::size_t>(label)];
  for (std::size_t k = 1; k < up_to.size(); ++k) up_to[k] += up_to[k - 1];
  std::vector<std::int32_t> labels;
  labels.reserve(items.types.size());
  for (const std::uint64_t type : items.types) {
    const auto words = random_words(seed, static_cast<std::uint32_t>(type >> 32), RandomPurpose::kHoldOut, kControl,
                                    static_cast<std::uint32_t>(type), 0);
    const double drawn = uniform_double(words[0], words[1]) * static_cast<double>(up_to.back());
    const auto found =
        std::ranges::upper_bound(up_to, drawn, {}, [](std::int64_t n) { return static_cast<double>(n); });
    labels.push_back(static_cast<std::int32_t>(found - up_to.begin()));
  }
  return labels;
}

Proportion right_of(std::span<const std::int32_t> answers, std::span<const std::int32_t> labels) {
  Proportion right;
  for (std::size_t i = 0; i < labels.size(); ++i) right.count(answers[i] == labels[i]);
  return right;
}

// Probes of one set of items.
class Prober {
 public:
  // `known` labels occur where training may; the report's others are never right.
  Prober(ProbedItems items, std::vector<std::string> labels, std::int64_t known, const ProbeOptions& options)
      : items_(std::move(items)), known_(known), options_(options), workers_(options.threads) {
    report_.labels = std::move(labels);
    report_.train = items_.counts[kTrain];
    report_.chosen_on = items_.counts[kChoose];
    report_.test = items_.counts[kTest];
    expect_rows();
    take_majority();
    for (std::int32_t& label : items_.labels) {
      if (label >= known_) label = -1;
    }
    report_.unknown = std::ranges::count(items_.test_labels(), -1);
    if (options.control) control_ = control_labels(items_, known_, options.seed);
  }

  // Probes a layer whose rows are those of the items, and which are changed.
  void probe(std::int64_t layer, MatView<float> rows) {
    standardize(items_.counts[kTrain], rows);
    const FittedProbe fitted = fit_probe(workers_, rows, items_.labels, known_, items_.parts());
    LayerProbe found;
    found.layer = layer;
    found.columns = rows.cols;
    found.l2 = fitted.l2;
    found.accuracy = right_of(fitted.answers, items_.test_labels());
    found.nats = fitted.test_nats / static_cast<double>(std::max<std::int64_t>(1, report_.test - report_.unknown));
    found.train_loss = fitted.train_loss;
    found.converged = fitted.converged;
    if (!control_.empty()) {
      const FittedProbe control = fit_probe(workers_, rows, control_, known_, items_.parts());
      found.control = right_of(control.answers, std::span(control_).last(control.answers.size()));
    }
    report_.layers.push_back(found);
  }

  [[nodiscard]] std::int64_t rows() const noexcept { return std::ssize(items_.labels); }
  [[nodiscard]] ProbeReport& report() noexcept { return report_; }

 private:
  void expect_rows() const {
    if (report_.train > 0 && report_.chosen_on > 0 && report_.test > 0) return;
    throw Error(ErrorCode::kInput,
                fmt::format("{} rows to fit, {} to choose the strength of L2 and {} to test on are too few: give more",
                            report_.train, report_.chosen_on, report_.test));
  }

  void take_majority() {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(known_));
    for (const std::int32_t label : items_.train_labels()) ++counts[static_cast<std::size_t>(label)];
    const auto most = static_cast<std::int32_t>(std::ranges::max_element(counts) - counts.begin());
    report_.majority = report_.labels.at(static_cast<std::size_t>(most));
    for (const std::int32_t label : items_.test_labels()) report_.majority_accuracy.count(label == most);
  }

  ProbedItems items_;
  std::int64_t known_;
  const ProbeOptions& options_;
  Workers workers_;
  std::vector<std::int32_t> control_;
  ProbeReport report_;
};

// Reads the rows of texts, or of sentences, layer by layer. `rows_before`: of each text.
template <class Text>
ProbeReport probe_layers(const Model& model, const std::vector<Text>& texts,
                         const std::vector<std::int64_t>& rows_before, const TextNames& names, bool per_text,
                         Prober& prober, const ProbeOptions& options) {
  const std::int64_t layers = model.config().layers + 1;
  std::vector<float> values;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    if (options.progress) options.progress(layer, layers);
    TextStatesOptions asked{.layer = layer, .per_text = per_text, .label = options.label, .threads = options.threads};
    if (per_text) asked.readout = options.readout;
    TextStates states(model, asked);
    values.resize(static_cast<std::size_t>(prober.rows() * states.columns()));
    const MatView<float> rows(values.data(), prober.rows(), states.columns());
    states.read(std::span(texts), names, [&](const StateRow& row) {
      std::ranges::copy(row.values, rows.row(rows_before[row.text] + row.symbol));
    });
    prober.report().cut_texts = states.cut_texts();
    prober.probe(layer, rows);
  }
  return std::move(prober.report());
}

}  // namespace

ProbeReport probe_texts(const Model& model, const LabelledTexts& texts, const LabelledTexts* test,
                        const ProbeOptions& options) {
  check(options);
  expect_trainable(texts);
  if (texts.multi_label) {
    throw Error(ErrorCode::kInput, "a probe answers with one label: the texts may have several");
  }
  std::optional<LabelledTexts> renumbered;
  if (test != nullptr) {
    renumbered = *test;
    renumber_labels(*renumbered, texts.labels);
  }
  const std::array<LabelledTexts, 3> parts = parts_of(texts, renumbered ? &*renumbered : nullptr, options);
  ProbedItems items;
  std::vector<std::string> all;
  std::vector<std::string> places;
  std::vector<std::int64_t> rows_before;
  for (const Part part : {kTrain, kChoose, kTest}) {
    for (std::size_t i = 0; i < parts[part].texts.size(); ++i) {
      const LabelledText& text = parts[part].texts[i];
      items.add(part, text.labels.front(), fnv1a(text.text));
      rows_before.push_back(std::ssize(all));
      all.push_back(text.text);
      places.push_back(parts[part].place(i));
    }
  }
  Prober prober(std::move(items), renumbered ? renumbered->labels : texts.labels, std::ssize(texts.labels), options);
  return probe_layers(
      model, all, rows_before, [&](std::size_t i) { return places[i]; }, true, prober, options);
}

ProbeReport probe_words(const Model& model, const TaggedTexts& texts, const TaggedTexts* test,
                        const ProbeOptions& options) {
  check(options);
  expect_trainable(texts);
  std::optional<TaggedTexts> renumbered;
  if (test != nullptr) {
    renumbered = *test;
    renumber_tags(*renumbered, texts.tags);
  }
  const std::array<TaggedTexts, 3> parts = parts_of(texts, renumbered ? &*renumbered : nullptr, options);
  ProbedItems items;
  std::vector<std::vector<std::string>> all;
  std::vector<std::string> places;
  std::vector<std::int64_t> rows_before;
  for (const Part part : {kTrain, kChoose, kTest}) {
    for (std::size_t i = 0; i < parts[part].sentences.size(); ++i) {
      const TaggedSentence& sentence = parts[part].sentences[i];
      rows_before.push_back(std::ssize(items.labels));
      for (std::size_t w = 0; w < sentence.words.size(); ++w) {
        items.add(part, sentence.tags[w], fnv1a(sentence.words[w]));
      }
      all.push_back(sentence.words);
      places.push_back(parts[part].place(i));
    }
  }
  Prober prober(std::move(items), renumbered ? renumbered->tags : texts.tags, std::ssize(texts.tags), options);
  return probe_layers(
      model, all, rows_before, [&](std::size_t i) { return places[i]; }, false, prober, options);
}

ProbeReport probe_rows(const FloatMatrix& rows, const std::vector<std::string>& labels, const ProbeOptions& options) {
  check(options);
  if (std::ssize(labels) != rows.rows) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} labels for {} rows: expected one for each", labels.size(), rows.rows));
  }
  std::map<std::string, std::int32_t> numbers;
  for (const std::string& label : labels) numbers.emplace(label, 0);
  LabelledTexts texts{.texts = {}, .labels = {}, .files = {"labels"}};
  for (auto& [label, number] : numbers) {
    number = static_cast<std::int32_t>(texts.labels.size());
    texts.labels.push_back(label);
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    texts.texts.push_back({.text = fmt::format("{}", i), .labels = {numbers.at(labels[i])}});
  }
  expect_trainable(texts);
  const TextSplit tested = hold_out(texts, options.valid_split, options.seed);
  const TextSplit chosen = hold_out(some_of(texts, tested.train), options.valid_split, options.seed);
  ProbedItems items;
  std::vector<float> values;
  values.reserve(rows.values.size());
  const auto take = [&](Part part, std::size_t place) {
    items.add(part, texts.texts[place].labels.front(), place);
    const std::span<const float> row = rows.row(static_cast<std::int64_t>(place));
    values.insert(values.end(), row.begin(), row.end());
  };
  for (const std::size_t place : chosen.train) take(kTrain, tested.train[place]);
  for (const std::size_t place : chosen.valid) take(kChoose, tested.train[place]);
  for (const std::size_t place : tested.valid) take(kTest, place);
  Prober prober(std::move(items), texts.labels, std::ssize(texts.labels), options);
  if (options.progress) options.progress(0, 1);
  prober.probe(0, {values.data(), rows.rows, rows.columns});
  return std::move(prober.report());
}

}  // namespace unroll
