#include "cli/shards/score_totals.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/streams/quantities.h"
#include "json/json_text.h"

namespace unroll {
namespace {

ScoreTotals line_of(const UnitSums& unit) {
  expect_sums(unit, 2, 6);
  const LossSums loss{
      .nats = unit.reals[0], .tokens = unit.counts[3], .unknown_nats = unit.reals[1], .unknown = unit.counts[4]};
  return {.lines = unit.counts[0],
          .tokens = unit.counts[1],
          .unknown_tokens = unit.counts[2],
          .bad = unit.counts[5],
          .loss = loss};
}

class ScoreUnitTotals final : public UnitTotals {
 public:
  explicit ScoreUnitTotals(const nlohmann::ordered_json& parameters)
      : summary_(parse_dialect(parameters.at("format").get<std::string>()).summary) {
    if (summary_ == nullptr) return;
    context_ = {.end = parameters.at("end"), .text_name = parameters.at("text_name")};
  }

  void add(const UnitSums& unit) override { sums_ += line_of(unit); }

  [[nodiscard]] std::string tail(bool) const override { return summary_ == nullptr ? "" : summary_(context_, sums_); }

  [[nodiscard]] std::string report(bool json) const override {
    const LossFigures figures = figures_of(sums_.loss);
    if (json) {
      return json_line({{"lines", sums_.lines},
                        {"tokens", sums_.loss.tokens},
                        {"unknown_tokens", sums_.unknown_tokens},
                        {"bad_lines", sums_.bad},
                        {"log_prob", 0 - sums_.loss.nats},
                        {"nats_per_token", figures.nats_per_token},
                        {"perplexity", figures.perplexity},
                        {"perplexity_without_unknown", figures.perplexity_without_unknown}});
    }
    std::string text = fmt::format("lines                 {}\n", grouped(sums_.lines));
    text += fmt::format("tokens                {}\n", grouped(sums_.loss.tokens));
    text += fmt::format("unknown tokens        {}\n", grouped(sums_.unknown_tokens));
    if (sums_.bad > 0) text += fmt::format("bad lines             {}\n", grouped(sums_.bad));
    if (sums_.loss.tokens == 0) return text;
    text += fmt::format("nats per token        {:.5f}\n", figures.nats_per_token);
    text += fmt::format("perplexity            {:.4f}\n", figures.perplexity);
    return text + fmt::format("  without unknown     {:.4f}\n", figures.perplexity_without_unknown);
  }

 private:
  std::string (*summary_)(const SummaryContext& context, const ScoreTotals& totals);
  SummaryContext context_;
  ScoreTotals sums_;
};

}  // namespace

std::string score_parameters(const Dialect& dialect, const SummaryContext& context) {
  nlohmann::ordered_json json{{"format", dialect.name}};
  if (dialect.summary != nullptr) {
    json["end"] = context.end;
    json["text_name"] = context.text_name;
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

UnitSums sums_of(const ScoreTotals& line) {
  return {.reals = {line.loss.nats, line.loss.unknown_nats},
          .counts = {line.lines, line.tokens, line.unknown_tokens, line.loss.tokens, line.loss.unknown, line.bad}};
}

std::int64_t bad_lines(const std::vector<std::int64_t>& counts) { return counts.empty() ? 0 : counts.back(); }

std::unique_ptr<UnitTotals> score_totals(const std::string& parameters) {
  return std::make_unique<ScoreUnitTotals>(nlohmann::ordered_json::parse(parameters));
}

}  // namespace unroll
