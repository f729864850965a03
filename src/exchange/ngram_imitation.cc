#include "unroll/ngram/imitation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/file_claim.h"
#include "exchange/expected_ngrams.h"
#include "infer/ngram_mixture.h"
#include "infer/predicted_text.h"
#include "infer/whole_lines.h"
#include "ngram/arpa_writer.h"
#include "ngram/backoff.h"
#include "unroll/error.h"
#include "write/sampled_text.h"

namespace unroll {
namespace {

constexpr double kMostSumError = 1e-6;

void check(const Tokenizer& tokenizer, const ImitationOptions& options) {
  const auto expect = [](bool right, const std::string& what, const std::string& field = "") {
    if (!right) throw Error(ErrorCode::kUsage, what, field);
  };
  expect(options.order >= 1 && options.order <= kLargestImitation,
         fmt::format("`order` is {}: expected 1 to {}", options.order, kLargestImitation), "order");
  expect(options.tokens >= 1, fmt::format("`tokens` is {}: expected at least 1", options.tokens), "tokens");
  expect(options.prune >= 0 && std::isfinite(options.prune),
         fmt::format("`prune` is {}: expected a finite number, 0 or above", options.prune), "prune");
  expect(tokens_are_words(tokenizer.kind()),
         fmt::format("n-grams are of words, but this model's tokenizer is {}: expected word or whitespace",
                     tokenizer_kind_name(tokenizer.kind())));
  expect(tokenizer.unknown() >= 0, "n-grams list <unk>, which this model's vocabulary does not have");
  for (const std::string_view mark : {"<s>", "</s>"}) {
    expect(std::ranges::find(tokenizer.vocabulary(), mark) == tokenizer.vocabulary().end(),
           fmt::format("{} is a word of this model, but in an ARPA file it marks a line's end", mark));
  }
}

// The number of ids to learn from: whole lines, up to the end of the line at nine tenths of the text.
std::size_t learned_part(std::span<const std::int32_t> ids, std::int32_t boundary, const std::string& name) {
  const auto from = ids.begin() + std::ssize(ids) * 9 / 10;
  auto end = std::find(from, ids.end(), boundary);
  if (end != ids.end()) ++end;
  if (end == ids.end()) {
    // The last line is long: up to its start.
    end = std::find(std::make_reverse_iterator(ids.end() - 1), ids.rend(), boundary).base();
  }
  if (end == ids.begin()) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} has less than two lines: expected some to learn from and some to hold out", name));
  }
  return static_cast<std::size_t>(end - ids.begin());
}

std::vector<std::int64_t> counts_of(const NgramTable& table) {
  std::vector<std::int64_t> counts;
  for (const NgramLevel& level : table.levels) counts.push_back(std::ssize(level.words));
  return counts;
}

// Leaves out the highest orders without n-grams: programs stumble over empty sections.
void lower_order(NgramTable& table) {
  while (table.order() > 1 && table.levels.back().words.empty()) table.levels.pop_back();
  NgramLevel& highest = table.levels.back();
  highest.log_backoffs.clear();
  highest.extent.clear();
}

class Imitating {
 public:
  Imitating(const Model& model, const ImitationOptions& options)
      : model_(model), options_(options), workers_(options.threads) {}

  Imitation run(const std::string& path) {
    const std::vector<std::int32_t> ids = text();
    const std::string name = options_.text ? options_.text->name : "what the network wrote";
    const std::size_t learned = learned_part(ids, model_.tokenizer().boundary(), name);
    result_.tokens = static_cast<std::int64_t>(learned);
    result_.held_out = std::ssize(ids) - result_.tokens;
    const NgramTable table = gathered(ids, learned);
    result_.ngrams = counts_of(table);
    const std::string arpa = as_arpa(table);
    const FileClaim claim(path);
    replace_file(path, std::array{std::string_view(arpa)});
    compare(std::span(ids).subspan(learned), path);
    return std::move(result_);
  }

 private:
  EvaluationProgress progress(const std::string& what) {
    if (!options_.progress) return {};
    return [this, what](std::int64_t done, std::int64_t total) { options_.progress(what, done, total); };
  }

  std::vector<std::int32_t> text() {
    if (options_.text) return encode_to_predict(model_.tokenizer(), *options_.text).ids;
    return sampled_text(model_, options_.tokens, options_.seed, workers_, progress("writing"));
  }

  // The n-grams, and the network's loss on the held-out part.
  NgramTable gathered(std::span<const std::int32_t> ids, std::size_t learned) {
    ExpectedNgrams expected(ids, learned, model_.tokenizer(), static_cast<std::size_t>(options_.order));
    double nats = 0;
    const auto list = [&](std::size_t position, std::span<const float> p, double log_prob) {
      expected.list(position, p);
      if (position >= learned) nats -= log_prob;
    };
    visit_distributions(model_, ids, workers_, list, progress("listing"));
    result_.network_perplexity = std::exp(nats / static_cast<double>(result_.held_out));
    expected.arrange();
    const auto add = [&](std::size_t position, std::span<const float> p, double) { expected.add(position, p); };
    if (options_.order > 1) visit_distributions(model_, ids, workers_, add, progress("averaging"));
    expected.estimate();
    result_.before_pruning = counts_of(expected.table());
    NgramTable table = options_.prune > 0
                           ? pruned(expected.table(), expected.shares(), options_.prune, expected.begin())
                           : expected.table();
    lower_order(table);
    result_.largest_sum_error = largest_sum_error(table, expected.begin());
    if (!(result_.largest_sum_error <= kMostSumError)) {
      throw Error(ErrorCode::kNumeric, fmt::format("the probabilities after a context of the n-grams sum to 1 only "
                                                   "within {}: expected {}",
                                                   result_.largest_sum_error, kMostSumError));
    }
    return table;
  }

  // Reads the file as any other program does.
  void compare(std::span<const std::int32_t> held_out, const std::string& path) {
    const NgramMixture ngrams({.ngram = Ngram::load(path), .lambda = 0}, model_.tokenizer());
    const std::vector<double> log_probs = ngrams.log_probs(held_out, path);
    const double sum = std::accumulate(log_probs.begin(), log_probs.end(), 0.0);
    result_.ngram_perplexity = std::exp(-sum / static_cast<double>(held_out.size()));
  }

  const Model& model_;
  const ImitationOptions& options_;
  Workers workers_;
  Imitation result_;
};

}  // namespace

Imitation imitate(const Model& model, const ImitationOptions& options, const std::string& path) {
  check(model.tokenizer(), options);
  expect_whole_lines(model, "a conversion to n-grams");
  return Imitating(model, options).run(path);
}

}  // namespace unroll
