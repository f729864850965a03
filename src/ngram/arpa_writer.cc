#include "ngram/arpa_writer.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace unroll {
namespace {

// Appends the lines of the n-grams of `order` words that begin with the words of a node.
void append_below(const NgramTable& table, std::size_t order, std::size_t at, std::uint32_t node,
                  const std::string& before, std::string& text) {
  const NgramLevel& level = table.levels[at - 1];
  const std::string words = before + table.words[level.words[node]];
  if (at == order) {
    fmt::format_to(std::back_inserter(text), "{}\t{}", level.log_probs[node], words);
    if (order < table.order() && level.extent[node] < level.extent[node + 1]) {
      fmt::format_to(std::back_inserter(text), "\t{}", level.log_backoffs[node]);
    }
    text += '\n';
    return;
  }
  for (std::uint32_t child = level.extent[node]; child < level.extent[node + 1]; ++child) {
    append_below(table, order, at + 1, child, words + ' ', text);
  }
}

}  // namespace

std::string as_arpa(const NgramTable& table) {
  std::string text = "\\data\\\n";
  for (std::size_t order = 1; order <= table.order(); ++order) {
    text += fmt::format("ngram {}={}\n", order, table.levels[order - 1].words.size());
  }
  for (std::size_t order = 1; order <= table.order(); ++order) {
    text += fmt::format("\n\\{}-grams:\n", order);
    for (std::uint32_t word = 0; word < table.words.size(); ++word) append_below(table, order, 1, word, "", text);
  }
  return text + "\n\\end\\\n";
}

}  // namespace unroll
