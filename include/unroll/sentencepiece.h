// Trains SentencePiece models: sub-words learned from a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "unroll/text.h"

namespace unroll {

// The training algorithm.
enum class SentencePieceKind {
  kUnigram,  // a unigram language model over pieces, pruned by likelihood (Kudo 2018)
  kBpe,      // the most frequent pairs merged, one after another (Sennrich et al. 2016)
};

struct SentencePieceOptions {
  SentencePieceKind kind = SentencePieceKind::kUnigram;
  std::int64_t vocab_size = 8000;  // pieces in total, including <unk>, <s>, </s> and, if lossless, 256 bytes

  // Keeps the text as it is: no normalisation, all spaces kept, a character that is not a piece encoded as its bytes.
  // Otherwise the library's default, which folds compatibility characters (NFKC) and runs of spaces, and drops spaces
  // at the ends of a line. Bits per byte are comparable between models only if nothing was lost.
  bool lossless = false;
};

// Learns a model from the lines of `text`, which must be UTF-8, and returns the bytes of the .model file: a function of
// text, options and the library's version alone (it runs on one thread, since threads change its sums). The library
// runs in a child process, because its internal errors end the process; SIGCHLD must not be ignored.
//
// Throws Error{kUsage} for a size that does not suit the text, in the library's words; Error{kInput} for text that is
// empty, not UTF-8 or above 1 GiB, and if the library fails; Error{kFile} if no process can be created.
[[nodiscard]] std::string train_sentencepiece(const NamedText& text, const SentencePieceOptions& options);

// Replaces the file `path` with these bytes, all or nothing. Throws Error{kFile}, also while another process writes it.
void save_sentencepiece(const std::string& path, std::string_view model);

}  // namespace unroll
