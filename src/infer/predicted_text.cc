#include "infer/predicted_text.h"

#include <fmt/format.h>

#include "unroll/error.h"

namespace unroll {

EncodedText encode_to_predict(const Tokenizer& tokenizer, const NamedText& text) {
  if (text.text.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{} is empty: there is nothing to predict", text.name));
  }
  EncodedText encoded = tokenizer.encode(text);
  if (encoded.ids.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{} holds no symbols: there is nothing to predict", text.name));
  }
  return encoded;
}

}  // namespace unroll
