#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/chart.h"
#include "draw/heat_rows.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "draw/text_flow.h"
#include "unroll/error.h"
#include "unroll/label/classifier.h"
#include "unroll/label/explanation.h"

namespace unroll {
namespace {

constexpr std::size_t kMostAnswered = 200;  // tokens
constexpr double kAnswersPage = 760;
constexpr double kAnswersMargin = 24;

// The text so far, after each of its tokens; first nothing.
std::vector<std::string> prefixes_of(const Tokenizer& tokenizer, const std::string& text, std::int64_t& unread) {
  const std::vector<Token> tokens = tokenizer.encode_line({text, "the text"});
  std::vector<std::string> prefixes{""};
  for (const Token& token : tokens) {
    if (prefixes.size() > kMostAnswered) break;
    prefixes.push_back(text.substr(0, static_cast<std::size_t>(token.offset + token.length)));
  }
  unread = std::ssize(tokens) + 1 - std::ssize(prefixes);
  if (unread == 0) prefixes.back() = text;
  return prefixes;
}

// The piece that each prefix adds to the one before.
std::vector<std::string> added(const std::vector<std::string>& prefixes) {
  std::vector<std::string> pieces;
  for (std::size_t i = 1; i < prefixes.size(); ++i) {
    std::string piece = prefixes[i].substr(prefixes[i - 1].size());
    while (piece.size() > 1 && piece.front() == ' ') piece.erase(0, 1);
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

double draw_moved(Svg& svg, const std::vector<std::string>& pieces, const Explanation& explanation,
                  const std::string& label, double y) {
  double largest = 1e-9;
  for (const ExplainedToken& token : explanation.tokens) largest = std::max(largest, std::abs(token.attribution));
  std::vector<SymbolCell> cells = cells_of(pieces);
  for (SymbolCell& cell : cells) cell.width += 5;
  svg.text({kAnswersMargin, y}, "small", fmt::format("what speaks for {}", label));
  draw_scale(svg, {kAnswersMargin + 420, y - 11}, "against", "for");
  const double below =
      place(cells, {.corner = {kAnswersMargin, y + 14}, .width = kAnswersPage - 2 * kAnswersMargin, .line_height = 30});
  for (std::size_t t = 0; t < cells.size() && t < explanation.tokens.size(); ++t) {
    const SymbolCell& cell = cells[t];
    const double moved = explanation.tokens[t].attribution;
    svg.open_group("moved", {{"data-t", t}, {"data-attribution", fmt::format("{:.6g}", moved)}});
    svg.hint(fmt::format("{}: {:+.3f}", cell.shown, moved));
    svg.text({cell.corner.x + cell.width / 2, cell.corner.y + 14}, "symbol middle", cell.shown);
    svg.rect({cell.corner.x + 1, cell.corner.y + 18}, cell.width - 2, 7, scale_class(moved, -largest, largest));
    svg.close();
  }
  return below;
}

}  // namespace

Picture draw_answers(const PictureRequest& request) {
  const Model& model = request.models.at(0).model;
  if (model.task().kind == TaskKind::kTag) return draw_tags(request);
  if (model.task().kind != TaskKind::kClassify) {
    throw Error(ErrorCode::kUsage,
                fmt::format("the model's task is {}: expected a classifier or a tagger, which answer with labels",
                            task_name(model.task().kind)));
  }
  std::string text = request.text;
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  std::int64_t unread = 0;
  const std::vector<std::string> prefixes = prefixes_of(model.tokenizer(), text, unread);
  const std::vector<std::string> pieces = added(prefixes);
  Classifier classifier(model, {.threads = request.threads});
  std::vector<ClassifiedText> answers;
  for (const std::string& prefix : prefixes) {
    check_wanted(request);
    answers.push_back(classifier.classify(prefix));
  }
  std::vector<std::int32_t> ranked = classifier.ranked(answers.back());
  ranked.resize(std::min(ranked.size(), kMostSeries));
  check_wanted(request);
  const Explanation explanation = Explainer(model, request.threads).explain(prefixes.back(), ranked.front());

  Picture picture{.title = "What the classifier says after each word"};
  picture.table.columns = {"tokens read", "last", "speaks for it"};
  for (const std::string& label : classifier.labels()) picture.table.columns.push_back(label);
  for (std::size_t t = 0; t < answers.size(); ++t) {
    std::vector<Datum> row{static_cast<std::int64_t>(t), t == 0 ? Datum() : Datum(pieces[t - 1])};
    row.push_back(t == 0 || t > explanation.tokens.size() ? Datum() : Datum(explanation.tokens[t - 1].attribution));
    for (const double share : answers[t].probabilities) row.emplace_back(share);
    picture.table.rows.push_back(std::move(row));
  }
  Svg svg;
  const Plane plane{.corner = {64, 36},
                    .width = kAnswersPage - 64 - 24,
                    .height = 220,
                    .left = 0,
                    .right = static_cast<double>(std::max<std::size_t>(1, answers.size() - 1)),
                    .bottom = 0,
                    .top = 1,
                    .counts = true};
  draw_grid(svg, plane, "tokens read", "probability of the label");
  double y = plane.edge_bottom() + 60;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    const auto label = static_cast<std::size_t>(ranked[i]);
    std::vector<Point> points;
    for (std::size_t t = 0; t < answers.size(); ++t) {
      points.push_back(plane.at(static_cast<double>(t), answers[t].probabilities[label]));
    }
    svg.open_group("answer", {{"data-series", i}, {"data-label", classifier.labels()[label]}});
    draw_line(svg, points, line_class(i));
    const std::string name = shown_symbol(classifier.labels()[label], 50);
    draw_legend(svg, {kAnswersMargin, y}, i, fmt::format("{}: {}", name, percent(answers.back().probabilities[label])));
    svg.close();
    y += 20;
  }
  const std::string best = shown_symbol(classifier.labels()[static_cast<std::size_t>(ranked.front())], 30);
  y = draw_moved(svg, pieces, explanation, best, y + 10);
  if (unread > 0) {
    svg.text({kAnswersMargin, y + 10}, "small",
             fmt::format("the first {} tokens; {} more were not read", kMostAnswered, unread));
    y += 24;
  }
  picture.sentence = fmt::format(
      "After all {} tokens the answer is {} with {}; each point is what the model says of the text "
      "so far, the last is what `unroll classify` says",
      pieces.size(), best, percent(answers.back().probabilities[static_cast<std::size_t>(ranked.front())]));
  picture.facts = {{"answer", classifier.labels()[static_cast<std::size_t>(ranked.front())]},
                   {"probability", answers.back().probabilities[static_cast<std::size_t>(ranked.front())]},
                   {"tokens", std::ssize(pieces)},
                   {"unread_tokens", unread}};
  finish(picture, request, svg, kAnswersPage, y + 8);
  return picture;
}

}  // namespace unroll
