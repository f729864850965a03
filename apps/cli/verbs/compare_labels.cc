#include "cli/verbs/compare_labels.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/comparison.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/answered_texts.h"
#include "json/json_text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

struct CompareLabelsCommand {
  std::string a;
  std::string b;
  LabelledTextOptions texts;
  bool json = false;
  bool quiet = false;
  int threads = 0;
};

std::optional<CompareLabelsCommand> parse_compare_labels(const std::vector<std::string>& arguments) {
  CompareLabelsCommand command;
  Flags flags(
      "unroll compare A B FILE... [flags]",
      "Compares two models that classify texts on the same labelled texts: is one of them better, or was it only "
      "luckier? Prints accuracy and F1 of both with the probability of such a difference between models that are "
      "equally good, and the texts to which they give different answers.");
  flags.heading("Flags");
  flags.text({"--task", "classify", "what the models do; with --help, whose flags are listed", "that of A"},
             [](const std::string&) {});
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  declare_data_flags(&flags, &command.texts);
  flags.example("unroll compare old.safetensors new.safetensors test.csv", "Is the new model better?");
  flags.example("unroll compare a.safetensors b.safetensors test.csv --json | jq .accuracy.p_value", "For programs.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> paths = flags.positionals();
  if (paths.size() < 3) throw Error(ErrorCode::kUsage, "give two models and a FILE: unroll compare A B FILE");
  command.a = paths[0];
  command.b = paths[1];
  command.texts.paths.assign(paths.begin() + 2, paths.end());
  expect_one_standard_input(paths);
  return command;
}

// Both models' answers to the same texts.
struct BothAnswers {
  LabelledTexts texts;
  LabelSets right;
  LabelSets a;
  LabelSets b;
  std::vector<std::string> notes;  // on the texts
};

// How many texts each of both got right.
struct RightTexts {
  std::int64_t both = 0;
  std::int64_t only_a = 0;
  std::int64_t only_b = 0;
  std::int64_t neither = 0;
};

bool same_set(std::vector<std::int32_t> a, std::vector<std::int32_t> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

RightTexts count_right(const BothAnswers& both) {
  RightTexts counts;
  for (std::size_t i = 0; i < both.right.size(); ++i) {
    const bool a = same_set(both.a[i], both.right[i]);
    const bool b = same_set(both.b[i], both.right[i]);
    ++(a && b ? counts.both : a ? counts.only_a : b ? counts.only_b : counts.neither);
  }
  return counts;
}

std::vector<HitCounts> exact_counts(const LabelSets& right, const LabelSets& answers) {
  std::vector<HitCounts> counts;
  for (std::size_t i = 0; i < right.size(); ++i) {
    counts.push_back({.hits = same_set(right[i], answers[i]) ? 1 : 0, .answered = 1, .support = 1});
  }
  return counts;
}

std::vector<HitCounts> label_counts(const LabelSets& right, const LabelSets& answers) {
  std::vector<HitCounts> counts;
  for (std::size_t i = 0; i < right.size(); ++i) {
    HitCounts text{.hits = 0, .answered = std::ssize(answers[i]), .support = std::ssize(right[i])};
    for (const std::int32_t label : answers[i]) {
      text.hits += std::ranges::find(right[i], label) != right[i].end() ? 1 : 0;
    }
    counts.push_back(text);
  }
  return counts;
}

std::vector<ComparedMeasure> compare_answers(const BothAnswers& both, const RightTexts& counts) {
  const BootstrapOptions options{.resamples = resamples_in_seconds(std::ssize(both.right), kMostSwaps)};
  PairedComparison accuracy =
      compare_f1(exact_counts(both.right, both.a), exact_counts(both.right, both.b), {.resamples = options.resamples});
  accuracy.p_value = mcnemar_p_value(counts.only_a, counts.only_b);
  std::vector<ComparedMeasure> measures = {{.key = "accuracy",
                                            .name = both.texts.multi_label ? "exact match" : "accuracy",
                                            .found = accuracy,
                                            .test = "McNemar's, exact"}};
  const auto add = [&](const std::string& key, const std::string& name, const PairedComparison& found) {
    measures.push_back({.key = key, .name = name, .found = found, .test = swap_test(found, options.resamples)});
  };
  add("macro_f1", "macro F1", compare_macro_f1(both.right, both.a, both.b, std::ssize(both.texts.labels), options));
  if (both.texts.multi_label) {
    add("micro_f1", "micro F1",
        compare_f1(label_counts(both.right, both.a), label_counts(both.right, both.b), options));
  }
  return measures;
}

std::string comparison_json(const CompareLabelsCommand& command, const BothAnswers& both, const RightTexts& counts) {
  nlohmann::ordered_json object{{"a", command.a}, {"b", command.b}, {"texts", both.right.size()}};
  put_measures(&object, compare_answers(both, counts));
  object["right"] = {
      {"both", counts.both}, {"only_a", counts.only_a}, {"only_b", counts.only_b}, {"neither", counts.neither}};
  nlohmann::ordered_json& differing = object["differing"] = nlohmann::ordered_json::array();
  const auto names = [&](const std::vector<std::int32_t>& set) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const std::int32_t label : set) list.push_back(both.texts.labels[static_cast<std::size_t>(label)]);
    return list;
  };
  for (std::size_t i = 0; i < both.right.size(); ++i) {
    if (same_set(both.a[i], both.b[i])) continue;
    const LabelledText& text = both.texts.texts[i];
    differing.push_back({{"file", both.texts.files[static_cast<std::size_t>(text.file)]},
                         {"line", text.line},
                         {"labels", names(both.right[i])},
                         {"a", names(both.a[i])},
                         {"b", names(both.b[i])},
                         {"text", text.text}});
  }
  object["notes"] = both.notes;
  return json_line(object);
}

