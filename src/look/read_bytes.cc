#include "look/read_bytes.h"

#include <cstdint>

namespace unroll {

ReadBytes read_bytes(const UnrolledText& text) {
  const Tokenizer& tokenizer = text.model().tokenizer();
  ReadBytes read;
  for (std::int64_t t = 0; t < text.steps(); ++t) {
    // The first step reads what stands for the beginning of the text.
    if (t > 0) read.bytes += tokenizer.written(text.input(t - 1), text.input(t));
    read.ends.push_back(read.bytes.size());
  }
  return read;
}

}  // namespace unroll
