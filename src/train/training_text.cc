#include "train/training_text.h"

#include <fmt/format.h>

#include "text/corpus.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// FNV-1a over the bytes of the ids: it only tells one text from another.
std::uint64_t hash_ids(const std::vector<std::int32_t>& ids, std::uint64_t hash) {
  constexpr std::uint64_t kPrime = 0x100000001B3;
  for (const std::int32_t id : ids) hash = (hash ^ static_cast<std::uint32_t>(id)) * kPrime;
  return (hash ^ 0xFF) * kPrime;  // so that moving the cut between the two parts shows
}

std::string fingerprint_of(const TrainingText& text) {
  constexpr std::uint64_t kOffset = 0xCBF29CE484222325;
  return fmt::format("{:016x}, {} + {} tokens", hash_ids(text.valid, hash_ids(text.train, kOffset)), text.train.size(),
                     text.valid.size());
}

}  // namespace

TrainingText read_training_text(const TrainOptions& options, const Tokenizer* tokenizer) {
  const TokenizerKind kind = tokenizer != nullptr ? tokenizer->kind() : options.tokenizer.kind;
  const bool lowercase = tokenizer != nullptr ? tokenizer->lowercase() : options.tokenizer.lowercase;
  const std::string& name = options.texts.front();
  const std::string whole = read_corpus(options.texts, kind, lowercase);
  if (whole.empty()) throw Error(ErrorCode::kInput, fmt::format("'{}' is empty: there is nothing to train on", name));
  SplitText parts{.train = whole, .valid = {}};
  std::string valid_file;
  if (!options.valid.empty()) {
    valid_file = read_corpus({options.valid}, kind, lowercase);
    if (valid_file.empty())
      throw Error(ErrorCode::kInput, fmt::format("'{}' is empty: there is nothing to validate on", options.valid));
    parts.valid = valid_file;
  } else {
    parts = split_tail(whole, options.valid_split, kind, options.state);
    if (parts.train.empty()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("'{}': the part held out for validation leaves nothing to train on; give more text or a "
                              "smaller --valid-split",
                              name));
    }
  }
  TrainingText text{
      .tokenizer = tokenizer != nullptr ? *tokenizer : Tokenizer::train(options.tokenizer, parts.train, name),
      .train = {},
      .valid = {},
      .fingerprint = {}};
  text.train = text.tokenizer.encode(parts.train, name).ids;
  if (!parts.valid.empty()) {
    text.valid = text.tokenizer.encode(parts.valid, options.valid.empty() ? name : options.valid).ids;
  }
  text.fingerprint = fingerprint_of(text);
  return text;
}

}  // namespace unroll
