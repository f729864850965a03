#include "train/training_text.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "text/corpus.h"
#include "text/split_tail.h"
#include "train/task_text.h"
#include "unroll/error.h"
#include "unroll/fnv1a.h"

namespace unroll {
namespace {

// Enough to tell one text from another.
std::uint64_t hash_ids(const std::vector<std::int32_t>& ids, std::uint64_t hash) {
  for (const std::int32_t id : ids) hash = fnv1a(hash, static_cast<std::uint32_t>(id));
  return fnv1a(hash, 0xFF);  // so that moving the cut between the two parts changes the hash
}

std::string fingerprint_of(const TrainingText& text) {
  return fmt::format("{:016x}, {} + {} tokens", hash_ids(text.valid, hash_ids(text.train, kFnv1aStart)),
                     text.train.size(), text.valid.size());
}

// The text to train on, and the one to validate on where that has a file of its own.
struct Files {
  Files(const TextOptions& options, TokenizerKind kind, bool lowercase) : train(options.paths, kind, lowercase) {
    expect_text(train, "train on");
    if (options.valid.empty()) return;
    valid.emplace(std::vector{options.valid}, kind, lowercase);
    expect_text(*valid, "validate on");
  }

  static void expect_text(const Corpus& corpus, std::string_view use) {
    if (!corpus.text().empty()) return;
    throw Error(ErrorCode::kInput, fmt::format("{} is empty: there is nothing to {}", corpus.text().name(), use));
  }

  Corpus train;
  std::optional<Corpus> valid;
};

SplitText split(const Files& files, const TextOptions& options) {
  if (files.valid) return {.train = files.train.text(), .valid = files.valid->text()};
  const SplitText parts = split_tail(files.train.text(), options.valid_split, options.state);
  if (!parts.train.empty()) return parts;
  throw Error(
      ErrorCode::kInput,
      fmt::format("{}: the part held out for validation leaves nothing to train on; give more text or a smaller "
                  "`text.valid_split`",
                  parts.train.name()));
}

}  // namespace

TrainingText read_training_text(const TrainOptions& options, const Model* from) {
  if (options.task.kind != TaskKind::kLanguage) return read_task_text(options, from);
  const Tokenizer* const tokenizer = from != nullptr ? &from->tokenizer() : nullptr;
  const TokenizerKind kind = tokenizer != nullptr ? tokenizer->kind() : options.tokenizer.kind;
  const bool lowercase = tokenizer != nullptr ? tokenizer->lowercase() : options.tokenizer.lowercase;
  const Files files(options.text, kind, lowercase);
  const SplitText parts = split(files, options.text);
  TrainingText text{
      .tokenizer = tokenizer != nullptr ? *tokenizer : Tokenizer::train_on(options.tokenizer, parts.train),
      .train = {},
      .valid = {},
      .fingerprint = {}};
  EncodedText train = text.tokenizer.encode_checked(parts.train);
  text.train = std::move(train.ids);
  text.train_unknown = train.unknown;
  if (!parts.valid.empty()) {
    EncodedText valid = text.tokenizer.encode_checked(parts.valid);
    text.valid = std::move(valid.ids);
    text.valid_unknown = valid.unknown;
  }
  text.fingerprint = fingerprint_of(text);
  return text;
}

}  // namespace unroll
