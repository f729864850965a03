#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "draw/text_flow.h"
#include "unroll/error.h"
#include "unroll/label/tagger.h"

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
  picture.sentence = fmt::format(
      "Of {} words {} {} another tag once the words after them are read; the last row is what `unroll tag` says",
      words.size(), changed, changed == 1 ? "gets" : "get");
  picture.facts = {{"words", std::ssize(words)},
                   {"unread_words", static_cast<std::int64_t>(all - words.size())},
                   {"changed", changed}};
  finish(picture, request, svg, kTagsPage, below + 20);
  return picture;
}

}  // namespace unroll
