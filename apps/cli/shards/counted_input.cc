#include "cli/shards/counted_input.h"

#include "cli/streams/text_batches.h"

namespace unroll {

void CountedInput::add(std::string_view bytes) {
  // The size keeps units apart, whatever bytes they hold.
  hash = fnv1a(fnv1a(hash, bytes), bytes.size());
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

CountedInput count_texts(const LabelledTextOptions& options, TextCoding coding) {
  constexpr std::size_t kTextsAtOnce = 1024;
  CountedInput input;
  TextBatches batches(options, coding);
  for (std::vector<std::string> texts; batches.next(texts, kTextsAtOnce);) {
    for (const std::string& text : texts) input.add(text);
  }
  return input;
}

CountedInput count_sentences(const std::string& path, const ColumnOptions& options) {
  CountedInput input;
  ColumnReader reader(path, options);
  for (ColumnSentence sentence; reader.next(sentence);) input.add(sentence.bytes);
  return input;
}

CountedInput count_lists(const std::vector<std::string>& paths, const NbestFormat& format) {
  CountedInput input;
  for (const std::string& path : paths) {
    NbestReader reader(path, format);
    for (NbestList list; reader.next(list);) {
      std::string bytes;
      for (const Hypothesis& hypothesis : list.hypotheses) bytes += hypothesis.line + '\n';
      input.add(bytes);
    }
  }
  return input;
}

}  // namespace unroll
