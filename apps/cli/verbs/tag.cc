#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/column_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/shard_flags.h"
#include "cli/shards/count_totals.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/verbs.h"
#include "json/answers.h"
#include "json/json_text.h"
#include "unroll/data/columns.h"
#include "unroll/error.h"
#include "unroll/label/tagger.h"

namespace unroll {
namespace {

// Words that are tagged at once: enough to keep the processor busy, few enough for steady output.
constexpr std::int64_t kWordsAtOnce = 4096;

struct TagCommand {
  std::string model;
  std::string text;
  ColumnOptions columns{.tags_needed = false};
  TaggerOptions options;
  bool json = false;
  bool quiet = false;
  ShardRequest shards;
};

void add_tag_flags(Flags& flags, TagCommand& command) {
  flags.heading("Text");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  declare_column_flags(&flags, &command.columns);
  flags.heading("Output");
  flags.text({"--scheme", "NAME", "write spans in this scheme: iob1, bio, iobes or bilou", "that of the model"},
             [&command](const std::string& value) { command.options.scheme = parse_tag_scheme(value); });
  flags.toggle({"--json", "", "an object per sentence: words, tags, log_prob", ""}, &command.json);
  flags.whole({"--n-best", "N", "with --json: the N most probable sequences of tags", "1"}, {1, 1000},
              [&command](std::int64_t n) { command.options.n_best = n; });
  flags.toggle({"--confidence", "", "with --json: the probability of each tag", ""}, &command.options.confidence);
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  declare_shard_flags(&flags, "sentences", &command.shards);
}

std::optional<TagCommand> parse_tag(const std::vector<std::string>& arguments) {
  TagCommand command;
  Flags flags("unroll tag MODEL [FILE|-] [flags]",
              "Gives each word of a text its tag. FILE is columns, CoNLL-U or lines of text; a .gz, or standard input. "
              "Tags are written into their column, and every other byte comes back as it was; of text, a line with "
              "word, tab and tag for each word, and a blank line after each sentence. With a scheme of spans, no "
              "sequence is written that the scheme forbids.");
  add_tag_flags(flags, command);
  flags.example("unroll tag pos.safetensors new.conllu > tagged.conllu", "CoNLL-U with new tags.");
  flags.example("echo 'The cat sleeps' | unroll tag pos.safetensors", "A line with word and tag for each word.");
  flags.example("unroll tag names.safetensors test.txt --column new", "Tags next to those that the file has.");
  flags.example("unroll tag names.safetensors test.txt --json --n-best 3 | jq .n_best", "For programs.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> positionals = flags.positionals();
  command.model = take_model(command.model, &positionals);
  command.text = take_text("tag", positionals);
  for (const std::string flag : {"--n-best", "--confidence"}) {
    if (flags.given(flag) && !command.json) throw Error(ErrorCode::kUsage, flag + " is for --json: give both");
  }
  finish_shard_flags(flags, {command.model, command.text}, &command.shards);
  return command;
}

// Tags the sentences of a file as they arrive.
class SentenceTagging {
 public:
  // Tags the sentences that `out` still needs.
  SentenceTagging(const TagCommand& command, const Model& model, Terminal& terminal, UnitOutput& out)
      : command_(command),
        out_(out),
        terminal_(terminal),
        tagger_(model, command.options),
        reader_(command.text, command.columns) {}

  void run() {
    out_.end_head();
    ColumnSentence skipped;
    while (read_ < out_.units().first && reader_.next(skipped)) ++read_;
    while (read_batch()) {
      for (std::size_t i = 0; i < sentences_.size(); ++i) words_.push_back(sentences_[i].words);
      const std::vector<std::vector<TagSequence>> answers = tagger_.tag(words_);
      for (std::size_t i = 0; i < sentences_.size(); ++i) {
        out_.text().write(written(sentences_[i], answers[i]));
        out_.end_unit({.counts = {std::ssize(sentences_[i].words)}});
      }
      out_.flush();
    }
    if (failure_) throw Error(*failure_);
    out_.finish();
  }

 private:
  // Sentences up to an error, to the end, or to where a pipe pauses; false if there is none.
  bool read_batch() {
    sentences_.clear();
    words_.clear();
    std::int64_t words = 0;
    try {
      for (ColumnSentence sentence; words < kWordsAtOnce && read_ < out_.units().last && reader_.next(sentence);) {
        say_format();
        ++read_;
        words += static_cast<std::int64_t>(sentence.words.size()) + 1;
        sentences_.push_back(std::move(sentence));
        if (!reader_.ready()) break;
      }
    } catch (const Error& error) {
      failure_ = error;
    }
    return !sentences_.empty();
  }

  void say_format() {
    if (said_) return;
    said_ = true;
    const std::string_view format = column_format_name(reader_.format());
    const std::string scheme =
        tagger_.scheme() == TagScheme::kNone ? "" : fmt::format("; spans in {}", tag_scheme_name(tagger_.scheme()));
    if (reader_.format() == ColumnFormat::kText) {
      terminal_.line(fmt::format("{} is read as text, a sentence per line{}", reader_.name(), scheme));
    } else {
      terminal_.line(fmt::format("{} is read as {}; tags go to column {}{}", reader_.name(), format,
                                 reader_.tag_column(), scheme));
    }
  }

  [[nodiscard]] std::string written(const ColumnSentence& sentence, const std::vector<TagSequence>& answers) const {
    if (!command_.json) return with_tags(sentence, answers.front().tags);
    if (sentence.words.empty() && sentence.format != ColumnFormat::kText) return "";
    return json_line(tagged_json(sentence.words, answers, command_.options.n_best > 1));
  }

  const TagCommand& command_;
  UnitOutput& out_;
  Terminal& terminal_;
  Tagger tagger_;
  ColumnReader reader_;
  bool said_ = false;
  std::int64_t read_ = 0;  // sentences
  std::vector<ColumnSentence> sentences_;
  std::vector<std::vector<std::string>> words_;
  std::optional<Error> failure_;  // met after sentences that were not written yet
};

ShardPlan plan_of(const TagCommand& command, const Model& model) {
  return {.verb = "tag",
          .parameters = count_parameters("sentences", {"words"}),
          .unit = "sentences",
          .models = {model_hash(model, command.model)},
          .count = [&command] { return count_sentences(command.text, command.columns); },
          .inputs = {command.text}};
}

}  // namespace

int run_tag(const std::vector<std::string>& arguments) {
  std::optional<TagCommand> parsed = parse_tag(arguments);
  if (!parsed) return 0;
  TagCommand& command = *parsed;
  Terminal terminal(command.quiet);
  const Model model = Model::load(command.model);
  command.columns.usual_tag_column = model.task().column;
  command.columns.known_tags = model.task().labels;
  UnitOutput out(command.shards, plan_of(command, model), terminal);
  if (out.is_complete()) return 0;
  SentenceTagging(command, model, terminal, out).run();
  return 0;
}

}  // namespace unroll
