#include "cli/verbs/compare_tags.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/flags/column_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/comparison.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "json/json_text.h"
#include "unroll/data/columns.h"
#include "unroll/error.h"
#include "unroll/judge/spans.h"
#include "unroll/label/tagger.h"

namespace unroll {
namespace {

constexpr std::int64_t kWordsOfBatch = 8192;

struct CompareTagsCommand {
  std::string a;
  std::string b;
  std::vector<std::string> files;
  ColumnOptions columns;
  SpanRule rule = SpanRule::kConlleval;
  bool json = false;
  bool quiet = false;
  int threads = 0;
};

std::optional<CompareTagsCommand> parse_compare_tags(const std::vector<std::string>& arguments) {
  CompareTagsCommand command;
  bool strict = false;
  Flags flags(
      "unroll compare A B FILE... [flags]",
      "Compares two models that tag words on the same sentences: is one of them better, or was it only luckier? "
      "Prints accuracy and, where tags mark spans, F1 of spans of both, with the probability of such a "
      "difference between models that are equally good, and the words that they tag differently.");
  flags.heading("Flags");
  flags.text({"--task", "tag", "what the models do; with --help, whose flags are listed", "that of A"},
             [](const std::string&) {});
  flags.toggle({"--strict", "", "count only spans that their scheme marks in full, not all that conlleval counts", ""},
               &strict);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  declare_column_flags(&flags, &command.columns);
  flags.example("unroll compare old.safetensors new.safetensors test.conllu", "Is the new tagger better?");
  if (!flags.parse(arguments)) return std::nullopt;
  const std::vector<std::string>& paths = flags.positionals();
  if (paths.size() < 3) throw Error(ErrorCode::kUsage, "give two models and a FILE: unroll compare A B FILE");
  command.a = paths[0];
  command.b = paths[1];
  command.files.assign(paths.begin() + 2, paths.end());
  command.rule = strict ? SpanRule::kStrict : SpanRule::kConlleval;
  expect_one_standard_input(paths);
  return command;
}

using TagLists = std::vector<std::vector<std::string>>;

// Sentences with their tags and those of both models.
struct BothTags {
  TaggedTexts texts;
  TagScheme scheme = TagScheme::kNone;  // of the sentences
  TagLists right;
  TagLists a;
  TagLists b;
};

TagLists right_tags(const TaggedTexts& texts) {
  TagLists lists;
  for (const TaggedSentence& sentence : texts.sentences) {
    std::vector<std::string>& tags = lists.emplace_back();
    for (const std::int32_t tag : sentence.tags) tags.push_back(texts.tags[static_cast<std::size_t>(tag)]);
  }
  return lists;
}

TagScheme scheme_of_tags(const TagLists& lists) {
  SchemeFinder finder;
  for (const std::vector<std::string>& tags : lists) finder.add(tags);
  return finder.found().scheme;
}

// The answers are given in the scheme of the sentences, where both have one.
TagLists tags_by(const Model& model, const BothTags& both, int threads, Terminal& terminal) {
  TaggerOptions options{.threads = threads};
  if (both.scheme != TagScheme::kNone && !model.task().scheme.empty()) options.scheme = both.scheme;
  Tagger tagger(model, options);
  TagLists lists;
  const std::vector<TaggedSentence>& sentences = both.texts.sentences;
  while (lists.size() < sentences.size()) {
    std::vector<std::vector<std::string>> batch;
    for (std::int64_t words = 0; words < kWordsOfBatch && lists.size() + batch.size() < sentences.size();) {
      batch.push_back(sentences[lists.size() + batch.size()].words);
      words += std::ssize(batch.back());
    }
    for (std::vector<TagSequence>& answer : tagger.tag(batch)) lists.push_back(std::move(answer.front().tags));
    if (terminal.live_due()) terminal.live(fmt::format("tagging  {}%", 100 * lists.size() / sentences.size()));
  }
  return lists;
}

SpanEvaluation evaluation_of(const CompareTagsCommand& command, const BothTags& both, const TagLists& found) {
  SpanEvaluation evaluation(command.rule, both.scheme);
  for (std::size_t i = 0; i < found.size(); ++i) evaluation.add(both.right[i], found[i]);
  return evaluation;
}

std::vector<ComparedMeasure> compare_tags(const CompareTagsCommand& command, const BothTags& both) {
  const BootstrapOptions options{.resamples = resamples_in_seconds(std::ssize(both.right), kMostSwaps)};
  const SpanEvaluation a = evaluation_of(command, both, both.a);
  const SpanEvaluation b = evaluation_of(command, both, both.b);
  std::vector<ComparedMeasure> measures;
  const auto add = [&](const std::string& key, const std::string& name, const PairedComparison& found) {
    measures.push_back({.key = key, .name = name, .found = found, .test = swap_test(found, options.resamples)});
  };
  add("accuracy", "accuracy", compare_f1(a.words_of_sentences(), b.words_of_sentences(), options));
  if (both.scheme != TagScheme::kNone) {
    add("span_f1", "F1 of spans", compare_f1(a.spans_of_sentences(), b.spans_of_sentences(), options));
  }
  return measures;
}

// Calls visit(sentence, word) for words that the two tag differently.
template <class Visit>
void for_each_difference(const BothTags& both, const Visit& visit) {
  for (std::size_t i = 0; i < both.right.size(); ++i) {
    for (std::size_t w = 0; w < both.right[i].size(); ++w) {
      if (both.a[i][w] != both.b[i][w]) visit(i, w);
    }
  }
}

std::string tags_json(const CompareTagsCommand& command, const BothTags& both) {
  nlohmann::ordered_json object{
      {"a", command.a}, {"b", command.b}, {"sentences", both.right.size()}, {"words", both.texts.words}};
  put_measures(&object, compare_tags(command, both));
  nlohmann::ordered_json& differing = object["differing"] = nlohmann::ordered_json::array();
  for_each_difference(both, [&](std::size_t i, std::size_t w) {
    const TaggedSentence& sentence = both.texts.sentences[i];
    differing.push_back({{"file", both.texts.files[static_cast<std::size_t>(sentence.file)]},
                         {"line", sentence.line},
                         {"place", w + 1},
                         {"word", sentence.words[w]},
                         {"tag", both.right[i][w]},
                         {"a", both.a[i][w]},
                         {"b", both.b[i][w]}});
  });
  return json_line(object);
}

std::string tags_text(const CompareTagsCommand& command, const BothTags& both) {
  std::string text = comparison_head(command.a, command.b);
  text += comparison_table(compare_tags(command, both));
  text += fmt::format("# {} words in {} sentences\n", grouped(both.texts.words), grouped(std::ssize(both.right)));
  text += "# columns: sentence word-number word tag A B\n";
  for_each_difference(both, [&](std::size_t i, std::size_t w) {
    const TaggedSentence& sentence = both.texts.sentences[i];
    const std::string place = shown_place(both.texts.files, static_cast<std::size_t>(sentence.file), sentence.line);
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", escaped(place), w + 1, escaped(sentence.words[w]),
                        escaped(both.right[i][w]), escaped(both.a[i][w]), escaped(both.b[i][w]));
  });
  return text;
}

BothTags tag_both(const CompareTagsCommand& command, const FirstModel& first, Terminal& terminal) {
  const Model a = first.load(command.a);
  const Model b = first.load(command.b);
  ColumnOptions columns = command.columns;
  columns.usual_tag_column = a.task().column;
  BothTags both;
  both.texts = read_tagged_texts(command.files, columns);
  both.right = right_tags(both.texts);
  both.scheme = scheme_of_tags(both.right);
  if (command.rule == SpanRule::kStrict && both.scheme == TagScheme::kNone) {
    throw Error(ErrorCode::kUsage, "--strict: the tags of the sentences mark no spans");
  }
  both.a = tags_by(a, both, command.threads, terminal);
  both.b = tags_by(b, both, command.threads, terminal);
  return both;
}

}  // namespace

int run_compare_tags(const std::vector<std::string>& arguments, const FirstModel& first) {
  const std::optional<CompareTagsCommand> parsed = parse_compare_tags(arguments);
  if (!parsed) return 0;
  const CompareTagsCommand& command = *parsed;
  Terminal terminal(command.quiet);
  const BothTags both = tag_both(command, first, terminal);
  Output out;
  out.write(command.json ? tags_json(command, both) : tags_text(command, both));
  out.flush();
  return 0;
}

}  // namespace unroll
