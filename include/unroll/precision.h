// The precision of matrix products.
#pragma once

#include <string_view>

namespace unroll {

// The numbers that the products of a network multiply. Sums are f32 everywhere but in int8, where they are exact
// 32-bit integers; what is no weight matrix (biases, states, loss) is f32 always.
//
//   kF32   weights and inputs as they are
//   kBf16  both rounded to bfloat16, to nearest even
//   kInt8  each row of a weight matrix as 8-bit integers times a scale; each row of inputs likewise, when it is used
enum class Precision { kF32, kBf16, kInt8 };

// "f32", "bf16", "int8".
[[nodiscard]] std::string_view precision_name(Precision precision) noexcept;

// The precision of that name. Throws Error{kUsage} naming the known ones.
[[nodiscard]] Precision parse_precision(std::string_view text);

}  // namespace unroll
