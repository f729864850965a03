#include "train/task_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "base/warn.h"
#include "data/hold_out.h"
#include "label/encoding.h"
#include "text/corpus.h"
#include "text/lines.h"
#include "text/vocabulary.h"
#include "train/class_weights.h"
#include "train/dense_text.h"
#include "train/held_out.h"
#include "train/task_fingerprint.h"
#include "unroll/error.h"
#include "unroll/judge/tag_scheme.h"

namespace unroll {
namespace {

std::int64_t count_unknown(const Examples& examples, const Tokenizer& tokenizer) {
  return tokenizer.unknown() < 0 ? 0 : std::ranges::count(examples.ids, tokenizer.unknown());
}

// Words that occur once stand for those that training does not see.
std::vector<std::uint8_t> rare_words(const Examples& train, const Tokenizer& tokenizer) {
  if (!tokens_are_words(tokenizer.kind()) || tokenizer.unknown() < 0) return {};
  std::vector<std::int64_t> counts(static_cast<std::size_t>(tokenizer.size()));
  for (const std::int32_t id : train.ids) ++counts[static_cast<std::size_t>(id)];
  std::vector<std::uint8_t> rare;
  for (const std::int64_t count : counts) rare.push_back(count == 1 ? 1 : 0);
  return rare;
}

// What the texts of a task are read with, besides themselves.
struct TextSource {
  const Model* init = nullptr;       // whose vocabulary and characters are taken
  std::string_view unlabelled = {};  // a text whose words belong to the vocabulary too
};

// What all tasks have in common, once texts are encoded. Words that a language model has seen are learned already,
// however rare they are here.
TrainingText finished(Tokenizer tokenizer, TaskText task, const TextSource& source) {
  TrainingText text{.tokenizer = std::move(tokenizer), .train = {}, .valid = {}, .fingerprint = {}};
  if (source.init == nullptr && source.unlabelled.empty()) task.rare = rare_words(task.train, text.tokenizer);
  text.train_unknown = count_unknown(task.train, text.tokenizer);
  text.valid_unknown = count_unknown(task.valid, text.tokenizer);
  text.task = std::move(task);
  text.fingerprint = task_fingerprint(*text.task);
  return text;
}

template <class Texts, class TextOf>
Tokenizer train_tokenizer(TokenizerOptions options, const Texts& texts, const TextOf& text_of, const std::string& name,
                          const TextSource& source) {
  if (source.init != nullptr) return source.init->tokenizer();
  std::string all(source.unlabelled);
  if (!all.empty()) options.min_count = std::max<std::int64_t>(2, options.min_count);
  for (const auto& one : texts) {
    all += text_of(one);
    all += '\n';
  }
  return Tokenizer::train(options, {all, name});
}

// Texts to train on and to validate on, with one list of labels.
struct LabelledParts {
  LabelledTexts train;
  LabelledTexts valid;
  DataReport report;
};

LabelledTexts take(const LabelledTexts& texts, const std::vector<std::size_t>& places) {
  LabelledTexts part{.texts = {}, .labels = texts.labels, .files = texts.files, .multi_label = texts.multi_label};
  for (const std::size_t place : places) part.texts.push_back(texts.texts[place]);
  return part;
}

void expect_known_labels(const LabelledTexts& texts, std::size_t known, const std::vector<std::string>& labels) {
  for (std::size_t i = 0; i < texts.texts.size(); ++i) {
    for (const std::int32_t label : texts.texts[i].labels) {
      if (static_cast<std::size_t>(label) < known) continue;
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: the label {} is not among the {} of the texts to train on: {}", texts.place(i),
                              quote(texts.labels[static_cast<std::size_t>(label)]), known,
                              fmt::join(std::span(labels).first(std::min<std::size_t>(8, known)), ", ")));
    }
  }
}

