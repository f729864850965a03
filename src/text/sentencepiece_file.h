// Checks SentencePiece's model files before the library reads them.
//
// The library trusts its files: a damaged one makes it read outside of its tables, exhausts the stack, or ends the
// process. This checks what the library assumes, and leaves to it what it checks itself.
//
//   file        protocol buffer ModelProto: pieces (text, score, type), trainer_spec, normalizer_spec, ...
//   charsmap    rules of normalisation: bytes of the trie (u32), the trie, replacements that each end with NUL.
//               The trie is a double array of u32 units, between which each byte is a step
//
// Source: the library's sentencepiece_model.proto; Yata's Darts-clone for the double array.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace unroll {

// The size limit of a file. In a model's metadata, which may have 100 MB, it takes a third more.
inline constexpr std::size_t kLargestSentencePieceFile = std::size_t{64} << 20;

// Throws Error{kFormat} beginning with `name` for files that are unsafe for the library: bytes that are not such a
// protocol buffer or end early, no pieces, pieces that are empty, longer than 4,096 bytes, not UTF-8, contain NUL or
// have a score that is not a number, a chain of more than 32 user-defined pieces each of which begins the next, rules
// of normalisation that leave their table, are longer than 32 bytes or insert more than 1,024.
void check_sentencepiece_file(std::string_view bytes, const std::string& name);

}  // namespace unroll
