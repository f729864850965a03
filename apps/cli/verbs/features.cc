#include <fmt/core.h>

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
#include "cli/streams/line_batches.h"
#include "cli/streams/output.h"
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
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
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
  flags.toggle({"--overwrite", "", "replace FILE", ""}, &command.overwrite);
  flags.toggle({"--json", "", "an object per row on standard output", ""}, &command.json);
  flags.exclusive({"--save", "--json"});
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
}

void check_output(const FeaturesCommand& command) {
  if (!command.rows.empty() && command.save.empty()) {
    throw Error(ErrorCode::kUsage, "--rows is for --save: give both");
  }
  std::vector<std::string> inputs = command.files;
  inputs.push_back(command.model);
  if (!command.rows.empty()) {
    expect_output("--rows", command.rows, inputs, command.overwrite);
    inputs.push_back(command.rows);
  }
  if (command.save.empty() || command.save == "-") return;
  if (!command.save.ends_with(".npy") && !command.save.ends_with(".tsv")) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--save \"{}\": expected a name that ends in .npy or .tsv, or -", command.save));
  }
  expect_output("--save", command.save, inputs, command.overwrite);
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
  return command;
}

// Reads texts and writes the rows of their states.
class StateWriting {
 public:
  StateWriting(const FeaturesCommand& command, const Model& model, Output& out)
      : command_(command), model_(model), states_(model, command.options) {
    const StateRowShape shape{.per_text = command.options.per_text, .columns = states_.columns()};
    if (command.json) {
      rows_ = printed_json(shape, out);
    } else if (command.save.empty()) {
      rows_ = printed_table(shape, out);
    } else {
      rows_ = command.save == "-" ? printed_array(shape, out) : saved_rows(shape, command.save);
    }
    if (!command.rows.empty()) row_names_ = saved_row_names(shape, command.rows);
  }

  void run() {
    for (const std::string& file : command_.files) {
      if (states_.reads_words()) {
        write_sentences(file);
      } else if (command_.are_lines) {
        write_lines(file);
      } else {
        write_texts(file);
      }
    }
    if (row_names_) row_names_->finish();
    rows_->finish();
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
  template <class Text>
  void write(const std::vector<Text>& texts, const TextNames& names) {
    const auto take = [this](const StateRow& row) {
      const NumberedRow numbered{.text = texts_ + static_cast<std::int64_t>(row.text) + 1, .row = row};
      rows_->write(numbered);
      if (row_names_) row_names_->write(numbered);
      ++count_;
    };
    try {
      states_.read(std::span(texts), names, take);
    } catch (const Error&) {
      rows_->flush();
      throw;
    }
    rows_->flush();
    texts_ += std::ssize(texts);
  }

  void write_lines(const std::string& file) {
    LineBatches batches(file, LineIds::kNumber, text_coding(model_.tokenizer().kind()));
    LineBatch batch;
    while (batches.next(batch)) {
      write(batch.lines, [&](std::size_t index) {
        return fmt::format("{}, line {}", batches.name(), batch.first_number + static_cast<std::int64_t>(index));
      });
    }
  }

  void write_texts(const std::string& file) {
    LabelledTextOptions options = command_.texts;
    options.paths = {file};
    TextBatches batches(options, text_coding(model_.tokenizer().kind()));
    std::vector<std::string> texts;
    while (batches.next(texts, kTextsRead)) {
      write(texts, [&](std::size_t index) { return batches.name(index); });
    }
  }

  void write_sentences(const std::string& file) {
    ColumnOptions options = command_.columns;
    options.usual_tag_column = model_.task().column;
    options.known_tags = model_.task().labels;
    ColumnReader reader(file, options);
    std::vector<std::vector<std::string>> sentences;
    std::vector<std::int64_t> lines;
    const auto write_batch = [&] {
      write(sentences, [&](std::size_t index) { return fmt::format("{}, line {}", reader.name(), lines.at(index)); });
      sentences.clear();
      lines.clear();
    };
    std::int64_t words = 0;
    for (ColumnSentence sentence; reader.next(sentence);) {
      if (sentence.words.empty() && sentence.format != ColumnFormat::kText) continue;
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
  std::unique_ptr<StateRowWriter> rows_;
  std::unique_ptr<StateRowWriter> row_names_;  // null: not asked for
  std::int64_t texts_ = 0;                     // before the present batch
  std::int64_t count_ = 0;                     // rows
};

}  // namespace

int run_features(const std::vector<std::string>& arguments) {
  const FirstModel first = find_first_model(arguments);
  const std::optional<FeaturesCommand> command = parse_features(arguments, first);
  if (!command) return 0;
  Terminal terminal(command->quiet);
  const Model model = first.load(command->model);
  Output out;
  StateWriting writing(*command, model, out);
  writing.run();
  for (const std::string& note : writing.notes()) terminal.line(note);
  return 0;
}

}  // namespace unroll
