#include "cli/evaluations/eval_report.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/flags/accounting_flags.h"
#include "cli/flags/adaptation_flags.h"
#include "cli/flags/ngram_flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/quantities.h"
#include "json/json_text.h"

namespace unroll {
namespace {

nlohmann::ordered_json as_object(const Evaluation& result) {
  return {{"tokens", result.tokens},
          {"nats_per_token", result.nats_per_token},
          {"perplexity", result.perplexity},
          {"perplexity_without_unknown", result.perplexity_without_unknown},
          {"bits_per_char", result.bits_per_char},
          {"bits_per_byte", result.bits_per_byte},
          {"unknown_tokens", result.unknown_tokens},
          {"characters", result.characters},
          {"bytes", result.bytes},
          {"comparable", result.comparable},
          {"state", state_policy_name(result.state)},
          {"begin", begin_policy_name(result.begin)},
          {"exact", result.exact}};
}

// The precisions of all models, each once.
std::string precision_words(const std::vector<Model>& models) {
  std::string words;
  for (const Model& model : models) {
    const std::string name(precision_name(model.precision()));
    if (words.find(name) == std::string::npos) words += (words.empty() ? "" : ", ") + name;
  }
  return words;
}

nlohmann::ordered_json loss_of(const Evaluation& evaluation) {
  return {{"nats_per_token", evaluation.nats_per_token}, {"perplexity", evaluation.perplexity}};
}

// Whether line ends are scored.
bool scores_ends(const EvaluateOptions& options, const Tokenizer& tokenizer) {
  return options.end && tokenizer.boundary() >= 0;
}

std::string state_words(const Evaluation& result) {
  if (result.state == StatePolicy::kReset) return "reset: each line by itself";
  return result.exact ? "carry: one piece (exact)" : "carry: in pieces, each warmed on the 256 tokens before it";
}

std::string counted_words(const EvaluateOptions& options, const Tokenizer& tokenizer) {
  const Accounting accounting{.unknown = options.unknown, .unknown_words = options.unknown_words};
  const bool refused = tokenizer.unknown() < 0 && tokenizer.kind() != TokenizerKind::kByte;
  return fmt::format("line ends {}; unknown tokens {}", scores_ends(options, tokenizer) ? "scored" : "not scored",
                     refused ? "refused" : unknown_words(accounting));
}

}  // namespace

const Evaluation& together(const AverageEvaluation& all) { return all.ngram ? all.ngram->mix : all.average; }

EvalDescription describe_evaluation(const std::vector<std::string>& paths, const std::vector<Model>& models,
                                    const EvaluateOptions& options) {
  nlohmann::ordered_json fields;
  fields["precision"] = precision_words(models);
  fields["end"] = scores_ends(options, models.front().tokenizer());
  fields["unknown"] = unknown_policy_name(options.unknown);
  if (options.unknown == UnknownPolicy::kShare) fields["unknown_words"] = options.unknown_words;
  put_adaptation(&fields, options.adaptation);
  nlohmann::ordered_json ngram = nlohmann::ordered_json::object();
  put_ngram(&ngram, options.ngram);
  return {.models = paths,
          .precision = precision_words(models),
          .counted = counted_words(options, models.front().tokenizer()),
          .adaptation = describe(options.adaptation),
          .mixture = describe(options.ngram),
          .fields = fields.dump(),
          .ngram = ngram.dump()};
}

std::string eval_json(const EvalDescription& about, const AverageEvaluation& all,
                      const std::optional<double>& tokens_per_s) {
  nlohmann::ordered_json object = as_object(together(all));
  object.update(nlohmann::ordered_json::parse(about.fields));
  if (all.ngram) {
    object.update(nlohmann::ordered_json::parse(about.ngram));
    object["ngram"].update(loss_of(all.ngram->ngram));
    object["network"] = loss_of(all.average);
  }
  if (tokens_per_s) object["tokens_per_s"] = *tokens_per_s;
  if (about.models.size() > 1) {
    nlohmann::ordered_json& list = object["models"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < about.models.size(); ++i) {
      nlohmann::ordered_json entry;
      entry["model"] = about.models[i];
      entry.update(loss_of(all.models[i]));
      list.push_back(std::move(entry));
    }
  }
  return json_line(object);
}

std::string eval_table(const EvalDescription& about, const AverageEvaluation& all,
                       const std::optional<double>& tokens_per_s) {
  const Evaluation& result = together(all);
  const std::string_view note =
      result.comparable ? "" : "  (not comparable: the tokenizer loses text, or tokens are unknown or given)";
  std::string text;
  if (about.models.size() > 1) {
    for (std::size_t i = 0; i < about.models.size(); ++i) {
      text += fmt::format("model {:<15} {:.4f}  {}\n", i + 1, all.models[i].perplexity, visible(about.models[i]));
    }
    text += fmt::format("average of {} models{}\n", about.models.size(),
                        all.ngram ? fmt::format(":     {:.4f}", all.average.perplexity) : ":");
  }
  if (all.ngram) {
    if (about.models.size() == 1) text += fmt::format("network               {:.4f}\n", all.average.perplexity);
    text += fmt::format("n-grams               {:.4f}\n", all.ngram->ngram.perplexity);
    text += fmt::format("mixture of {}:\n", about.mixture);
  }
  text += fmt::format("tokens                {}\n", grouped(result.tokens));
  text += fmt::format("unknown tokens        {}\n", grouped(result.unknown_tokens));
  text += fmt::format("nats per token        {:.5f}\n", result.nats_per_token);
  text += fmt::format("perplexity            {:.4f}\n", result.perplexity);
  text += fmt::format("  without unknown     {:.4f}\n", result.perplexity_without_unknown);
  text += fmt::format("bits per character    {:.5f}{}\n", result.bits_per_char, note);
  text += fmt::format("bits per byte         {:.5f}{}\n", result.bits_per_byte, note);
  text += fmt::format("characters, bytes     {}, {}\n", grouped(result.characters), grouped(result.bytes));
  text += fmt::format("state                 {}\n", state_words(result));
  if (result.begin == BeginPolicy::kNone) text += "begin                 none: the first token is given\n";
  text += fmt::format("counted               {}\n", about.counted);
  text += fmt::format("precision             {}\n", about.precision);
  if (!about.adaptation.empty()) text += fmt::format("adaptation            {}\n", about.adaptation);
  if (tokens_per_s) {
    text += fmt::format("speed                 {} tokens/s\n", grouped(static_cast<std::int64_t>(*tokens_per_s)));
  }
  return text;
}

}  // namespace unroll
