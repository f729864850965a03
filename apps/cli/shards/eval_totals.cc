#include "cli/shards/eval_totals.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace unroll {
namespace {

using Object = nlohmann::ordered_json;

// The predictors of a line have the same tokens, so that each adds two reals.
EvaluationSums line_of_sums(const UnitSums& unit) {
  expect_sums(unit, unit.reals.size() / 2 * 2, 7);
  EvaluationSums line{.unknown_tokens = unit.counts[2],
                      .characters = unit.counts[3],
                      .bytes = unit.counts[4],
                      .is_utf8 = unit.counts[5] != 0,
                      .lossless = unit.counts[6] != 0};
  for (std::size_t i = 0; i < unit.reals.size(); i += 2) {
    line.losses.push_back({.nats = unit.reals[i],
                           .tokens = unit.counts[0],
                           .unknown_nats = unit.reals[i + 1],
                           .unknown = unit.counts[1]});
  }
  return line;
}

class EvalTotals final : public UnitTotals {
 public:
  explicit EvalTotals(const Object& parameters)
      : about_{.models = parameters.at("models"),
               .precision = parameters.at("precision"),
               .counted = parameters.at("counted"),
               .adaptation = parameters.at("adaptation"),
               .mixture = parameters.at("mixture"),
               .fields = parameters.at("fields").dump(),
               .ngram = parameters.at("ngrams").dump()},
        kind_{.models = std::ssize(about_.models),
              .ngram = parameters.at("with_ngrams"),
              .begin = parse_begin_policy(parameters.at("begin").get<std::string>()),
              .end = parameters.at("end")} {}

  void add(const UnitSums& unit) override { sums_ += line_of_sums(unit); }

  [[nodiscard]] std::string tail(bool json) const override {
    const AverageEvaluation all = evaluation_of(sums_, kind_);
    return json ? eval_json(about_, all, {}) : eval_table(about_, all, {});
  }
  [[nodiscard]] std::string report(bool) const override { return ""; }

 private:
  EvalDescription about_;
  EvaluationKind kind_;
  EvaluationSums sums_;
};

}  // namespace

std::string eval_parameters(const EvalDescription& about, const EvaluationKind& kind) {
  return Object{{"models", about.models},
                {"precision", about.precision},
                {"counted", about.counted},
                {"adaptation", about.adaptation},
                {"mixture", about.mixture},
                {"fields", Object::parse(about.fields)},
                {"ngrams", Object::parse(about.ngram)},
                {"with_ngrams", kind.ngram},
                {"begin", begin_policy_name(kind.begin)},
                {"end", kind.end}}
      .dump(-1, ' ', false, Object::error_handler_t::replace);
}

UnitSums sums_of(const EvaluationSums& line) {
  UnitSums sums;
  for (const LossSums& loss : line.losses) {
    sums.reals.push_back(loss.nats);
    sums.reals.push_back(loss.unknown_nats);
  }
  const LossSums counts = line.losses.empty() ? LossSums{} : line.losses.front();
  sums.counts = {counts.tokens, counts.unknown,       line.unknown_tokens,  line.characters,
                 line.bytes,    line.is_utf8 ? 1 : 0, line.lossless ? 1 : 0};
  return sums;
}

std::unique_ptr<UnitTotals> eval_totals(const std::string& parameters) {
  return std::make_unique<EvalTotals>(Object::parse(parameters));
}

}  // namespace unroll
