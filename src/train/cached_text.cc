#include "train/cached_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "text/vocabulary.h"
#include "unroll/error.h"
#include "unroll/id_cache.h"

namespace unroll {
namespace {

[[noreturn]] void refuse_cache(const std::string& path, const std::string& why, std::string_view field) {
  throw Error(ErrorCode::kUsage, fmt::format("{} is an id cache{}", text_name(path), why), std::string(field));
}

// Takes the value of the cache unless another one was asked for.
template <class Value>
void take_value(const std::string& path, std::string_view field, const Value& cached, const Value& fallback,
                Value* value) {
  if (*value != cached && *value != fallback) {
    refuse_cache(path, fmt::format(" that was made with another `{}`: leave it out, or make the cache with it", field),
                 field);
  }
  *value = cached;
}

void take_tokenizer(const std::string& path, const IdCacheInfo& info, TokenizerOptions* tokenizer) {
  const TokenizerOptions fallback;
  if (!tokenizer->vocab_file.empty()) {
    refuse_cache(path, ", which has its vocabulary: leave `tokenizer.vocab_file` out", "tokenizer.vocab_file");
  }
  take_value(path, "tokenizer.kind", info.tokenizer.kind(), fallback.kind, &tokenizer->kind);
  take_value(path, "tokenizer.lowercase", info.tokenizer.lowercase(), fallback.lowercase, &tokenizer->lowercase);
  take_value(path, "tokenizer.vocab_size", info.vocab_size, fallback.vocab_size, &tokenizer->vocab_size);
  take_value(path, "tokenizer.min_count", info.min_count, fallback.min_count, &tokenizer->min_count);
}

void take_split(const std::string& path, const IdCacheInfo& info, TextOptions* text) {
  if (!text->valid.empty()) {
    if (info.valid_split == 0) return;
    refuse_cache(path,
                 fmt::format(" that holds out {} of its text: for `text.valid`, make it with a `text.valid_split` of 0",
                             info.valid_split),
                 "text.valid");
  }
  take_value(path, "text.valid_split", info.valid_split, TextOptions().valid_split, &text->valid_split);
  // Lines of words are never cut.
  if (info.valid_split == 0 || reads_lines(info.tokenizer.kind()) || info.state == text->state) return;
  refuse_cache(path,
               fmt::format(" whose tail was held out for `text.state` {}: give that, or make the cache with {}",
                           state_policy_name(info.state), state_policy_name(text->state)),
               "text.state");
}

}  // namespace

TrainOptions with_cached_options(TrainOptions options) {
  const std::vector<std::string>& paths = options.text.paths;
  const auto cached = std::ranges::find_if(paths, is_id_cache);
  const bool valid_cached = is_id_cache(options.text.valid);
  const bool language = options.task.kind == TaskKind::kLanguage && options.transfer.unlabelled.empty();
  if ((cached != paths.end() || valid_cached) && !language) {
    refuse_cache(cached != paths.end() ? *cached : options.text.valid,
                 ", which is the text of a language model: other tasks read texts", "text.paths");
  }
  if (cached == paths.end()) return options;
  if (paths.size() > 1) {
    refuse_cache(*cached, ", which is the whole text of a run: make one cache of all texts", "text.paths");
  }
  const std::string path = *cached;
  const IdCacheInfo info = read_id_cache(path);
  // With files.from, the tokenizer is that of the model, and the cache's has to be the same.
  if (options.files.from.empty()) take_tokenizer(path, info, &options.tokenizer);
  take_split(path, info, &options.text);
  return options;
}

}  // namespace unroll
