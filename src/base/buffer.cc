#include "base/buffer.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "unroll/error.h"

namespace unroll {
namespace {
constexpr std::int64_t kAlignment = 64;
constexpr std::int64_t kLargest = std::int64_t{1} << 46;  // floats; keeps every byte count far from overflow
}  // namespace

FloatBuffer::FloatBuffer(std::int64_t size) : size_(size) {
  if (size == 0) return;
  void* block = nullptr;
  if (size > 0 && size < kLargest) {
    const auto bytes = static_cast<std::size_t>(size) * sizeof(float);
    const std::size_t padded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    block = std::aligned_alloc(kAlignment, padded);
    if (block != nullptr) std::memset(block, 0, padded);
  }
  if (block == nullptr) {
    throw Error(ErrorCode::kMemory,
                fmt::format("no memory for a block of {} numbers ({:.1f} MB): use a smaller network, "
                            "batch or --bptt",
                            size, static_cast<double>(size) * 4e-6));
  }
  data_.reset(static_cast<float*>(block));
}

void FloatBuffer::Free::operator()(float* data) const noexcept { std::free(data); }

}  // namespace unroll
