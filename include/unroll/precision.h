// The precision of matrix products.
#pragma once

#include <string_view>

namespace unroll {

// The format in which the products of a network read their factors. Sums are f32, except in int8, where they are exact
// 32-bit integers; everything other than weight matrices (biases, states, loss) is always f32.
//
//   kF32   weights and inputs unrounded
//   kBf16  both rounded to bfloat16, to nearest even
//   kInt8  each row of a weight matrix as 8-bit integers times a scale; each row of inputs with 7 bits, at each product
enum class Precision { kF32, kBf16, kInt8 };

// "f32", "bf16", "int8".
[[nodiscard]] std::string_view precision_name(Precision precision) noexcept;

// The precision with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] Precision parse_precision(std::string_view text);

}  // namespace unroll