LabelledParts read_labelled_parts(const TrainOptions& options) {
  LabelledTextOptions how = options.task.texts;
  how.paths = options.text.paths;
  LabelledTexts texts = read_labelled_texts(how);
  expect_trainable(texts);
  if (options.text.valid.empty()) {
    const TextSplit split = held_out(options, texts);
    return {.train = take(texts, split.train), .valid = take(texts, split.valid), .report = describe_data(texts)};
  }
  how.paths = {options.text.valid};
  LabelledTexts valid = read_labelled_texts(how);
  renumber_labels(valid, texts.labels);
  expect_known_labels(valid, texts.labels.size(), texts.labels);
  DataReport report = describe_data(texts, &valid);
  return {.train = std::move(texts), .valid = std::move(valid), .report = std::move(report)};
}

// Labels, sets and weights of texts.
void set_answers(const LabelledTexts& texts, const std::vector<double>& label_weights, Examples& examples) {
  const std::size_t K = texts.labels.size();
  bool weighted = !label_weights.empty();
  for (const LabelledText& text : texts.texts) weighted = weighted || text.weight != 1;
  for (const LabelledText& text : texts.texts) {
    if (texts.multi_label) {
      examples.labels.push_back(0);
      examples.sets.resize(examples.sets.size() + K);
      for (const std::int32_t label : text.labels) {
        examples.sets[examples.sets.size() - K + static_cast<std::size_t>(label)] = 1;
      }
    } else {
      examples.labels.push_back(text.labels.front());
    }
    if (!weighted) continue;
    const double of_label = label_weights.empty() ? 1 : label_weights[static_cast<std::size_t>(text.labels.front())];
    examples.weights.push_back(static_cast<float>(text.weight * of_label));
  }
}

Examples encode_texts(const Tokenizer& tokenizer, const Task& task, const LabelledTexts& texts) {
  Examples examples;
  TextEncoder encoder(tokenizer, task);
  for (std::size_t i = 0; i < texts.texts.size(); ++i) {
    static_cast<void>(encoder.append(texts.texts[i].text, texts.place(i), examples));
  }
  return examples;
}

using WordCounts = std::unordered_map<std::string, std::int64_t>;

// Characters that occur at least twice, by their bytes.
std::vector<std::string> characters_in(const WordCounts& words) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& [word, count] : words) {
    for (std::string& character : characters_of(word)) counts[std::move(character)] += count;
  }
  std::vector<std::string> characters;
  for (const auto& [character, count] : counts) {
    if (count > 1) characters.push_back(character);
  }
  return characters;
}

WordCounts count_words(const Tokenizer& tokenizer, const LabelledTexts& texts) {
  WordCounts words;
  for (std::size_t i = 0; i < texts.texts.size(); ++i) {
    const std::string& text = texts.texts[i].text;
    for (const Token& token : tokenizer.encode_line({text, texts.place(i)})) {
      ++words[std::string(written_word(tokenizer, text, token))];
    }
  }
  return words;
}

// The characters of a character network: those of the model to start from, or else of the words to train on.
std::vector<std::string> task_characters(const TrainOptions& options, const TextSource& source,
                                         const WordCounts& words) {
  if (source.init != nullptr && !source.init->task().characters.empty()) return source.init->task().characters;
  return *options.task.characters > 0 ? characters_in(words) : std::vector<std::string>();
}

TrainingText read_classified(const TrainOptions& options, const TextSource& source) {
  LabelledParts parts = read_labelled_parts(options);
  Tokenizer tokenizer = train_tokenizer(
      options.tokenizer, parts.train.texts, [](const LabelledText& text) -> const std::string& { return text.text; },
      "the texts to train on", source);
  const bool conditional = options.task.kind == TaskKind::kConditional;
  TaskText task{
      .task = {.kind = options.task.kind, .labels = parts.train.labels, .multi_label = parts.train.multi_label}};
  if (tokens_are_words(tokenizer.kind()) && (*options.task.characters > 0 || source.init != nullptr)) {
    task.task.characters = task_characters(options, source, count_words(tokenizer, parts.train));
  }
  task.train = encode_texts(tokenizer, task.task, parts.train);
  task.valid = encode_texts(tokenizer, task.task, parts.valid);
  set_answers(parts.train, class_weights(options.task.class_weights, parts.train), task.train);
  set_answers(parts.valid, {}, task.valid);
  if (conditional) {
    task.train.weights.clear();
    task.valid.weights.clear();
  }
  task.report = std::move(parts.report);
  task.train_answers = conditional ? task.train.steps() : static_cast<std::int64_t>(task.train.count());
  task.valid_answers = conditional ? task.valid.steps() : static_cast<std::int64_t>(task.valid.count());
  return finished(std::move(tokenizer), std::move(task), source);
}

