// The text of a request about what happens inside a model.
#pragma once

#include <cstdint>
#include <string>

#include "server/api/request_fields.h"
#include "unroll/look/unrolled_text.h"
#include "unroll/model.h"

namespace unroll {

struct TextToUnroll {
  std::string text;
  std::string label;  // of a model with conditions
};

// The fields `text` and `label`. Throws ApiError with status 400 where the text is missing or empty.
[[nodiscard]] TextToUnroll text_to_unroll(RequestFields& fields);

// As many steps of it as this server looks at, at most `longest`. Throws as UnrolledText.
[[nodiscard]] UnrolledText unrolled(const Model& model, const TextToUnroll& text, std::int64_t longest = 4096);

}  // namespace unroll
