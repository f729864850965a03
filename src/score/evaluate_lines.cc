#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "infer/ngram_mixture.h"
#include "score/counted_text.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/evaluate.h"

namespace unroll {
namespace {

// Lines as one text of ids, and where each ends.
struct EncodedLines {
  EncodedText text;
  std::vector<std::size_t> ends;
  std::vector<EvaluationSums> counts;  // without losses
};

void expect_one_line(const EncodedText& line, const Tokenizer& tokenizer, const std::string& name) {
  const auto boundary = std::ranges::find(line.ids, tokenizer.boundary());
  if (boundary == line.ids.end() || boundary + 1 == line.ids.end()) return;
  throw Error(ErrorCode::kInput,
              fmt::format("{} holds the symbol \"{}\" that ends lines: such a text can only be evaluated as a whole",
                          name, tokenizer.symbol(tokenizer.boundary())));
}

EncodedLines encode_lines(const Tokenizer& tokenizer, std::span<const std::string_view> lines,
                          const std::function<std::string(std::size_t)>& names) {
  EncodedLines all;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string name = names(i);
    const EncodedText line = tokenizer.encode({lines[i], name});
    expect_one_line(line, tokenizer, name);
    all.text.ids.insert(all.text.ids.end(), line.ids.begin(), line.ids.end());
    all.ends.push_back(all.text.ids.size());
    all.counts.push_back({.unknown_tokens = line.unknown,
                          .characters = line.characters,
                          .bytes = line.bytes,
                          .is_utf8 = find_invalid_utf8(lines[i]) == std::string_view::npos,
                          .lossless = line.lossless});
  }
  return all;
}

// Appends to each line the sums of one predictor.
void append_losses(const CountedText& text, std::span<const double> log_probs, EncodedLines& lines) {
  const std::span<const std::int32_t> ids = text.encoded.ids;
  std::size_t first = 0;
  for (std::size_t i = 0; i < lines.ends.size(); ++i) {
    const std::size_t size = lines.ends[i] - first;
    const LossSums sum =
        evaluation_of(ids.subspan(first, size), log_probs.subspan(first, size), text.symbols, text.accounting);
    lines.counts[i].losses.push_back(sum);
    first = lines.ends[i];
  }
}

// Appends the sums of each model and of their average. Returns ln p of each id by the latter.
std::vector<double> predict_with_each(std::span<const Model> models, const CountedText& text,
                                      const EvaluateOptions& options, EncodedLines& lines) {
  std::vector<double> sums;
  for (const Model& model : models) {
    const std::vector<double> log_probs = log_probs_of(model, text.encoded.ids, text.symbols.reading, options);
    expect_finite(text.sum_of(log_probs).nats, text.name);
    append_losses(text, log_probs, lines);
    if (sums.empty()) {
      sums = log_probs;
    } else {
      std::ranges::transform(sums, log_probs, sums.begin(), log_of_sum);
    }
  }
  divide_by_count(models.size(), sums);
  if (models.size() > 1) append_losses(text, sums, lines);
  return sums;
}

std::size_t losses_of(const EvaluationKind& kind) {
  return static_cast<std::size_t>(kind.models + (kind.models > 1 ? 1 : 0) + (kind.ngram ? 2 : 0));
}

EvaluationPolicies line_policies(std::span<const Model> models, const EvaluateOptions& options) {
  EvaluationPolicies policies = policies_of(models, options);
  if (policies.state == StatePolicy::kReset && !reads_in_order(options.adaptation)) return policies;
  throw Error(ErrorCode::kUsage,
              "lines can be evaluated by themselves only where state is reset, without a cache or dynamic evaluation",
              "state");
}

}  // namespace

EvaluationSums& EvaluationSums::operator+=(const EvaluationSums& next) {
  losses.resize(std::max(losses.size(), next.losses.size()));
  for (std::size_t i = 0; i < next.losses.size(); ++i) losses[i] += next.losses[i];
  unknown_tokens += next.unknown_tokens;
  characters += next.characters;
  bytes += next.bytes;
  is_utf8 = is_utf8 && next.is_utf8;
  lossless = lossless && next.lossless;
  return *this;
}

EvaluationKind kind_of_lines(std::span<const Model> models, const EvaluateOptions& options) {
  const EvaluationPolicies policies = line_policies(models, options);
  return {.models = std::ssize(models),
          .ngram = mixture_of(options.ngram, models.front().tokenizer()).has_value(),
          .begin = policies.begin,
          .end = policies.accounting.end};
}

std::vector<EvaluationSums> evaluate_lines(std::span<const Model> models, std::span<const std::string_view> lines,
                                           const EvaluateOptions& options,
                                           const std::function<std::string(std::size_t line)>& names) {
  const EvaluationPolicies policies = line_policies(models, options);
  const Tokenizer& tokenizer = models.front().tokenizer();
  const std::optional<NgramMixture> mixture = mixture_of(options.ngram, tokenizer);
  EncodedLines encoded = encode_lines(tokenizer, lines, names);
  if (encoded.text.ids.empty()) {
    const EvaluationKind kind{.models = std::ssize(models), .ngram = mixture.has_value()};
    for (EvaluationSums& line : encoded.counts) line.losses.resize(losses_of(kind));
    return std::move(encoded.counts);
  }
  const CountedText text{.encoded = encoded.text,
                         .symbols = policies.symbols,
                         .accounting = policies.accounting,
                         .name = fmt::format("{} to {}", names(0), names(lines.size() - 1))};
  const std::vector<double> average = predict_with_each(models, text, options, encoded);
  if (mixture) {
    const std::vector<double> log_probs = mixture->log_probs(text.encoded.ids, text.name);
    append_losses(text, log_probs, encoded);
    append_losses(text, mixed_with(*mixture, average, log_probs, text), encoded);
  }
  return std::move(encoded.counts);
}

AverageEvaluation evaluation_of(const EvaluationSums& sums, const EvaluationKind& kind) {
  const std::size_t expected = losses_of(kind);
  if (sums.losses.empty() || sums.losses.front().tokens == 0) {
    throw Error(ErrorCode::kInput, "the text holds no token that counts: there is nothing to predict");
  }
  if (sums.losses.size() != expected) {
    throw Error(ErrorCode::kUsage,
                fmt::format("there are {} losses of lines: expected {}", sums.losses.size(), expected));
  }
  EvaluationSums counts = sums;
  if (!counts.is_utf8) counts.characters = counts.bytes;
  std::vector<Evaluation> evaluations;
  for (const LossSums& loss : sums.losses) {
    Evaluation& evaluation = evaluations.emplace_back(evaluation_from(loss, counts, kind));
    evaluation.state = StatePolicy::kReset;
    evaluation.begin = kind.begin;
  }
  const auto models = static_cast<std::size_t>(kind.models);
  AverageEvaluation result{.models = {evaluations.begin(), evaluations.begin() + kind.models},
                           .average = evaluations[models > 1 ? models : 0]};
  if (kind.ngram) result.ngram = NgramEvaluation{.ngram = evaluations[expected - 2], .mix = evaluations[expected - 1]};
  return result;
}

}  // namespace unroll
