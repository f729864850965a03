#include "look/read_bytes.h"

#include <cstdint>

#include "look/unrolled_data.h"

namespace unroll {

ReadBytes read_bytes(const UnrolledText& text) {
  const Tokenizer& tokenizer = text.model().tokenizer();
  ReadBytes read;
  for (std::int64_t t = 0; t < text.steps(); ++t) {
    // The first step of a language model reads what stands for the beginning of the text.
    if (!text.predicts()) read.bytes += text.data().labels.bytes[static_cast<std::size_t>(t)];
    if (text.predicts() && t > 0) read.bytes += tokenizer.written(text.input(t - 1), text.input(t));
    read.ends.push_back(read.bytes.size());
  }
  return read;
}

}  // namespace unroll
