// SentencePiece's model files, checked before the library sees them.
//
// The library trusts its files: a damaged one makes it read outside of its tables, exhausts the stack, or ends the
// process. What is checked here is what it takes for granted; what it checks by itself is left to it.
//
//   file        protocol buffer ModelProto: pieces (text, score, type), trainer_spec, normalizer_spec, ...
//   charsmap    rules of normalisation: bytes of the trie (u32), the trie, replacements that each end with NUL.
//               The trie is a double array of u32 units, at each of which a step by a byte leads to another one
//
// Source: the library's sentencepiece_model.proto; Yata's Darts-clone for the double array.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace unroll {

// The largest file that is read. In a model's metadata it takes a third more, of at most 100 MB.
inline constexpr std::size_t kLargestSentencePieceFile = std::size_t{64} << 20;

// Throws Error{kFormat} with `name` at the front for what the library cannot be trusted with: bytes that are no such
// protocol buffer or end early, no pieces, pieces that are empty, longer than 4,096 bytes, not UTF-8, hold a NUL or
// have a score that is no number, more than 32 user-defined pieces that begin one another, rules of normalisation that
// lead out of their table, are longer than 32 bytes or put in more than 1,024.
void check_sentencepiece_file(std::string_view bytes, const std::string& name);

}  // namespace unroll
