#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "cli/report/sections.h"
#include "draw/pictures/gradient.h"
#include "draw/shown.h"
#include "unroll/look/gradient_flow.h"
#include "unroll/look/truncation.h"
#include "unroll/look/unrolled_text.h"
#include "unroll/scorer.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostLines = 24;
constexpr std::size_t kMostLineBytes = 600;
constexpr double kReportShades = 8;

struct FirstLines {
  std::vector<std::string> lines;
  std::vector<std::int64_t> numbers;  // in the file, from 1
};

// Those that are not blank, each cut at a character.
FirstLines first_lines(std::string_view text) {
  FirstLines first;
  for (std::int64_t number = 1; !text.empty() && std::ssize(first.lines) < kMostLines; ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    std::size_t size = std::min(line.size(), kMostLineBytes);
    while (size < line.size() && size > 0 && (static_cast<unsigned char>(line[size]) & 0xC0U) == 0x80U) --size;
    first.lines.emplace_back(line.substr(0, size));
    first.numbers.push_back(number);
  }
  return first;
}

// A guess among all symbols is the darkest shade.
int shade_of(double nats, double guess) {
  return static_cast<int>(std::clamp(std::floor(kReportShades * nats / guess), 0.0, kReportShades - 1));
}

// White space is left as it is, or its line would not wrap; the end of the line is shown.
std::string shown_part(const TokenScore& token) {
  if (token.text == "\n") return "⏎";
  return token.text == " " ? token.text : shown_symbol(token.text);
}

void write_line(Html& html, const Score& score, double guess, bool spaced) {
  html.open_any_direction("p", "line");
  for (const TokenScore& token : score.tokens) {
    if (token.given) {
      html.put("span", shown_part(token));
    } else {
      const double bits = -token.log_prob / std::numbers::ln2;
      html.put_hinted("span", shown_part(token), fmt::format("s s{}", shade_of(-token.log_prob, guess)),
                      fmt::format("{}: {:.2f} bits, rank {}", shown_symbol(token.text), bits, token.rank));
    }
    if (spaced) html.words(" ");
  }
  html.close();
}

void write_shades(Html& html) {
  html.open("p", "small");
  html.words("Surprise: ");
  const int last = static_cast<int>(kReportShades) - 1;
  for (int shade = 0; shade <= last; ++shade) {
    const std::string_view words = shade == 0 ? "expected" : shade == last ? "a guess, or worse" : "\u00A0\u00A0";
    html.put("span", words, fmt::format("s s{}", shade));
  }
  html.close();
}

std::string total_words(const std::vector<Score>& scores, const std::vector<std::string>& lines) {
  double nats = 0;
  std::int64_t predictions = 0;
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    nats -= scores[i].log_prob;
    predictions += scores[i].predictions;
    bytes += std::ssize(lines[i]) + 1;
  }
  return fmt::format("{} symbols, {:.4f} nats each; {:.4f} bits per byte, ends of lines included",
                     with_commas(predictions), nats / static_cast<double>(std::max<std::int64_t>(1, predictions)),
                     nats / std::numbers::ln2 / static_cast<double>(std::max<std::int64_t>(1, bytes)));
}

bool any_writes_text(const std::vector<Subject>& subjects) {
  return std::ranges::any_of(subjects,
                             [](const Subject& subject) { return subject.model && writes_text(*subject.model); });
}

}  // namespace

void write_lines(Html& html, const std::vector<Subject>& subjects, const ReportText& text) {
  if (!any_writes_text(subjects)) return;
  html.put("h2", "Held-out lines");
  html.put("p", fmt::format("The first lines of {}: the more a symbol stands out, the less the model expected it.",
                            text_name(text.path)));
  write_shades(html);
  for (const Subject& subject : subjects) {
    if (!subject.model || !writes_text(*subject.model)) continue;
    const Model& model = *subject.model;
    const TokenizerKind kind = model.tokenizer().kind();
    const FirstLines first = first_lines(read_text(text.path, text_coding(kind)));
    Scorer scorer(model, {.threads = text.threads});
    const std::vector<Score> scores = scorer.score(
        first.lines, [&](std::size_t i) { return fmt::format("{}, line {}", text_name(text.path), first.numbers[i]); });
    html.put("h3", subject.name);
    html.put("p", total_words(scores, first.lines), "small");
    html.open("div", "lines");
    const double guess = std::log(static_cast<double>(model.tokenizer().size()));
    for (const Score& score : scores) write_line(html, score, guess, tokens_are_words(kind));
    html.close();
  }
}

void write_gradients(Html& html, const std::vector<Subject>& subjects, const ReportText& text) {
  if (!any_writes_text(subjects)) return;
  constexpr std::int64_t kMostSteps = 2048;
  std::vector<NamedFlow> flows;
  for (const Subject& subject : subjects) {
    if (!subject.model || !writes_text(*subject.model)) continue;
    const std::string bytes = read_text(text.path, text_coding(subject.model->tokenizer().kind()));
    const UnrolledText unrolled(*subject.model, {bytes, text_name(text.path)},
                                {.most_steps = kMostSteps, .threads = text.threads});
    flows.push_back(
        {.name = subject.name, .bptt = trained_bptt(*subject.model), .line = gradient_flow(unrolled).lines.front()});
  }
  html.put("h2", "Gradients");
  const Picture picture = flow_picture(flows, false);
  html.put("p",
           "How much of a prediction's gradient is left, steps back: the median over many predictions, and the "
           "quartiles behind it.");
  html.figure(picture);
}

}  // namespace unroll