std::string comparison_text(const CompareLabelsCommand& command, const BothAnswers& both, const RightTexts& counts) {
  std::string text = comparison_head(command.a, command.b);
  text += comparison_table(compare_answers(both, counts));
  text +=
      fmt::format("# of {} texts right: both {}, A alone {}, B alone {}, neither {}\n", grouped(std::ssize(both.right)),
                  grouped(counts.both), grouped(counts.only_a), grouped(counts.only_b), grouped(counts.neither));
  for (const std::string& note : both.notes) text += fmt::format("# {}\n", visible(note));
  text += "# columns: place label A B text\n";
  for (std::size_t i = 0; i < both.right.size(); ++i) {
    if (same_set(both.a[i], both.b[i])) continue;
    const LabelledText& one = both.texts.texts[i];
    const std::string place = shown_place(both.texts.files, static_cast<std::size_t>(one.file), one.line);
    const auto names = [&](const LabelSets& sets) { return escaped(names_in(sets[i], both.texts.labels)); };
    text += fmt::format("{}\t{}\t{}\t{}\t{}\n", escaped(place), names(both.right), names(both.a), names(both.b),
                        escaped(one.text));
  }
  return text;
}

BothAnswers answer_both(const CompareLabelsCommand& command, const FirstModel& first, Terminal& terminal) {
  Classifier a(first.load(command.a), {.threads = command.threads});
  Classifier b(first.load(command.b), {.threads = command.threads});
  if (a.multi_label() != b.multi_label()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("'{}' gives a text one label and '{}' any number: they do not compare",
                            a.multi_label() ? command.b : command.a, a.multi_label() ? command.a : command.b));
  }
  LabelledTextOptions options = command.texts;
  if (options.multi_label && !a.multi_label()) {
    throw Error(ErrorCode::kUsage, "--multi-label: the models give each text one label");
  }
  options.multi_label = a.multi_label();
  std::vector<std::string> known = a.labels();
  for (const std::string& label : b.labels()) {
    if (std::ranges::find(a.labels(), label) == a.labels().end()) known.push_back(label);
  }
  BothAnswers both;
  both.texts = read_labelled_texts(options);
  renumber_labels(both.texts, known);
  both.right = right_labels(both.texts);
  AnsweredTexts of_a = answer_texts(a, both.texts, terminal);
  AnsweredTexts of_b = answer_texts(b, both.texts, terminal);
  both.notes = notes_on_texts(both.texts, known.size(), std::max(of_a.cut, of_b.cut));
  both.a = std::move(of_a.answers);
  both.b = std::move(of_b.answers);
  return both;
}

}  // namespace

int run_compare_labels(const std::vector<std::string>& arguments, const FirstModel& first) {
  const std::optional<CompareLabelsCommand> parsed = parse_compare_labels(arguments);
  if (!parsed) return 0;
  const CompareLabelsCommand& command = *parsed;
  Terminal terminal(command.quiet);
  const BothAnswers both = answer_both(command, first, terminal);
  const RightTexts counts = count_right(both);
  Output out;
  out.write(command.json ? comparison_json(command, both, counts) : comparison_text(command, both, counts));
  out.flush();
  return 0;
}

}  // namespace unroll
