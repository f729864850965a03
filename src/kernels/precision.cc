#include "unroll/precision.h"

#include "base/names.h"

namespace unroll {
namespace {

constexpr std::string_view name(Precision precision) noexcept {
  switch (precision) {
    case Precision::kF32:
      return "f32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
  }
  return {};
}

}  // namespace

std::string_view precision_name(Precision precision) noexcept { return name(precision); }

Precision parse_precision(std::string_view text) { return parse_name<Precision, name>("precision", text); }

}  // namespace unroll
