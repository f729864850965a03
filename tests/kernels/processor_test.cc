#include "kernels/processor.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "kernels/products.h"
#include "unroll/version.h"

namespace unroll {
namespace {

// Every test program runs a second time with UNROLL_MAX_ISA=avx2; this checks that it then tests AVX2.
TEST(Processor, ACapHoldsForEveryKernelAfterRepeatedQueries) {
  const char* cap = std::getenv("UNROLL_MAX_ISA");
  const bool avx2 = cap != nullptr && std::string(cap) == "avx2";
  for (int i = 0; i < 2; ++i) {
    const std::string name = instruction_set();
    if (avx2) {
      EXPECT_TRUE(name.starts_with("AVX2")) << name;
      EXPECT_FALSE(has_bf16_products());
      EXPECT_FALSE(has_int8_products()) << "most processors with AVX2 do not have them: their path is what is tested";
    }
    for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
      const std::int64_t lanes = product_kernels(precision).vector;
      if (avx2) {
        EXPECT_EQ(lanes, 8) << precision_name(precision);
      } else {
        EXPECT_EQ(lanes, product_kernels(Precision::kF32).vector);
      }
    }
  }
}

}  // namespace
}  // namespace unroll
