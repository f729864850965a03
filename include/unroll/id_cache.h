// Id caches: a text as ids in a file. Training maps the file instead of reading the text, so that a text may be larger
// than memory, and makes the same model to the byte. docs/format.md describes the file.
//
//   unroll::write_id_cache({.paths = {"news.txt"}, .tokenizer = {.kind = unroll::TokenizerKind::kWord}}, "news.ids");
//   options.text.paths = {"news.ids"};  // of TrainOptions
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unroll/state_policy.h"
#include "unroll/tokenizer.h"

namespace unroll {

// Text, tokenizer and the tail that is held out, as TrainOptions has them. Errors name the fields `tokenizer.kind`,
// `text.valid_split`, ... of those.
struct IdCacheOptions {
  std::vector<std::string> paths = {};      // read as one text; "-" is standard input; .gz is unpacked
  TokenizerOptions tokenizer = {};          // the vocabulary is made from the part to train on
  std::optional<Tokenizer> made = {};       // a tokenizer that is there already, instead
  double valid_split = 0.1;                 // share that is held out at the end; 0: nothing
  StatePolicy state = StatePolicy::kCarry;  // as a run has it: decides with kReset that lines are not cut
};

// One part of the text.
struct IdCachePart {
  std::int64_t ids = 0;
  std::int64_t unknown = 0;  // of these, the unknown symbol
  std::int64_t bytes = 0;    // of the text
  std::int64_t characters = 0;
  bool lossless = false;  // the ids decode to the text, byte for byte
};

// What a cache says about itself.
struct IdCacheInfo {
  Tokenizer tokenizer;
  std::int64_t vocab_size = 0;  // as asked for: TokenizerOptions
  std::int64_t min_count = 1;
  double valid_split = 0;
  StatePolicy state = StatePolicy::kCarry;
  IdCachePart train = {};
  IdCachePart valid = {};          // what was held out; without ids: nothing
  std::string text_checksum = {};  // XXH64 of the texts, joined: 16 hexadecimal digits
  int bytes_per_id = 2;
  std::int64_t file_bytes = 0;
};

// Whether the file at `path` begins as an id cache does. False for "-", for a pipe, and where there is no file.
[[nodiscard]] bool is_id_cache(const std::string& path);

// Writes a cache at `path`, which is replaced as a whole or not at all. The texts are unpacked into a file without a
// name in the same folder, and read from there: memory is taken for about a megabyte of text, for the vocabulary, and
// where tokens are words or sub-words for the longest line. Throws as train() does for the text and the tokenizer.
IdCacheInfo write_id_cache(const IdCacheOptions& options, const std::string& path);

// Reads what a cache says about itself, and checks that: its checksum and the size of the file, not the ids. Throws
// Error{kFile}, and Error{kFormat} for a file that is no id cache, was changed or cut, or is of a newer version.
[[nodiscard]] IdCacheInfo read_id_cache(const std::string& path);

// Reads all ids, and throws Error{kFormat} where their checksum is another one, or one is no id of the vocabulary.
void verify_id_cache(const std::string& path);

}  // namespace unroll
