// What can be read off the states of a network by a linear model: probes of each layer.
//
//   const unroll::LabelledTexts texts = unroll::read_labelled_texts({.paths = {"reviews.csv"}});
//   const unroll::ProbeReport report = unroll::probe_texts(unroll::Model::load("book.safetensors"), texts, nullptr);
//   for (const unroll::LayerProbe& layer : report.layers) std::cout << layer.accuracy.share() << '\n';
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unroll/data/columns.h"
#include "unroll/data/float_matrix.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/judge/interval.h"
#include "unroll/model.h"
#include "unroll/readout.h"

namespace unroll {

struct ProbeOptions {
  double valid_split = 0.1;          // the share of texts that is held out; above 0, below 1
  std::uint64_t seed = 1;            // which ones, and what the control's labels are
  bool control = false;              // fit a control for each layer, too
  Readout readout = Readout::kMean;  // of texts, from every layer: kLast, kMax, kMean or kConcat
  std::string label = {};            // of a model with conditions: what texts are given
  int threads = 0;                   // 0: one per core that the process may use
  // Called before each layer, with its place among those that are probed, from 0. May be empty.
  std::function<void(std::int64_t done, std::int64_t all)> progress = {};
};

// The probe of one layer.
struct LayerProbe {
  std::int64_t layer = 0;                  // 0: the embedding
  std::int64_t columns = 0;                // numbers of a row
  double l2 = 0;                           // the strength that was chosen
  Proportion accuracy;                     // of the rows to test on, whose label is the probe's
  double nats = 0;                         // the mean of -ln p(label) over those whose label training has
  double train_loss = 0;                   // J of the rows that were fitted (docs/math/probe.md)
  bool converged = true;                   // whether that is its minimum; else iterations had run out
  std::optional<Proportion> control = {};  // of the control: the accuracy of a probe of random labels

  // By how much the probe is better than its control (Hewitt & Liang 2019).
  [[nodiscard]] std::optional<double> selectivity() const {
    return control ? std::optional(accuracy.share() - control->share()) : std::nullopt;
  }
};

struct ProbeReport {
  std::vector<std::string> labels = {};
  std::int64_t train = 0;        // rows that were fitted
  std::int64_t chosen_on = 0;    // rows on which the strength was chosen
  std::int64_t test = 0;         // rows to test on
  std::int64_t unknown = 0;      // of these, rows whose label training lacks: never right
  std::int64_t cut_texts = 0;    // of which only the beginning was read
  std::string majority = {};     // the most frequent label in training
  Proportion majority_accuracy;  // that of a probe that always answers it
  std::vector<LayerProbe> layers = {};
};

// Fits a multinomial logistic regression to the states of every layer (unroll/probe/text_states.h), and tests it.
//
// Rows to test on are those of `test`, or without it of a share of the texts that is held out as train() holds out its
// texts to validate on: of each label the same share, drawn by the seed, equal texts on one side. Of the others the
// same share is held out once more, to choose the strength of L2 among the powers of ten from 1e-5 to 1: that of the
// least loss there. States are standardised by mean and standard deviation of the rows that are fitted.
//
// The control (Hewitt & Liang 2019) is fitted in the same way to labels that mean nothing: each distinct text, or each
// distinct word, has one for itself, drawn as often as labels occur in training. What a probe can do for it, it does by
// memory.
//
// Results depend on the data and the seed alone, not on threads: the same bits. Memory: the rows of one layer, 4 bytes
// a number.
//
// Throws Error{kUsage} as TextStates, for a readout that texts of all layers cannot have, and for a share out of range;
// Error{kInput} as expect_trainable(), for texts with several labels, and where too few texts are left of a part.
[[nodiscard]] ProbeReport probe_texts(const Model& model, const LabelledTexts& texts, const LabelledTexts* test,
                                      const ProbeOptions& options = {});

// The same for the words of sentences and their tags. Parts consist of whole sentences.
[[nodiscard]] ProbeReport probe_words(const Model& model, const TaggedTexts& texts, const TaggedTexts* test,
                                      const ProbeOptions& options = {});

// The same for rows of numbers from elsewhere, each with a label; the report has one layer. Readout and label are not
// used; each row is a text of its own. Throws Error{kInput} too if there are not as many labels as rows.
[[nodiscard]] ProbeReport probe_rows(const FloatMatrix& rows, const std::vector<std::string>& labels,
                                     const ProbeOptions& options = {});

}  // namespace unroll
