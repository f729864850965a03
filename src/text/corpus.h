// The texts of a training run, checked one by one and joined.
#pragma once

#include <string>
#include <vector>

#include "text/checked_text.h"
#include "unroll/tokenizer.h"

namespace unroll {

// Appends `text` to `texts`, with a newline between them if the first does not end with one.
void append_text(std::string& texts, std::string text);

// Owns the joined texts. Does not move, since text() views it.
class Corpus {
 public:
  // Reads each file as read_text() does and checks it, so that a message names the very file and the place in it.
  // Throws Error{kFile} and Error{kInput}. Requires one path at least.
  Corpus(const std::vector<std::string>& paths, TokenizerKind kind, bool lowercase);
  Corpus(const Corpus&) = delete;
  Corpus& operator=(const Corpus&) = delete;

  // All of it, by the name of the first file.
  [[nodiscard]] CheckedText text() const { return {kind_, {texts_, name_}}; }

 private:
  TokenizerKind kind_;
  std::string texts_;
  std::string name_;
};

}  // namespace unroll
