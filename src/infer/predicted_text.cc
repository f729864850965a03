#include "infer/predicted_text.h"

#include <fmt/format.h>

#include "unroll/error.h"

namespace unroll {

EncodedText encode_to_predict(const Tokenizer& tokenizer, const std::string& text, const std::string& name) {
  if (text.empty()) throw Error(ErrorCode::kInput, fmt::format("'{}' is empty: there is nothing to predict", name));
  EncodedText encoded = tokenizer.encode(text, name);
  if (encoded.ids.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("'{}' holds no symbols: there is nothing to predict", name));
  }
  return encoded;
}

}  // namespace unroll
