// Making a SentencePiece model: sub-words learned from a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace unroll {

// How pieces are found.
enum class SentencePieceKind {
  kUnigram,  // a unigram language model over pieces, pruned by likelihood (Kudo 2018)
  kBpe,      // the most frequent pairs merged, one after another (Sennrich et al. 2016)
};

struct SentencePieceOptions {
  SentencePieceKind kind = SentencePieceKind::kUnigram;
  std::int64_t vocab_size = 8000;  // pieces in all: <unk>, <s>, </s> and, where lossless, 256 bytes among them

  // Keep the text as it is: no normalisation, all spaces kept, a character that is no piece written as its bytes. Else
  // the library's default, which folds compatibility characters (NFKC) and runs of spaces, and drops spaces at the ends
  // of a line. Bits per byte compare between models only where nothing was lost.
  bool lossless = false;
};

// Learns a model from the lines of `text`, which must be UTF-8, and returns the bytes of the .model file: a function of
// text, options and the library's version alone (it runs on one thread, since threads change its sums). The library
// works in a child process, because it ends the process on faults of its own; SIGCHLD must not be ignored.
//
// `name` is how messages call the text. Throws Error{kUsage} for a size that the text does not fit, in the library's
// words; Error{kInput} for text that is empty, not UTF-8 or above 1 GiB, and where the library failed; Error{kFile}
// where no process can be made.
[[nodiscard]] std::string train_sentencepiece(std::string_view text, const SentencePieceOptions& options,
                                              std::string_view name);

// Replaces the file `path` as a whole by these bytes. Throws Error{kFile}.
void save_sentencepiece(const std::string& path, std::string_view model);

}  // namespace unroll
