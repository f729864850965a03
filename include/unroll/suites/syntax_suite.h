// Test suites of SyntaxGym (Gauthier et al. 2020): predictions about the surprisal of regions of sentences.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/model.h"

namespace unroll {

// One part of a sentence. May be empty.
struct Region {
  std::int64_t number = 0;
  std::string content;  // ASCII white space at its start is ignored
};

// One variant of an item: its sentence is the regions' contents, those that are not empty, with one space between.
struct Condition {
  std::string name;
  std::vector<Region> regions;
  std::string place = {};  // what messages call it: "'suite.json': items 1: conditions 2"; may be empty
};

struct SuiteItem {
  std::int64_t number = 0;
  std::vector<Condition> conditions;
};

// What the surprisals of a region's tokens become. All are 0 for a region without tokens.
enum class RegionMetric { kSum, kMean, kMedian, kMax, kMin, kRange };

// "sum", "mean", "median", "max", "min", "range": largest minus smallest.
[[nodiscard]] std::string_view region_metric_name(RegionMetric metric) noexcept;

// The surprisal, in bits, of each (condition, region number).
using RegionSurprisals = std::vector<std::pair<std::pair<std::string, std::int64_t>, double>>;

// A statement that should hold for a good model: "(2;%mismatch%) > (2;%match%)".
//
//   (N;%condition%)   the surprisal of region N; (*;%condition%): the sum over all regions
//   numbers, + and -  sums, from left to right: a - b + c is (a - b) + c
//   < > =             comparisons; = holds within 1e-3 + 1e-5 |right side|, as in SyntaxGym
//   & |               both, either; of one rank, from left to right: a | b & c is (a | b) & c
//   ( ) [ ]           brackets, up to 64 deep
//
// Up to 1,000 operators. (SyntaxGym's own program reads formulas so since 2020.)
class RegionFormula {
 public:
  // Throws Error{kInput} naming the formula and the character (from 1) that is wrong.
  explicit RegionFormula(const std::string& text);
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  // Throws Error{kInput} for a region or condition that does not exist.
  [[nodiscard]] bool holds(const RegionSurprisals& surprisals) const;

 private:
  struct Node;
  friend class FormulaParser;
  std::string text_;
  std::shared_ptr<const Node> root_;
};

struct SyntaxSuite {
  std::string name;
  RegionMetric metric = RegionMetric::kSum;
  std::vector<RegionFormula> predictions;
  std::vector<SuiteItem> items;
};

// Reads a suite's JSON, plain or gzipped. Throws Error{kFile}, and Error{kInput} naming the place: what is missing or
// of the wrong type, a metric that is not one of RegionMetric, formulas that cannot be read, or that name a region or
// condition that an item lacks.
[[nodiscard]] SyntaxSuite read_syntax_suite(const std::string& path);

// One item under a model.
struct ItemScore {
  std::vector<bool> predictions;  // which of them hold
  RegionSurprisals surprisals;
  std::int64_t unknown_tokens = 0;  // of all its sentences

  // Whether all predictions hold.
  [[nodiscard]] bool correct() const noexcept;
};

struct SuiteOptions {
  int threads = 0;                                                           // 0: one per core that the process may use
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};  // items; may be empty
};

// Scores each sentence by itself. A token belongs to the region in which it begins, and the space before a region to
// that region. The closing boundary belongs to none: SyntaxGym counts it in the last region where a model's output has
// it, and agrees with this where the output leaves it out. Throws Error{kInput} for text that the tokenizer cannot
// read, naming the condition's place and the sentence, and Error{kUsage} for a model that does not predict the first
// token of a sentence (BeginPolicy::kNone).
[[nodiscard]] std::vector<ItemScore> score_suite(const Model& model, const SyntaxSuite& suite,
                                                 const SuiteOptions& options = {});

}  // namespace unroll
