#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "draw/chart.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"

namespace unroll {
namespace {

constexpr std::int64_t kSoftmaxBars = 10;
constexpr std::int64_t kOthers = -1;
constexpr double kSoftmaxRow = 26;
constexpr double kSoftmaxTop = 64;

// Where the columns of the picture begin, and how wide their bars are.
constexpr double kLabels = 112;  // the end of the labels
constexpr double kLogits = 128;
constexpr double kExps = 300;
constexpr double kShares = 400;
constexpr double kCosts = 640;
constexpr double kLogitWidth = 150;
constexpr double kShareWidth = 170;
constexpr double kCostWidth = 150;
constexpr double kSoftmaxPage = 860;

// One row: a symbol, or the rest of them.
struct SoftmaxRow {
  std::int64_t id = kOthers;
  double logit = 0;
  double exp = 0;  // of (logit - the largest) / temperature
  double share = 0;
};

// All shares at a temperature, by id; exact: shares of 0 degrees are 1 and 0.
std::vector<SoftmaxRow> softmax_of(const std::vector<float>& logits, double temperature) {
  const double highest = *std::ranges::max_element(logits);
  const auto first = std::ranges::max_element(logits) - logits.begin();
  std::vector<SoftmaxRow> rows;
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double logit = logits[i];
    const bool is_first = static_cast<std::int64_t>(i) == first;
    const double exp = temperature > 0 ? std::exp((logit - highest) / temperature) : (is_first ? 1.0 : 0.0);
    rows.push_back({.id = static_cast<std::int64_t>(i), .logit = logit, .exp = exp});
    sum += exp;
  }
  for (SoftmaxRow& row : rows) row.share = row.exp / sum;
  return rows;
}

// The most probable ones, the one that came, and the rest as one row.
std::vector<SoftmaxRow> shown_rows(std::vector<SoftmaxRow> rows, std::int64_t target) {
  const auto before = [](const SoftmaxRow& a, const SoftmaxRow& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  std::ranges::sort(rows, before);
  const auto count = std::min<std::int64_t>(kSoftmaxBars, std::ssize(rows));
  const auto came = std::ranges::find(rows, target, &SoftmaxRow::id);
  std::vector<SoftmaxRow> shown(rows.begin(), rows.begin() + count);
  if (came - rows.begin() >= count) shown.push_back(*came);
  SoftmaxRow rest;
  for (auto row = rows.begin() + count; row != rows.end(); ++row) {
    if (row == came) continue;
    rest.exp += row->exp;
    rest.share += row->share;
  }
  if (std::ssize(shown) < std::ssize(rows)) shown.push_back(rest);
  return shown;
}

struct SoftmaxScales {
  double least_logit = 0;
  double most_logit = 0;
  double most_cost = 0;  // nats
  double ln_v = 0;
};

double cost_of(const SoftmaxRow& row) { return row.share > 0 ? std::max(0.0, -std::log(row.share)) : INFINITY; }

SoftmaxScales scales_of(const std::vector<SoftmaxRow>& rows, std::size_t vocabulary) {
  SoftmaxScales scales{.ln_v = std::log(static_cast<double>(vocabulary))};
  scales.most_cost = scales.ln_v * 1.15;
  for (const SoftmaxRow& row : rows) {
    if (row.id == kOthers) continue;
    scales.least_logit = std::min(scales.least_logit, row.logit);
    scales.most_logit = std::max(scales.most_logit, row.logit);
    if (std::isfinite(cost_of(row))) scales.most_cost = std::max(scales.most_cost, cost_of(row) * 1.1);
  }
  if (scales.most_logit == scales.least_logit) scales.most_logit = 1;
  return scales;
}

void draw_softmax_row(Svg& svg, const SoftmaxRow& row, const SoftmaxScales& scales, const std::string& label, double y,
                      bool came) {
  svg.open_group(came ? "row came" : "row", {{"data-id", row.id}, {"data-share", fmt::format("{}", row.share)}});
  svg.hint(fmt::format("{}: share {}", label, row.share));
  if (came) svg.rect({8, y - 18}, kSoftmaxPage - 16, kSoftmaxRow, "mark");
  svg.text({kLabels, y}, row.id == kOthers ? "small end" : "symbol end", label);
  const double zero = kLogits + kLogitWidth * -scales.least_logit / (scales.most_logit - scales.least_logit);
  if (row.id != kOthers) {
    const double end = zero + kLogitWidth * row.logit / (scales.most_logit - scales.least_logit);
    svg.rect({std::min(zero, end), y - 12}, std::abs(end - zero), 14, "logit");
    svg.text({kLogits + kLogitWidth + 8, y}, "small", fmt::format("{:.2f}", row.logit));
  }
  svg.text({kExps + 84, y}, "small end", three_digits(row.exp));
  svg.rect({kShares, y - 12}, kShareWidth * row.share, 14, "share");
  svg.text({kShares + kShareWidth * row.share + 6, y}, "small", percent(row.share));
  if (row.id != kOthers && std::isfinite(cost_of(row))) {
    const double x = kCosts + kCostWidth * cost_of(row) / scales.most_cost;
    svg.line({kCosts, y - 5}, {x, y - 5}, "cost");
    svg.put("circle", {{"cx", x}, {"cy", y - 5}, {"r", 3.5}, {"class", "cost"}});
    svg.text({kCosts + kCostWidth + 12, y}, "small", fmt::format("{:.2f}", cost_of(row)));
  }
  svg.close();
}

void draw_softmax_heads(Svg& svg, const SoftmaxScales& scales, double bottom, double temperature) {
  svg.text({kLabels, kSoftmaxTop - 30}, "small end", "next symbol");
  svg.text({kLogits, kSoftmaxTop - 30}, "small", temperature == 1 ? "logit" : "logit z");
  svg.text({kExps + 84, kSoftmaxTop - 30}, "small end",
           temperature == 1 ? "exp(z \xE2\x88\x92 max)" : "exp((z \xE2\x88\x92 max)/T)");
  svg.text({kShares, kSoftmaxTop - 30}, "small", "share = exp / sum");
  svg.text({kCosts, kSoftmaxTop - 30}, "small", "cost = \xE2\x88\x92ln share, nats");
  const double zero = kLogits + kLogitWidth * -scales.least_logit / (scales.most_logit - scales.least_logit);
  svg.line({zero, kSoftmaxTop - 18}, {zero, bottom}, "grid");
  svg.line({kShares, kSoftmaxTop - 18}, {kShares, bottom}, "grid");
  svg.line({kCosts, kSoftmaxTop - 18}, {kCosts, bottom}, "grid");
  const double x = kCosts + kCostWidth * scales.ln_v / scales.most_cost;
  svg.line({x, kSoftmaxTop - 18}, {x, bottom}, "guess");
  svg.text({x, bottom + 16}, "small middle", fmt::format("a guess costs ln V = {:.2f}", scales.ln_v));
}

}  // namespace

Picture draw_softmax(const PictureRequest& request) {
  const UnrolledText text = unrolled_with_end(request);
  const Tokenizer& tokenizer = text.model().tokenizer();
  const std::int64_t at = asked_step(request, text);
  const double temperature = request.options.temperature;
  const std::vector<SoftmaxRow> all = softmax_of(text.logits(at), temperature);
  const std::vector<SoftmaxRow> rows = shown_rows(all, text.target(at));
  const SoftmaxScales scales = scales_of(rows, all.size());
  const SoftmaxRow& came = all.at(static_cast<std::size_t>(text.target(at)));
  const double sum = std::accumulate(all.begin(), all.end(), 0.0,
                                     [](double so_far, const SoftmaxRow& row) { return so_far + row.exp; });

  Picture picture{.title = "From logits to probabilities"};
  picture.table.columns = {"symbol", "logit", "exp", "share"};
  Svg svg;
  const double bottom = kSoftmaxTop + kSoftmaxRow * static_cast<double>(rows.size() - 1) + 10;
  draw_softmax_heads(svg, scales, bottom, temperature);
  double y = kSoftmaxTop;
  for (const SoftmaxRow& row : rows) {
    const bool is_rest = row.id == kOthers;
    const std::string label = is_rest ? fmt::format("{} others", with_commas(std::ssize(all) - std::ssize(rows) + 1))
                                      : shown_symbol(tokenizer, static_cast<std::int32_t>(row.id), 11);
    draw_softmax_row(svg, row, scales, label, y, row.id == came.id);
    const std::string whole = is_rest ? label : tokenizer.symbol(static_cast<std::int32_t>(row.id));
    picture.table.rows.push_back({whole, is_rest ? Datum() : Datum(row.logit), row.exp, row.share});
    y += kSoftmaxRow;
  }
  svg.text({kExps + 84, bottom + 16}, "small end", fmt::format("sum {}", three_digits(sum)));
  const std::string cost =
      std::isfinite(cost_of(came)) ? fmt::format("costs {:.2f} nats", cost_of(came)) : "costs without bound";
  picture.sentence =
      fmt::format("After {}, {} has a share of {}{} and {}, and a guess among {} symbols {:.2f}",
                  quoted_symbol(tokenizer, text.input(at)), quoted_symbol(tokenizer, text.target(at)),
                  percent(came.share), temperature == 1 ? "" : fmt::format(" at temperature {}", temperature), cost,
                  with_commas(std::ssize(all)), scales.ln_v);
  picture.facts = {{"at", at},
                   {"V", std::ssize(all)},
                   {"ln_v", scales.ln_v},
                   {"sum", sum},
                   {"share", came.share},
                   {"cost", cost_of(came)},
                   {"temperature", temperature}};
  finish(picture, request, svg, kSoftmaxPage, bottom + 30);
  return picture;
}

}  // namespace unroll
