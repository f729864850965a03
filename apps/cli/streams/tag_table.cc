#include "cli/streams/tag_table.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/streams/data_rows.h"
#include "cli/streams/quantities.h"

namespace unroll {
namespace {

double share_of_words(std::int64_t words, const SentencesSummary& of) {
  return of.words == 0 ? 0 : static_cast<double>(words) / static_cast<double>(of.words);
}

std::string scheme_of(const SentencesSummary& summary) { return std::string(tag_scheme_name(summary.scheme.scheme)); }

std::string sentences_table(const TagReport& report) {
  const SentencesSummary& train = report.train;
  const SentencesSummary& test = report.test;
  DataRows rows(test.sentences > 0);
  rows.count("sentences", train.sentences, test.sentences);
  rows.count("words", train.words, test.words);
  rows.count("different words", train.different_words, test.different_words);
  if (rows.tests()) {
    rows.row("words new in test", "-", fmt::format("{:.1f}%", 100 * share_of_words(report.new_words, test)));
  }
  rows.count("tags", train.tags, test.tags);
  rows.row("scheme of spans", scheme_of(train), scheme_of(test));
  rows.row("repeated", grouped(report.duplicates), "-");
  rows.row("repeated, other tags", grouped(report.contradictions), "-");
  if (rows.tests()) rows.row("in training too", "-", grouped(report.in_both));
  rows.lengths("words", train.sentence_words, test.sentence_words);
  return rows.text();
}

nlohmann::ordered_json json_of(const SentencesSummary& summary) {
  return {{"sentences", summary.sentences},
          {"words", summary.words},
          {"different_words", summary.different_words},
          {"tags", summary.tags},
          {"sentence_words", json_of(summary.sentence_words)},
          {"scheme", tag_scheme_name(summary.scheme.scheme)},
          {"invalid_sentences", summary.scheme.invalid_sentences}};
}

}  // namespace

std::string tag_table(const TagReport& report) {
  std::vector<NamedCount> counts;
  for (const TagCount& count : report.tags) counts.push_back({count.tag, count.words, count.test_words});
  const CountedThings words{.kind = "tag", .things = "words", .all = report.train.words, .test_all = report.test.words};
  return sentences_table(report) + "\n" + table_of_counts(words, counts) + notes_table(report.notes);
}

nlohmann::ordered_json tag_json(const TagReport& report) {
  nlohmann::ordered_json json{{"train", json_of(report.train)}};
  if (report.test.sentences > 0) json["test"] = json_of(report.test);
  nlohmann::ordered_json tags = nlohmann::ordered_json::array();
  for (const TagCount& count : report.tags) {
    tags.push_back({{"tag", count.tag}, {"words", count.words}, {"share", share_of_words(count.words, report.train)}});
    if (report.test.sentences > 0) tags.back()["test_words"] = count.test_words;
  }
  json["tags"] = std::move(tags);
  json["duplicates"] = report.duplicates;
  json["contradictions"] = report.contradictions;
  json["contradiction_examples"] = json_of(report.contradiction_examples);
  if (report.test.sentences > 0) {
    json["new_words"] = report.new_words;
    json["in_both"] = report.in_both;
    json["in_both_with_other_tags"] = report.in_both_with_other_tags;
    json["in_both_examples"] = json_of(report.in_both_examples);
  }
  json["notes"] = notes_json(report.notes);
  return json;
}

}  // namespace unroll
