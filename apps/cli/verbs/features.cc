#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/asked_task.h"
#include "cli/flags/column_flags.h"
#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/flags/shard_flags.h"
#include "cli/shards/count_totals.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/line_batches.h"
#include "cli/streams/quantities.h"
#include "cli/streams/state_rows.h"
#include "cli/streams/terminal.h"
#include "cli/streams/text_batches.h"
#include "cli/verbs/verbs.h"
#include "unroll/data/columns.h"
#include "unroll/error.h"
#include "unroll/probe/text_states.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::size_t kTextsRead = 4096;
constexpr std::int64_t kWordsRead = 4096;

struct FeaturesCommand {
  std::string model;
  std::vector<std::string> files;
  LabelledTextOptions texts;
  bool are_lines = false;  // texts are whole lines, whatever words they hold
  ColumnOptions columns{.tags_needed = false};
  TextStatesOptions options;
  std::string save;  // empty: standard output
  std::string rows;
  bool json = false;
  bool quiet = false;
  ShardRequest shards;  // and whether existing files are replaced
};

void declare_features(Flags& flags, FeaturesCommand& command) {
  flags.heading("States");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--task", "NAME", "what the model does; tag: for the --help of taggers, which read words in columns",
              "that of the model"},
             [](const std::string&) {});
  flags.whole(
      {"--layer", "N", "0: the embedding; N: the output of layer N, both directions one after the other", "the last"},
      {0, kLargestSize}, [&command](std::int64_t n) { command.options.layer = n; });
  flags.text(
      {"--per", "WHAT", "token: a row for each symbol, of a tagger for each word; text: a row for each text", "token"},
      [&command](const std::string& value) {
        command.options.per_text = parse_choice(value, {"token", "text"}) == 1;
      });
  flags.text({"--readout", "NAME",
              "for --per text, how a text's rows become one: last (in both directions: of the layer that reads "
              "backwards the first), mean, max, concat (last, max and mean), attention (if the classifier has it)",
              "that of a classifier, or last"},
             [&command](const std::string& value) { command.options.readout = parse_readout(value); });
  flags.text({"--label", "LABEL", "of a model that was trained with --task conditional: what the texts are given", ""},
             [&command](const std::string& value) { command.options.label = value; });
  flags.heading("Output");
  flags.path({"--save", "FILE",
              "FILE.npy: an array of float32, a row for each row; FILE.tsv: a table; -: the array on standard output",
              "a table on standard output"},
             &command.save);
  flags.path({"--rows", "FILE", "with --save: a table of what each row is about: text, place, symbol", ""},
             &command.rows);
  flags.toggle({"--json", "", "an object per row on standard output", ""}, &command.json);
  flags.exclusive({"--save", "--json"});
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  declare_shard_flags(&flags, "texts", &command.shards);
  flags.exclusive({"--save", "--output"});
}

void check_output(const FeaturesCommand& command) {
  if (!command.rows.empty() && command.save.empty()) {
    throw Error(ErrorCode::kUsage, "--rows is for --save: give both");
  }
  std::vector<std::string> inputs = command.files;
  inputs.push_back(command.model);
  if (!command.rows.empty()) {
    expect_output("--rows", command.rows, inputs, command.shards.overwrite);
    inputs.push_back(command.rows);
  }
  if (command.save.empty() || command.save == "-") return;
  if (!command.save.ends_with(".npy") && !command.save.ends_with(".tsv")) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--save \"{}\": expected a name that ends in .npy or .tsv, or -", command.save));
  }
  expect_output("--save", command.save, inputs, command.shards.overwrite);
}

