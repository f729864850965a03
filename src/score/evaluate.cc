#include "unroll/evaluate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/stopwatch.h"
#include "infer/ngram_mixture.h"
#include "infer/predicted_text.h"
#include "infer/prediction.h"
#include "model/id_cache.h"
#include "score/counted_text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

Evaluation summary(const LossSums& sum, const CountedText& text) {
  const EncodedText& encoded = text.encoded;
  const EvaluationSums counts{.unknown_tokens = encoded.unknown,
                              .characters = encoded.characters,
                              .bytes = encoded.bytes,
                              .lossless = encoded.lossless};
  return evaluation_from(sum, counts, {.begin = text.symbols.reading.begin, .end = text.accounting.end});
}

void expect_counted(const CountedText& text) {
  for (std::size_t i = 0; i < text.encoded.ids.size(); ++i) {
    if (text.has(i)) return;
  }
  const std::string_view given = text.symbols.reading.state == StatePolicy::kReset
                                     ? ", and without the first token of each line, which is given"
                                     : ", and without the first token, which is given";
  throw Error(ErrorCode::kInput,
              fmt::format("{} holds no token that counts: without its line ends and unknown tokens{} there is nothing "
                          "to predict",
                          text.name, text.gives_symbols() ? given : ""));
}

// The evaluation of a text whose ids have these ln p.
Evaluation result_of(const CountedText& text, std::span<const double> log_probs) {
  const LossSums sum = text.sum_of(log_probs);
  expect_finite(sum.nats, text.name);
  return summary(sum, text);
}

// Where p is 0, the n-grams' own loss is infinite.
NgramEvaluation with_ngrams(const NgramMixture& mixture, std::span<const double> network, const CountedText& text) {
  const Stopwatch watch;
  const std::vector<double> log_probs = mixture.log_probs(text.encoded.ids, text.name);
  NgramEvaluation result{.ngram = summary(text.sum_of(log_probs), text), .mix = {}};
  result.mix = result_of(text, mixed_with(mixture, network, log_probs, text));
  result.ngram.seconds = watch.seconds();
  return result;
}

// Evaluates each model, and sets `sums` to ln of the sum of their p of each id.
std::vector<Evaluation> evaluate_each(std::span<const Model> models, const CountedText& text,
                                      const EvaluateOptions& options, std::vector<double>& sums) {
  std::vector<Evaluation> results;
  EvaluateOptions of_one = options;
  for (const Model& model : models) {
    if (options.progress) {
      of_one.progress = [&](std::int64_t done, std::int64_t total) {
        options.progress(std::ssize(results) * total + done, std::ssize(models) * total);
      };
    }
    const Stopwatch watch;
    const std::vector<double> log_probs = log_probs_of(model, text.encoded.ids, text.symbols.reading, of_one);
    const double seconds = watch.seconds();
    results.push_back(result_of(text, log_probs));
    results.back().seconds = seconds;
    if (sums.empty()) {
      sums = log_probs;
    } else {
      std::ranges::transform(sums, log_probs, sums.begin(), log_of_sum);
    }
  }
  return results;
}

AverageEvaluation evaluate_all(std::span<const Model> models, const CountedText& text, const EvaluateOptions& options,
                               const std::optional<NgramMixture>& mixture) {
  std::vector<double> sums;
  AverageEvaluation result{.models = evaluate_each(models, text, options, sums), .average = {}};
  divide_by_count(models.size(), sums);
  result.average = result_of(text, sums);
  for (const Evaluation& evaluation : result.models) result.average.seconds += evaluation.seconds;
  if (mixture) {
    result.ngram = with_ngrams(*mixture, sums, text);
    result.ngram->mix.seconds = result.average.seconds + result.ngram->ngram.seconds;
  }
  return result;
}

AverageEvaluation evaluate_encoded(std::span<const Model> models, const EncodedText& encoded, const std::string& name,
                                   const EvaluationPolicies& policies, const EvaluateOptions& options) {
  const std::optional<NgramMixture> mixture = mixture_of(options.ngram, models.front().tokenizer());
  const CountedText counted{
      .encoded = encoded, .symbols = policies.symbols, .accounting = policies.accounting, .name = name};
  expect_counted(counted);
  AverageEvaluation result = evaluate_all(models, counted, options, mixture);
  const auto describe = [&](Evaluation& evaluation) {
    evaluation.state = policies.state;
    evaluation.begin = policies.begin;
    evaluation.exact = options.exact || reads_in_order(options.adaptation);
  };
  std::ranges::for_each(result.models, describe);
  describe(result.average);
  if (result.ngram) {
    describe(result.ngram->ngram);
    describe(result.ngram->mix);
  }
  return result;
}

}  // namespace

Evaluation evaluate(const Model& model, const NamedText& text, const EvaluateOptions& options) {
  const AverageEvaluation all = evaluate_average(std::span(&model, 1), text, options);
  return all.ngram ? all.ngram->mix : all.average;
}

AverageEvaluation evaluate_average(std::span<const Model> models, const NamedText& text,
                                   const EvaluateOptions& options) {
  const EvaluationPolicies policies = policies_of(models, options);
  return evaluate_encoded(models, encode_to_predict(models.front().tokenizer(), text), text.name, policies, options);
}

AverageEvaluation evaluate_id_cache(std::span<const Model> models, const std::string& path,
                                    const EvaluateOptions& options) {
  const EvaluationPolicies policies = policies_of(models, options);
  const IdCache cache(path);
  cache.expect_tokenizer(models.front().tokenizer(), "model");
  const IdCacheInfo& info = cache.info();
  if (info.valid.ids > 0) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} is an id cache that holds out {} of its text: to evaluate all of it, make it with a "
                            "`text.valid_split` of 0",
                            cache.name(), info.valid_split),
                "text.valid_split");
  }
  cache.verify();
  EncodedText encoded{.ids = {},
                      .bytes = info.train.bytes,
                      .characters = info.train.characters,
                      .unknown = info.train.unknown,
                      .lossless = info.train.lossless};
  const Ids ids = cache.train();
  static_cast<void>(ids.view().in_memory(encoded.ids));
  return evaluate_encoded(models, encoded, cache.name(), policies, options);
}

}  // namespace unroll