// ---- words with tags

struct TaggedParts {
  TaggedTexts train;
  TaggedTexts valid;
};

TaggedTexts take(const TaggedTexts& texts, const std::vector<std::size_t>& places) {
  TaggedTexts part{.sentences = {}, .tags = texts.tags, .files = texts.files, .columns = texts.columns};
  for (const std::size_t place : places) part.sentences.push_back(texts.sentences[place]);
  return part;
}

void expect_known_tags(const TaggedTexts& texts, std::size_t known) {
  if (texts.tags.size() <= known) return;
  for (std::size_t i = 0; i < texts.sentences.size(); ++i) {
    for (const std::int32_t tag : texts.sentences[i].tags) {
      if (static_cast<std::size_t>(tag) < known) continue;
      throw Error(ErrorCode::kInput, fmt::format("{}: the tag {} of this sentence does not occur in the text to train "
                                                 "on",
                                                 texts.place(i), quote(texts.tags[static_cast<std::size_t>(tag)])));
    }
  }
}

TaggedParts read_tagged_parts(const TrainOptions& options) {
  TaggedTexts texts = read_tagged_texts(options.text.paths, options.task.columns);
  expect_trainable(texts);
  if (options.text.valid.empty()) {
    const TextSplit split = hold_out(texts, options.text.valid_split, options.run.seed);
    return {.train = take(texts, split.train), .valid = take(texts, split.valid)};
  }
  TaggedTexts valid = read_tagged_texts({options.text.valid}, options.task.columns);
  renumber_tags(valid, texts.tags);
  expect_known_tags(valid, texts.tags.size());
  return {.train = std::move(texts), .valid = std::move(valid)};
}

WordCounts count_words(const TaggedTexts& texts) {
  WordCounts words;
  for (const TaggedSentence& sentence : texts.sentences) {
    for (const std::string& word : sentence.words) ++words[word];
  }
  return words;
}

Examples encode_sentences(const Tokenizer& tokenizer, const Task& task, const TaggedTexts& texts) {
  Examples examples;
  WordEncoder encoder(tokenizer, task);
  for (const TaggedSentence& sentence : texts.sentences) {
    encoder.append(sentence.words, examples);
    examples.labels.insert(examples.labels.end(), sentence.tags.begin(), sentence.tags.end());
  }
  return examples;
}

// Words as tokens: one that holds white space would be several.
std::string words_of(const TaggedSentence& sentence) {
  std::string words;
  for (const std::string& word : sentence.words) {
    const bool is_token = word.find_first_of(kWhiteSpace) == std::string::npos && word != kEndSymbol;
    if (is_token) words += word + ' ';
  }
  return words;
}

std::string scheme_of(const TaggedTexts& texts) {
  SchemeFinder finder;
  std::vector<std::string> tags;
  for (const TaggedSentence& sentence : texts.sentences) {
    tags.clear();
    for (const std::int32_t tag : sentence.tags) tags.push_back(texts.tags[static_cast<std::size_t>(tag)]);
    finder.add(tags);
  }
  const FoundScheme found = finder.found();
  if (found.scheme == TagScheme::kNone) return "";
  if (found.invalid_sentences > 0) {
    warn(fmt::format("the tags are read as {}, which forbids those of {} of {} sentences to train on",
                     tag_scheme_name(found.scheme), found.invalid_sentences, found.sentences));
  }
  return std::string(tag_scheme_name(found.scheme));
}

