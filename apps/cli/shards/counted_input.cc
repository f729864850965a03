#include "cli/shards/counted_input.h"

#include "cli/streams/file_hash.h"

namespace unroll {

void CountedInput::add(std::string_view bytes) {
  // The size keeps units apart, whatever bytes they hold.
  hash = fnv1a(hash_with(hash, bytes), bytes.size());
  ++units;
}

CountedInput count_lines(const std::vector<std::string>& paths, TextCoding coding) {
  CountedInput input;
  for (const std::string& path : paths) {
    LineReader reader(path, coding);
    for (std::string line; reader.next(line);) input.add(line);
  }
  return input;
}

}  // namespace unroll