std::optional<FeaturesCommand> parse_features(const std::vector<std::string>& arguments, const FirstModel& first) {
  FeaturesCommand command;
  command.texts.label_column.clear();
  command.texts.labels_needed = false;
  command.texts.multi_label = true;
  const bool of_words = first.task == TaskKind::kTag;
  Flags flags(
      "unroll features MODEL [FILE|-]... [flags]",
      "Writes the states of a network, the output of one of its layers: a row of numbers for each symbol that it "
      "reads, "
      "or for each text. FILE has a text per line, or is what --format says; .gz is unpacked; without it standard "
      "input "
      "is read. Rows come text by text and symbol by symbol, as `unroll tokenize` cuts a text, without boundaries. "
      "Under "
      "a language model each line begins from the zero state, as for score, and the row of a symbol is the state after "
      "it. Columns of a table are text (its number, from 1), and per token place (of the symbol in the text, from 1) "
      "and symbol, before the numbers h1, h2, ...");
  declare_features(flags, command);
  of_words ? declare_column_flags(&flags, &command.columns) : declare_text_flags(&flags, &command.texts);
  flags.example("unroll features book.safetensors lines.txt --save states.npy", "numpy.load(\"states.npy\") has them.");
  flags.example("unroll features reviews.safetensors new.txt --per text --save vectors.npy",
                "The vector of each text from which a classifier answers.");
  flags.example("echo 'the cat' | unroll features book.safetensors --layer 0", "Embeddings, as a table.");
  flags.example("unroll features pos.safetensors test.conllu --save words.npy --rows words.tsv",
                "A row for each word, and which word that is.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.files = flags.positionals();
  command.model = take_model(command.model, &command.files);
  if (command.files.empty()) command.files = {"-"};
  command.are_lines = first.task != TaskKind::kClassify && !of_words && !flags.given("--format");
  expect_one_standard_input(command.files);
  check_output(command);
  std::vector<std::string> inputs = command.files;
  inputs.push_back(command.model);
  finish_shard_flags(flags, inputs, &command.shards);
  return command;
}

bool has_place(const ColumnSentence& sentence) {
  return !sentence.words.empty() || sentence.format == ColumnFormat::kText;
}

// How the units of the files are read and counted.
class FeatureUnits {
 public:
  FeatureUnits(const FeaturesCommand& command, const Model& model, bool are_words)
      : command_(command),
        coding_(text_coding(model.tokenizer().kind())),
        are_words_(are_words),
        columns_(command.columns) {
    columns_.usual_tag_column = model.task().column;
    columns_.known_tags = model.task().labels;
  }

  [[nodiscard]] CountedInput count(const std::string& file) const {
    if (are_words_) return count_worded(file);
    return command_.are_lines ? count_lines({file}, coding_) : count_texts(texts_of(file), coding_);
  }

  [[nodiscard]] LabelledTextOptions texts_of(const std::string& file) const {
    LabelledTextOptions options = command_.texts;
    options.paths = {file};
    return options;
  }

  [[nodiscard]] bool are_words() const noexcept { return are_words_; }
  [[nodiscard]] TextCoding coding() const noexcept { return coding_; }
  [[nodiscard]] const ColumnOptions& columns() const noexcept { return columns_; }

 private:
  // Sentences that have rows, and blank lines of text.
  [[nodiscard]] CountedInput count_worded(const std::string& file) const {
    CountedInput input;
    ColumnReader reader(file, columns_);
    for (ColumnSentence sentence; reader.next(sentence);) {
      if (has_place(sentence)) input.add(sentence.bytes);
    }
    return input;
  }

  const FeaturesCommand& command_;
  TextCoding coding_;
  bool are_words_;
  ColumnOptions columns_;
};

// Reads texts and writes the rows of their states.
class StateWriting {
 public:
  // Writes those of the units that `out` still needs; `counts`: the units of each file, empty where all are needed.
  StateWriting(const FeaturesCommand& command, const Model& model, std::vector<std::int64_t> counts, UnitOutput& out)
      : command_(command),
        model_(model),
        states_(model, command.options),
        units_(command, model, states_.reads_words()),
        counts_(std::move(counts)),
        out_(out),
        texts_(out.units().first) {
    const StateRowShape shape{.per_text = command.options.per_text, .columns = states_.columns()};
    if (command.json) {
      rows_ = printed_json(shape, out.text());
    } else if (command.save.empty()) {
      rows_ = printed_table(shape, out.text());
    } else {
      rows_ = command.save == "-" ? printed_array(shape, out.text()) : saved_rows(shape, command.save);
    }
    if (!command.rows.empty()) row_names_ = saved_row_names(shape, command.rows);
  }

  void run() {
    out_.end_head();
    UnitRange rest = out_.units();  // counted from the start of the present file
    for (std::size_t i = 0; i < command_.files.size(); ++i) {
      const std::int64_t units = counts_.empty() ? 0 : counts_[i];
      if (counts_.empty() || (rest.last > 0 && rest.first < units)) write_file(command_.files[i], rest);
      rest = {.first = std::max(rest.first - units, std::int64_t{0}), .last = rest.last - units};
    }
    if (row_names_) row_names_->finish();
    rows_->finish();
    out_.finish();
  }

  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    if (states_.cut_texts() > 0) {
      notes.push_back(fmt::format("{} text{} longer than 4,096 tokens, of which the first were read",
                                  grouped(states_.cut_texts()), states_.cut_texts() == 1 ? " is" : "s are"));
    }
    notes.push_back(fmt::format("layer {} of {}: {} row{} of {} numbers, of {} text{}", states_.layer(),
                                model_.config().layers, grouped(count_), count_ == 1 ? "" : "s",
                                grouped(states_.columns()), grouped(texts_), texts_ == 1 ? "" : "s"));
    return notes;
  }

 private:
  void write_file(const std::string& file, const UnitRange& range) {
    if (units_.are_words()) {
      write_sentences(file, range);
    } else if (command_.are_lines) {
      write_lines(file, range);
    } else {
      write_texts(file, range);
    }
  }

  template <class Text>
  void write(const std::vector<Text>& texts, const TextNames& names) {
    std::vector<std::int64_t> rows(texts.size());
    std::size_t at = 0;  // of the texts
    const auto end_before = [&](std::size_t text) {
      while (at < text) out_.end_unit({.counts = {rows[at++]}});
    };
    const auto take = [&](const StateRow& row) {
      end_before(row.text);
      const NumberedRow numbered{.text = texts_ + static_cast<std::int64_t>(row.text) + 1, .row = row};
      rows_->write(numbered);
      if (row_names_) row_names_->write(numbered);
      ++rows[row.text];
      ++count_;
    };
    try {
      states_.read(std::span(texts), names, take);
    } catch (const Error&) {
      rows_->flush();
      throw;
    }
    end_before(texts.size());
    rows_->flush();
    out_.flush();
    texts_ += std::ssize(texts);
  }

  void write_lines(const std::string& file, const UnitRange& range) {
    LineBatches batches(file, LineIds::kNumber, units_.coding(), range);
    LineBatch batch;
    while (batches.next(batch)) {
      write(batch.lines, [&](std::size_t index) {
        return fmt::format("{}, line {}", batches.name(), batch.first_number + static_cast<std::int64_t>(index));
      });
    }
  }

  void write_texts(const std::string& file, const UnitRange& range) {
    const LabelledTextOptions options = units_.texts_of(file);
    TextBatches batches(options, units_.coding(), range);
    std::vector<std::string> texts;
    while (batches.next(texts, kTextsRead)) {
      write(texts, [&](std::size_t index) { return batches.name(index); });
    }
  }

  void write_sentences(const std::string& file, const UnitRange& range) {
    ColumnReader reader(file, units_.columns());
    std::vector<std::vector<std::string>> sentences;
    std::vector<std::int64_t> lines;
    const auto write_batch = [&] {
      write(sentences, [&](std::size_t index) { return fmt::format("{}, line {}", reader.name(), lines.at(index)); });
      sentences.clear();
      lines.clear();
    };
    std::int64_t words = 0;
    std::int64_t read = 0;
    for (ColumnSentence sentence; read < range.last && reader.next(sentence);) {
      if (!has_place(sentence)) continue;
      if (read++ < range.first) continue;
      words += std::ssize(sentence.words) + 1;
      lines.push_back(sentence.line);
      sentences.push_back(std::move(sentence.words));
      if (words < kWordsRead && reader.ready()) continue;
      write_batch();
      words = 0;
    }
    write_batch();
  }

  const FeaturesCommand& command_;
  const Model& model_;
  TextStates states_;
  FeatureUnits units_;
  std::vector<std::int64_t> counts_;
  UnitOutput& out_;
  std::unique_ptr<StateRowWriter> rows_;
  std::unique_ptr<StateRowWriter> row_names_;  // null: not asked for
  std::int64_t texts_;                         // before the present batch
  std::int64_t count_ = 0;                     // rows
};

