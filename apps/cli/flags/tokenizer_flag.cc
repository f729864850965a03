#include "cli/flags/tokenizer_flag.h"

namespace unroll {

void set_tokenizer(const std::string& value, TokenizerOptions* options) {
  if (value.ends_with(".model")) {
    options->kind = TokenizerKind::kSentencePiece;
    options->vocab_file = value;
  } else {
    options->kind = parse_tokenizer_kind(value);
  }
}

}  // namespace unroll
