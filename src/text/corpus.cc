#include "text/corpus.h"

#include <utility>

#include "unroll/text.h"

namespace unroll {

void append_text(std::string& texts, std::string text) {
  if (texts.empty()) {
    texts = std::move(text);
    return;
  }
  if (texts.back() != '\n') texts += '\n';
  texts += text;
}

Corpus::Corpus(const std::vector<std::string>& paths, TokenizerKind kind, bool lowercase)
    : kind_(kind), name_(text_name(paths.front())) {
  for (const std::string& path : paths) {
    std::string text = read_text(path, text_coding(kind));
    static_cast<void>(CheckedText(kind, lowercase, {text, text_name(path)}));
    append_text(texts_, std::move(text));
  }
}

}  // namespace unroll
