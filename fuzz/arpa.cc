#include <cmath>
#include <vector>

#include "target.h"
#include "targets.h"
#include "unroll/ngram/ngram.h"

namespace unroll {
namespace {

// Reads words from the start of a line on, by a step that visits all of them in some order.
void walk(const Ngram& ngram) {
  NgramState state = ngram.begin();
  std::vector<double> all(static_cast<std::size_t>(ngram.size()));
  for (std::int64_t i = 0; i < 2 * ngram.size() && i < 32; ++i) {
    const auto word = static_cast<std::int32_t>((7 * i + i / ngram.size()) % ngram.size());
    expect(ngram.id(ngram.word(word)) == word, "a word has the number under which it is listed");
    ngram.probabilities(state, all);
    NgramState after = state;
    const double listed = ngram.log_prob(after, word);
    expect(!std::isnan(listed), "a probability is a number");
    const double p = std::exp(listed);
    expect(std::abs(all[static_cast<std::size_t>(word)] - p) <= 1e-6 * (1 + p), "both ways of asking give the same");
    ngram.read(state, word);
    expect(state == after, "reading a word leads to the same state as its probability");
  }
  expect(std::isinf(ngram.log_prob(state, -1)), "an unlisted word has probability 0");
}

}  // namespace

std::string fuzz_arpa(std::string_view input) {
  const std::string path = file_of(input, "ngrams.arpa");
  return refusal_of([&] {
    const Ngram ngram = Ngram::load(path);
    for (std::int64_t order = 1; order <= ngram.order(); ++order) expect(ngram.count(order) >= 0, "counts are counts");
    walk(ngram);
  });
}

}  // namespace unroll
