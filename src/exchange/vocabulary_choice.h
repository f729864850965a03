// The vocabulary of an imported network: from its file, from another one, by a rule.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoints/foreign_file.h"
#include "exchange/found_vocabulary.h"
#include "unroll/import.h"
#include "unroll/tokenizer.h"

namespace unroll {

struct ChosenVocabulary {
  TokenizerKind kind = TokenizerKind::kChar;
  std::vector<std::string> symbols = {};  // by id
  std::vector<std::string> notes = {};
};

// Whether ImportOptions::vocab names a rule, and no file.
[[nodiscard]] bool is_vocabulary_rule(std::string_view vocab) noexcept;

// The `size` symbols that the options ask for. Without any the vocabulary is `known`, if that has symbols, else the one
// that is found in the file. Symbols that a tokenizer of ours cannot have get names that it can: an end of sentence
// is "<eos>", or the newline where symbols are characters; an unknown symbol "<unk>"; others get names that
// no text has.
//
// Throws Error{kInput} with the field `vocab` where there are none, too many, or not as many; Error{kUsage} for options
// that contradict each other; and as the readers do.
[[nodiscard]] ChosenVocabulary choose_vocabulary(const ImportOptions& options, const ForeignFile& checkpoint,
                                                 const FoundVocabulary& known, std::int64_t size);

}  // namespace unroll