TrainingText read_tagged(const TrainOptions& options, const TextSource& source) {
  const TaggedParts parts = read_tagged_parts(options);
  Tokenizer tokenizer =
      train_tokenizer(options.tokenizer, parts.train.sentences, words_of, "the words to train on", source);
  TaskText task{.task = {.kind = TaskKind::kTag,
                         .labels = parts.train.tags,
                         .scheme = scheme_of(parts.train),
                         .column = parts.train.columns.front()}};
  task.task.characters = task_characters(options, source, count_words(parts.train));
  task.train = encode_sentences(tokenizer, task.task, parts.train);
  task.valid = encode_sentences(tokenizer, task.task, parts.valid);
  task.train_answers = task.train.steps();
  task.valid_answers = task.valid.steps();
  return finished(std::move(tokenizer), std::move(task), source);
}

TrainingText read_texts(const TrainOptions& options, const TextSource& source) {
  return options.task.kind == TaskKind::kTag ? read_tagged(options, source) : read_classified(options, source);
}

// ---- texts without labels

void append_symbols(const Tokenizer& tokenizer, const NamedText& line, CharacterEncoder& characters,
                    Examples& examples) {
  const std::vector<Token> tokens = tokenizer.encode_line(line);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    examples.ids.push_back(tokens[i].id);
    characters.append(written_word(tokenizer, line.text, tokens[i]), examples);
    const bool full = (i + 1) % static_cast<std::size_t>(kUnlabelledSteps) == 0;
    if (full || i + 1 == tokens.size()) examples.starts.push_back(std::ssize(examples.ids));
  }
}

void append_words(std::string_view line, WordEncoder& encoder, Examples& examples) {
  std::vector<std::string> words;
  const auto take = [&] {
    if (!words.empty()) encoder.append(words, examples);
    words.clear();
  };
  for_each_word(line, [&](std::string_view word) {
    words.emplace_back(word);
    if (std::ssize(words) == kUnlabelledSteps) take();
  });
  take();
}

void append_unlabelled(const TrainingText& text, const NamedText& unlabelled, Examples& examples) {
  WordEncoder encoder(text.tokenizer, text.task->task);
  CharacterEncoder characters(text.task->task);
  std::int64_t number = 0;
  for_each_line(unlabelled.text, [&](std::string_view line, std::int64_t, bool) {
    ++number;
    if (text.task->task.kind == TaskKind::kTag) return append_words(line, encoder, examples);
    append_symbols(text.tokenizer, {line, fmt::format("{}, line {}", unlabelled.name, number)}, characters, examples);
  });
}

// What a language model predicts of texts, in each of its directions.
std::int64_t predicted_symbols(const Examples& examples, bool bidirectional) {
  return (bidirectional ? 2 : 1) * (examples.steps() - static_cast<std::int64_t>(examples.count()));
}

}  // namespace

TrainingText read_task_text(const TrainOptions& options, const Model* init) {
  if (options.task.input == InputKind::kDense) return read_dense_text(options);
  return read_texts(options, {.init = init});
}

TrainingText read_unlabelled_text(const TrainOptions& options) {
  const Corpus corpus({options.transfer.unlabelled}, options.tokenizer.kind, options.tokenizer.lowercase);
  TrainingText text = read_texts(options, {.unlabelled = corpus.text().view()});
  TaskText& task = *text.task;
  append_unlabelled(text, {corpus.text().view(), corpus.text().name()}, task.train);
  for (Examples* const examples : {&task.train, &task.valid}) {
    examples->labels.clear();
    examples->sets.clear();
    examples->weights.clear();
  }
  task.task = {.kind = TaskKind::kLanguage, .characters = task.task.characters};
  task.report.reset();
  task.train_answers = predicted_symbols(task.train, options.task.bidirectional);
  task.valid_answers = predicted_symbols(task.valid, options.task.bidirectional);
  text.train_unknown = count_unknown(task.train, text.tokenizer);
  text.fingerprint = task_fingerprint(task);
  return text;
}

}  // namespace unroll
