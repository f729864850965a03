#include "target.h"
#include "targets.h"
#include "unroll/suites/minimal_pairs.h"
#include "unroll/suites/syntax_suite.h"

namespace unroll {
namespace {

void check_pairs(const std::string& path) {
  for (const MinimalPair& pair : read_minimal_pairs(path)) {
    expect(!pair.good.empty() && !pair.bad.empty() && !pair.paradigm.empty(), "a pair is complete");
  }
}

void check_suite(const std::string& path) {
  const SyntaxSuite suite = read_syntax_suite(path);
  expect(!suite.predictions.empty() && !suite.items.empty(), "a suite is complete");
  for (const SuiteItem& item : suite.items) {
    RegionSurprisals surprisals;
    for (const Condition& condition : item.conditions) {
      for (const Region& region : condition.regions) surprisals.push_back({{condition.name, region.number}, 1.5});
    }
    for (const RegionFormula& prediction : suite.predictions) static_cast<void>(prediction.holds(surprisals));
  }
}

void check_formula(std::string_view text) {
  const RegionFormula formula{std::string(text)};
  static_cast<void>(formula.holds({{{"a", 1}, 2.5}, {{"a", 2}, 0.5}, {{"b", 1}, 3.0}, {{"b", 2}, 0.0}}));
}

}  // namespace

// t: pairs in columns, j: pairs in JSON, s: a suite, f: a formula.
std::string fuzz_pairs(std::string_view input) {
  const char choice = take_choice(input, "tjsf");
  return refusal_of([&] {
    if (choice == 't') check_pairs(file_of(input, "pairs.tsv"));
    if (choice == 'j') check_pairs(file_of(input, "pairs.jsonl"));
    if (choice == 's') check_suite(file_of(input, "suite.json"));
    if (choice == 'f') check_formula(input);
  });
}

}  // namespace unroll
