#include "train/training_text.h"

#include <fmt/format.h>

#include "text/corpus.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// FNV-1a over the bytes of the ids: enough to tell one text from another.
std::uint64_t hash_ids(const std::vector<std::int32_t>& ids, std::uint64_t hash) {
  constexpr std::uint64_t kPrime = 0x100000001B3;
  for (const std::int32_t id : ids) hash = (hash ^ static_cast<std::uint32_t>(id)) * kPrime;
  return (hash ^ 0xFF) * kPrime;  // so that moving the cut between the two parts changes the hash
}

std::string fingerprint_of(const TrainingText& text) {
  constexpr std::uint64_t kOffset = 0xCBF29CE484222325;
  return fmt::format("{:016x}, {} + {} tokens", hash_ids(text.valid, hash_ids(text.train, kOffset)), text.train.size(),
                     text.valid.size());
}

// The name of a text in messages.
std::string quoted(const std::string& path) { return path == "-" ? "standard input" : fmt::format("'{}'", path); }

// Text to train on and to validate on, from two files.
struct WholeText {
  std::string train, valid;
};

WholeText read_files(const TextOptions& options, TokenizerKind kind, bool lowercase) {
  WholeText whole{.train = read_corpus(options.paths, kind, lowercase), .valid = {}};
  if (whole.train.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{} is empty: there is nothing to train on", quoted(options.paths[0])));
  }
  if (options.valid.empty()) return whole;
  whole.valid = read_corpus({options.valid}, kind, lowercase);
  if (whole.valid.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{} is empty: there is nothing to validate on", quoted(options.valid)));
  }
  return whole;
}

SplitText split(const WholeText& whole, const TextOptions& options, TokenizerKind kind) {
  if (!whole.valid.empty()) return {.train = whole.train, .valid = whole.valid};
  const SplitText parts = split_tail(whole.train, options.valid_split, kind, options.state);
  if (!parts.train.empty()) return parts;
  throw Error(
      ErrorCode::kInput,
      fmt::format("{}: the part held out for validation leaves nothing to train on; give more text or a smaller "
                  "`text.valid_split`",
                  quoted(options.paths.front())));
}

}  // namespace

TrainingText read_training_text(const TrainOptions& options, const Tokenizer* tokenizer) {
  const TokenizerKind kind = tokenizer != nullptr ? tokenizer->kind() : options.tokenizer.kind;
  const bool lowercase = tokenizer != nullptr ? tokenizer->lowercase() : options.tokenizer.lowercase;
  const WholeText whole = read_files(options.text, kind, lowercase);
  const SplitText parts = split(whole, options.text, kind);
  const std::string name = quoted(options.text.paths.front());
  TrainingText text{
      .tokenizer = tokenizer != nullptr ? *tokenizer : Tokenizer::train(options.tokenizer, parts.train, name),
      .train = {},
      .valid = {},
      .fingerprint = {}};
  text.train = text.tokenizer.encode(parts.train, name).ids;
  if (!parts.valid.empty()) {
    text.valid = text.tokenizer.encode(parts.valid, whole.valid.empty() ? name : quoted(options.text.valid)).ids;
  }
  text.fingerprint = fingerprint_of(text);
  return text;
}

}  // namespace unroll
