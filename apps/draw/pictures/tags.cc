#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "draw/text_flow.h"
#include "draw/word_bars.h"
#include "unroll/error.h"
#include "unroll/label/tagger.h"
#include "unroll/look/answer_gradients.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {
namespace {

constexpr std::size_t kMostTagged = 100;  // words
constexpr double kTagsPage = 860;
constexpr double kTagsMargin = 110;
constexpr double kTagsLine = 88;

std::vector<std::string> words_between_blanks(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// The tag of a word, and its probability.
struct TagAnswer {
  std::string tag;
  double confidence = 0;
};

// The tag of the last of the first words.
TagAnswer last_answer(Tagger& tagger, const std::vector<std::string>& words, std::size_t count) {
  const std::vector<std::string> first(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
  const TagSequence tags = tagger.tag(first).front();
  return {.tag = tags.tags.back(), .confidence = tags.confidence.back()};
}

// What each word adds to the log-odds of a word's tag: the gradient times what enters the network there.
std::vector<double> moves_of(const PictureRequest& request, const std::vector<std::string>& words, std::int64_t at,
                             const std::string& tag) {
  const Model& model = request.models.front().model;
  const std::vector<std::string>& labels = model.task().labels;
  const auto label = static_cast<std::int32_t>(std::ranges::find(labels, tag) - labels.begin());
  const std::string sentence = fmt::format("{}", fmt::join(words, " "));
  const UnrolledText text(model, {sentence, request.text_name}, {.one_text = true, .threads = request.threads});
  AnswerGradients back(text);
  back.take({.text = 0, .word = at, .label = label});
  const double without = 1 - back.probability();
  std::vector<double> moves;
  for (std::int64_t t = back.first(); t < back.end(); ++t) {
    const std::span<const float> x = text.x(0, t);
    const std::span<const double> gradient = back.x(t);
    double sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) sum -= static_cast<double>(x[j]) * gradient[j];
    moves.push_back(without > 0 ? sum / without : sum);
  }
  return moves;
}

// The word that is asked about; -1: none.
std::int64_t asked_word(const PictureRequest& request, std::size_t words) {
  const std::int64_t at = request.options.at.value_or(-1);
  if (at < static_cast<std::int64_t>(words)) return at;
  throw Error(ErrorCode::kUsage, fmt::format("`at` is {}: the text has the words 0 to {}", at, words - 1), "at");
}

void draw_answer(Svg& svg, const TagAnswer& answer, const SymbolCell& cell, double y, bool differs) {
  const double middle = cell.corner.x + cell.width / 2;
  if (differs) svg.rect({cell.corner.x + 1, y - 12}, cell.width - 2, 17, "mark");
  svg.text({middle, y}, "middle", shown_symbol(answer.tag, 12));
  svg.rect({cell.corner.x + 4, y + 6}, cell.width - 8, 3, "track");
  svg.rect({cell.corner.x + 4, y + 6}, (cell.width - 8) * answer.confidence, 3, "share");
}

}  // namespace

Picture draw_tags(const PictureRequest& request) {
  std::vector<std::string> words = words_between_blanks(request.text);
  if (words.empty()) throw Error(ErrorCode::kInput, request.text_name + ": it has no word");
  const std::size_t all = words.size();
  words.resize(std::min(all, kMostTagged));
  if (request.models.size() > 1) {
    throw Error(ErrorCode::kUsage, "answers of taggers are drawn one model at a time", "beside");
  }
  const std::int64_t at = asked_word(request, words.size());
  Tagger tagger(request.models.at(0).model, {.threads = request.threads, .confidence = true});
  std::vector<TagAnswer> so_far;
  for (std::size_t count = 1; count <= words.size(); ++count) {
    check_wanted(request);
    so_far.push_back(last_answer(tagger, words, count));
  }
  const TagSequence whole = tagger.tag(words).front();

  Picture picture{.title = "What the tagger says after each word"};
  picture.table.columns = {"word", "tag so far", "probability so far", "tag", "probability"};
  std::vector<SymbolCell> cells = cells_of(words);
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i].width = std::max(cells[i].width + 6, 76.0);
  const double below =
      place(cells, {.corner = {kTagsMargin, 20}, .width = kTagsPage - kTagsMargin - 16, .line_height = kTagsLine});
  Svg svg;
  std::int64_t changed = 0;
  double labelled = -1;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const SymbolCell& cell = cells[i];
    const TagAnswer end{.tag = whole.tags[i], .confidence = whole.confidence[i]};
    const bool differs = end.tag != so_far[i].tag;
    changed += differs ? 1 : 0;
    if (cell.corner.y != labelled) {
      labelled = cell.corner.y;
      svg.text({kTagsMargin - 12, labelled + 37}, "small end", "read so far");
      svg.text({kTagsMargin - 12, labelled + 65}, "small end", "in the end");
    }
    svg.open_group("word", {{"data-word", i}});
    svg.hint(fmt::format("{}: {} with {}, in the end {} with {}", cell.shown, so_far[i].tag,
                         percent(so_far[i].confidence), end.tag, percent(end.confidence)));
    svg.text({cell.corner.x + cell.width / 2, cell.corner.y + 14}, "symbol middle", cell.shown);
    draw_answer(svg, so_far[i], cell, cell.corner.y + 37, differs);
    draw_answer(svg, end, cell, cell.corner.y + 65, differs);
    svg.close();
    picture.table.rows.push_back({words[i], so_far[i].tag, so_far[i].confidence, end.tag, end.confidence});
  }
  if (all > words.size()) {
    svg.text({kTagsMargin, below + 8}, "small",
             fmt::format("the first {} of {} words", words.size(), with_commas(static_cast<std::int64_t>(all))));
  }
  double end = below + 20;
  std::string moved;
  if (at >= 0) {
    const auto asked = static_cast<std::size_t>(at);
    const std::string& tag = whole.tags[asked];
    const std::string word = shown_symbol(words[asked], 20);
    check_wanted(request);
    WordBars bars{.group = "moved",
                  .title = fmt::format("what speaks for {} at {}", shown_symbol(tag, 12), word),
                  .ends = {"against", "for"},
                  .values = moves_of(request, words, at, tag)};
    set_signed_scale(bars);
    end = draw_word_bars(svg, words, bars, {kTagsMargin, below + 34}, kTagsPage - kTagsMargin - 16, at) + 12;
    picture.table.columns.push_back("speaks for it");
    for (std::size_t i = 0; i < words.size(); ++i) picture.table.rows[i].emplace_back(bars.values[i]);
    const auto most = static_cast<std::size_t>(std::ranges::max_element(bars.values) - bars.values.begin());
    moved = fmt::format("; for {} at {} speaks {} most", shown_symbol(tag, 12), word, shown_symbol(words[most], 20));
  }
  const bool has_lines = request.text.find_first_not_of(" \t\r\v\f\n", request.text.find('\n')) != std::string::npos;
  const std::string said = words.size() < all ? fmt::format("{} more words were not read", all - words.size())
                           : has_lines        ? std::string("its lines are read as one sentence")
                                              : std::string("the last row is what `unroll tag` says");
  picture.sentence =
      fmt::format("Of {} {} {} another tag once the words after them are read; {}",
                  counted(std::ssize(words), words.size() < all ? "first word" : "word"),
                  changed == 0 ? std::string("none") : std::to_string(changed), changed > 1 ? "get" : "gets", said);
  picture.sentence += moved;
  picture.facts = {{"words", std::ssize(words)},
                   {"unread_words", static_cast<std::int64_t>(all - words.size())},
                   {"changed", changed}};
  finish(picture, request, svg, kTagsPage, end);
  return picture;
}

}  // namespace unroll