// Sets `counts` to the units of each file where they are counted.
ShardPlan plan_of(const FeaturesCommand& command, const Model& model, std::vector<std::int64_t>& counts) {
  const FeatureUnits units(command, model, model.task().kind == TaskKind::kTag);
  return {.verb = "features",
          .parameters = count_parameters("texts", {"rows"}),
          .unit = "texts",
          .models = {model_hash(model, command.model)},
          .count =
              [&command, &counts, units] {
                CountedInput all;
                for (const std::string& file : command.files) {
                  const CountedInput one = units.count(file);
                  counts.push_back(one.units);
                  all.units += one.units;
                  all.hash = fnv1a(all.hash, one.hash);
                }
                return all;
              },
          .inputs = command.files};
}

}  // namespace

int run_features(const std::vector<std::string>& arguments) {
  const FirstModel first = find_first_model(arguments);
  const std::optional<FeaturesCommand> command = parse_features(arguments, first);
  if (!command) return 0;
  Terminal terminal(command->quiet);
  const Model model = first.load(command->model);
  std::vector<std::int64_t> counts;
  UnitOutput out(command->shards, plan_of(*command, model, counts), terminal);
  if (out.is_complete()) return 0;
  StateWriting writing(*command, model, std::move(counts), out);
  writing.run();
  for (const std::string& note : writing.notes()) terminal.line(note);
  return 0;
}

}  // namespace unroll
