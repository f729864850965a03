#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "draw/chart.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "draw/word_bars.h"
#include "unroll/error.h"
#include "unroll/label/classifier.h"
#include "unroll/label/explanation.h"
#include "unroll/look/pooled_steps.h"

namespace unroll {
namespace {

constexpr std::size_t kMostAnswered = 200;  // tokens
constexpr double kAnswersPage = 760;
constexpr double kAnswersMargin = 24;

// What one classifier says of a text.
struct AnsweredText {
  std::string name;
  std::vector<std::string> labels;
  std::vector<std::string> pieces;      // the tokens that were read
  std::vector<ClassifiedText> answers;  // after each of them, first after none
  std::vector<std::int32_t> ranked;     // the most probable labels in the end
  bool multi_label = false;
  bool has_lines = false;  // the text has several lines, each of which would be a text of its own to the command
  std::vector<std::string> given;  // the labels that it gives in the end
  Explanation explanation;         // of the most probable one
  Readout readout = Readout::kLast;
  bool both_directions = false;
  std::vector<double> shares;  // that each token, and the end after them, has in what is read out
  std::int64_t unread = 0;

  [[nodiscard]] const std::string& best() const { return labels[static_cast<std::size_t>(ranked.front())]; }
  [[nodiscard]] double probability() const {
    return answers.back().probabilities[static_cast<std::size_t>(ranked.front())];
  }
};

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

// What the answer is read off.
std::string read_off(const AnsweredText& said) {
  switch (said.readout) {
    case Readout::kLast:
      return said.both_directions ? "the last state of each direction alone" : "the last state alone";
    case Readout::kMax:
      return "the largest value of each unit over all steps";
    case Readout::kMean:
      return "the mean of the states of all steps";
    case Readout::kConcat:
      return "the last state, the largest values and the mean over all steps";
    case Readout::kAttention:
      return "a mean over all steps, weighted by attention";
    case Readout::kSteps:
      break;
  }
  return "every step";
}

std::vector<double> shares_of_steps(const PictureRequest& request, const Model& model, const std::string& text,
                                    std::size_t tokens) {
  if (text.find_first_not_of(" \t\r\v\f\n") == std::string::npos) return {1};
  const UnrolledText read(model, {text, request.text_name}, {.one_text = true, .threads = request.threads});
  std::vector<double> shares = pooled_steps(read);
  shares.resize(tokens + 1);
  return shares;
}

AnsweredText answered(const PictureRequest& request, const DrawnModel& drawn) {
  const Model& model = drawn.model;
  if (model.task().kind != TaskKind::kClassify) {
    throw Error(ErrorCode::kUsage,
                fmt::format("the model's task is {}: expected a classifier or a tagger, which answer with labels",
                            task_name(model.task().kind)));
  }
  std::string text = request.text;
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  AnsweredText said{.name = drawn.name,
                    .labels = {},
                    .pieces = {},
                    .answers = {},
                    .ranked = {},
                    .given = {},
                    .explanation = {},
                    .readout = model.config().readout,
                    .both_directions = model.config().bidirectional,
                    .shares = {}};
  const std::vector<std::string> prefixes = prefixes_of(model.tokenizer(), text, said.unread);
  said.pieces = added(prefixes);
  said.has_lines = text.find('\n') != std::string::npos;
  Classifier classifier(model, {.threads = request.threads});
  said.labels = classifier.labels();
  for (const std::string& prefix : prefixes) {
    check_wanted(request);
    said.answers.push_back(classifier.classify(prefix));
  }
  said.ranked = classifier.ranked(said.answers.back());
  said.multi_label = classifier.multi_label();
  for (const std::int32_t label : classifier.answers(said.answers.back())) {
    said.given.push_back(said.labels[static_cast<std::size_t>(label)]);
  }
  said.ranked.resize(std::min(said.ranked.size(), kMostSeries));
  check_wanted(request);
  said.explanation = Explainer(model, request.threads).explain(prefixes.back(), said.ranked.front());
  said.shares = shares_of_steps(request, model, prefixes.back(), said.pieces.size());
  return said;
}

double draw_moved(Svg& svg, const AnsweredText& said, double y) {
  WordBars bars{.group = "moved",
                .title = fmt::format("what speaks for {}", shown_symbol(said.best(), 30)),
                .ends = {"against", "for"}};
  for (const ExplainedToken& token : said.explanation.tokens) bars.values.push_back(token.attribution);
  set_signed_scale(bars);
  return draw_word_bars(svg, said.pieces, bars, {kAnswersMargin, y}, kAnswersPage - 2 * kAnswersMargin);
}

// Of what is read off one state or a mean there is nothing to choose.
bool chooses_steps(const AnsweredText& said) {
  return said.readout == Readout::kMax || said.readout == Readout::kAttention || said.readout == Readout::kConcat;
}

double draw_shares(Svg& svg, const AnsweredText& said, double y) {
  if (!chooses_steps(said)) {
    svg.text({kAnswersMargin, y}, "small", "the answer is read off " + read_off(said));
    return y + 16;
  }
  WordBars bars{.group = "read",
                .title = said.readout == Readout::kAttention ? "how much attention reads off each step"
                         : said.readout == Readout::kMax     ? "how many units are greatest at each step"
                                                             : "what is read off each step: end, greatest, mean",
                .values = said.shares};
  bars.most = std::ranges::max(said.shares);
  bars.ends = {"0%", percent(bars.most)};
  std::vector<std::string> words = said.pieces;
  words.emplace_back("(end)");
  return draw_word_bars(svg, words, bars, {kAnswersMargin, y}, kAnswersPage - 2 * kAnswersMargin);
}

double draw_lines(Svg& svg, const AnsweredText& said, double y) {
  const Plane plane{.corner = {64, y},
                    .width = kAnswersPage - 64 - 24,
                    .height = 220,
                    .left = 0,
                    .right = static_cast<double>(std::max<std::size_t>(1, said.answers.size() - 1)),
                    .bottom = 0,
                    .top = 1,
                    .counts = true};
  draw_grid(svg, plane, "tokens read", "probability of the label");
  double below = plane.edge_bottom() + 60;
  for (std::size_t i = 0; i < said.ranked.size(); ++i) {
    const auto label = static_cast<std::size_t>(said.ranked[i]);
    std::vector<Point> points;
    for (std::size_t t = 0; t < said.answers.size(); ++t) {
      points.push_back(plane.at(static_cast<double>(t), said.answers[t].probabilities[label]));
    }
    svg.open_group("answer", {{"data-series", i}, {"data-label", said.labels[label]}});
    draw_line(svg, points, line_class(i));
    const std::string name = shown_symbol(said.labels[label], 50);
    draw_legend(svg, {kAnswersMargin, below}, i,
                fmt::format("{}: {}", name, percent(said.answers.back().probabilities[label])));
    svg.close();
    below += 20;
  }
  return below;
}

double draw_said(Svg& svg, const AnsweredText& said, bool named, double y) {
  if (named) {
    svg.text({kAnswersMargin, y + 14}, "", shown_name(said.name, 60));
    y += 30;
  }
  y = draw_lines(svg, said, y + 36);
  y = draw_moved(svg, said, y + 10);
  y = draw_shares(svg, said, y + 14);
  if (said.unread == 0) return y;
  svg.text({kAnswersMargin, y + 10}, "small",
           fmt::format("the first {} tokens; {} more were not read", kMostAnswered, said.unread));
  return y + 24;
}

// A row for each token of each model; labels are those of all.
PictureTable table_of(const std::vector<AnsweredText>& all) {
  PictureTable table;
  if (all.size() > 1) table.columns.emplace_back("model");
  table.columns.insert(table.columns.end(), {"tokens read", "last", "speaks for it", "read out"});
  std::vector<std::string> labels;
  for (const AnsweredText& said : all) {
    for (const std::string& label : said.labels) {
      if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
    }
  }
  table.columns.insert(table.columns.end(), labels.begin(), labels.end());
  for (const AnsweredText& said : all) {
    for (std::size_t t = 0; t < said.answers.size(); ++t) {
      std::vector<Datum> row;
      if (all.size() > 1) row.emplace_back(said.name);
      row.emplace_back(static_cast<std::int64_t>(t));
      row.push_back(t == 0 ? Datum() : Datum(said.pieces[t - 1]));
      row.push_back(t == 0 || t > said.explanation.tokens.size() ? Datum()
                                                                 : Datum(said.explanation.tokens[t - 1].attribution));
      row.push_back(t == 0 ? Datum() : Datum(said.shares[t - 1]));
      for (const std::string& label : labels) {
        const auto found = std::ranges::find(said.labels, label);
        const auto k = static_cast<std::size_t>(found - said.labels.begin());
        row.push_back(found == said.labels.end() ? Datum() : Datum(said.answers[t].probabilities[k]));
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

// What it gives: one label with its probability, or any number of them.
std::string given_words(const AnsweredText& said) {
  if (!said.multi_label && !said.given.empty()) {
    return fmt::format("{} with {}", shown_symbol(said.given.front(), 30), percent(said.probability()));
  }
  if (said.given.empty()) {
    return fmt::format("no label ({} with {} is below its threshold)", shown_symbol(said.best(), 30),
                       percent(said.probability()));
  }
  std::string labels;
  for (const std::string& label : said.given) labels += (labels.empty() ? "" : ", ") + shown_symbol(label, 30);
  return fmt::format("{} at {} of {} thresholds", labels, said.given.size(), said.labels.size());
}

std::string words_of(const AnsweredText& said) { return given_words(said) + ", read off " + read_off(said); }

// Of one classifier, with what the last point is.
std::string sentence_of(const AnsweredText& said) {
  const std::string each = "each point is what the model says of the text so far";
  if (said.unread > 0) {
    return fmt::format("After the first {} of {} tokens the answer is {}; {}", said.pieces.size(),
                       std::ssize(said.pieces) + said.unread, words_of(said), each);
  }
  const std::string tokens =
      said.pieces.size() == 1 ? "the only token" : fmt::format("all {} tokens", said.pieces.size());
  const std::string last = said.has_lines ? ", its lines being one text" : ", the last is what `unroll classify` says";
  return fmt::format("After {} the answer is {}; {}{}", tokens, words_of(said), each, last);
}

}  // namespace

Picture draw_answers(const PictureRequest& request) {
  if (request.models.at(0).model.task().kind == TaskKind::kTag) return draw_tags(request);
  if (request.options.at) {
    throw Error(ErrorCode::kUsage, "`at` is a word that a tagger tags, and the model classifies whole texts", "at");
  }
  std::vector<AnsweredText> all;
  for (const DrawnModel& drawn : request.models) all.push_back(answered(request, drawn));
  const AnsweredText& first = all.front();
  Picture picture{.title = "What the classifier says after each word"};
  picture.table = table_of(all);
  Svg svg;
  double y = 0;
  for (const AnsweredText& said : all) y = draw_said(svg, said, all.size() > 1, y) + 20;
  if (all.size() == 1) {
    picture.sentence = sentence_of(first);
  } else {
    for (const AnsweredText& said : all) {
      picture.sentence +=
          fmt::format("{}{}: {}", picture.sentence.empty() ? "" : "; ", shown_name(said.name, 40), words_of(said));
    }
  }
  picture.facts = {{"answer", first.best()},
                   {"probability", first.probability()},
                   {"tokens", std::ssize(first.pieces)},
                   {"unread_tokens", first.unread},
                   {"readout", std::string(readout_name(first.readout))},
                   {"read_out_at_end", first.shares.back()}};
  finish(picture, request, svg, kAnswersPage, y - 12);
  return picture;
}

}  // namespace unroll
