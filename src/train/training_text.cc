#include "train/training_text.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "model/id_cache.h"
#include "text/corpus.h"
#include "text/split_tail.h"
#include "train/task_text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Bytes of a cache up to which all of its ids are read when a run begins: a part of a second. A run does without the
// ids of a larger one until it needs them.
constexpr std::int64_t kMostVerified = 256'000'000;

// Enough to tell one text from another.
std::uint64_t hash_after(std::uint64_t start, const IdView& ids) {
  IdHash hash(start);
  for (std::size_t i = 0; i < ids.size(); ++i) hash.add(ids[i]);
  return hash.end_part();
}

std::string fingerprint_of(const TrainingText& text, std::uint64_t hash) {
  return fmt::format("{:016x}, {} + {} tokens", hash, text.train.size(), text.valid.size());
}

// The file to validate on, where there is one: text, or an id cache.
struct ValidFile {
  ValidFile(const std::string& path, TokenizerKind kind, bool lowercase) {
    if (path.empty()) return;
    if (is_id_cache(path)) {
      cache.emplace(path);
      if (cache->info().valid.ids == 0) {
        cache->verify();  // all of it is read anyway, for the fingerprint
        return;
      }
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is an id cache that holds out {} of its text: to validate on all of it, make it with "
                              "a `text.valid_split` of 0",
                              cache->name(), cache->info().valid_split),
                  "text.valid");
    }
    corpus.emplace(std::vector{path}, kind, lowercase);
    if (!corpus->text().empty()) return;
    throw Error(ErrorCode::kInput, fmt::format("{} is empty: there is nothing to validate on", corpus->text().name()));
  }

  std::optional<Corpus> corpus;
  std::optional<IdCache> cache;
};

void set_train(const CheckedText& part, TrainingText* text) {
  EncodedText encoded = text->tokenizer.encode_checked(part);
  text->train = std::move(encoded.ids);
  text->train_unknown = encoded.unknown;
}

void set_valid(const CheckedText& part, TrainingText* text) {
  if (part.empty()) return;
  EncodedText encoded = text->tokenizer.encode_checked(part);
  text->valid = std::move(encoded.ids);
  text->valid_unknown = encoded.unknown;
}

void set_valid(const ValidFile& file, TrainingText* text) {
  if (file.corpus) set_valid(file.corpus->text(), text);
  if (!file.cache) return;
  file.cache->expect_tokenizer(text->tokenizer, "run");
  text->valid = file.cache->train();
  text->valid_unknown = file.cache->info().train.unknown;
}

// The text of a cache, and what it holds out; its fingerprint as the header has it.
TrainingText read_cached_text(const TrainOptions& options, const Model* from) {
  const IdCache cache(options.text.paths.front());
  const IdCacheInfo& info = cache.info();
  if (from != nullptr) cache.expect_tokenizer(from->tokenizer(), "model");
  if (info.file_bytes <= kMostVerified) cache.verify();
  const ValidFile file(options.text.valid, info.tokenizer.kind(), info.tokenizer.lowercase());
  TrainingText text{.tokenizer = info.tokenizer,
                    .train = cache.train(),
                    .valid = cache.valid(),
                    .train_unknown = info.train.unknown,
                    .valid_unknown = info.valid.unknown};
  set_valid(file, &text);
  const bool own_tail = options.text.valid.empty();
  text.fingerprint = fingerprint_of(text, own_tail ? cache.hash() : hash_after(cache.train_hash(), text.valid.view()));
  return text;
}

}  // namespace

TrainingText read_training_text(const TrainOptions& options, const Model* from) {
  if (options.task.kind != TaskKind::kLanguage) return read_task_text(options, from);
  if (is_id_cache(options.text.paths.front())) return read_cached_text(options, from);
  const Tokenizer* const tokenizer = from != nullptr ? &from->tokenizer() : nullptr;
  const TokenizerKind kind = tokenizer != nullptr ? tokenizer->kind() : options.tokenizer.kind;
  const bool lowercase = tokenizer != nullptr ? tokenizer->lowercase() : options.tokenizer.lowercase;
  const Corpus corpus(options.text.paths, kind, lowercase);
  const bool own_tail = options.text.valid.empty();
  const SplitText parts = split_to_train(corpus.text(), own_tail ? options.text.valid_split : 0, options.text.state);
  const ValidFile file(options.text.valid, kind, lowercase);
  TrainingText text{.tokenizer =
                        tokenizer != nullptr ? *tokenizer : Tokenizer::train_on(options.tokenizer, parts.train)};
  set_train(parts.train, &text);
  set_valid(parts.valid, &text);
  if (!own_tail) set_valid(file, &text);
  text.fingerprint = fingerprint_of(text, hash_after(hash_after(kFnv1aStart, text.train.view()), text.valid.view()));
  return text;
}

}  // namespace unroll
