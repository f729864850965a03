#include "base/buffer.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::int64_t kLargest = std::int64_t{1} << 46;  // floats; keeps every byte count far from overflow
// Blocks from this size on come straight from the system, in huge pages where it has them: products stream through
// megabytes of weights, and with small pages each 4 KiB of them costs a look into the page table.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

constexpr std::size_t rounded_up(std::size_t bytes, std::size_t unit) noexcept {
  return (bytes + unit - 1) / unit * unit;
}

// Whole huge pages of zeros, aligned as such; null if the system has no such block.
void* map_huge_pages(std::size_t bytes) noexcept {
  const std::size_t room = bytes + kHugePage;
  void* const mapped = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const first = static_cast<std::byte*>(mapped);
  const auto address = reinterpret_cast<std::uintptr_t>(mapped);
  const std::size_t before = rounded_up(address, kHugePage) - address;
  if (before > 0) munmap(first, before);
  munmap(first + before + bytes, kHugePage - before);
  madvise(first + before, bytes, MADV_HUGEPAGE);  // a hint: small pages work as well
  return first + before;
}

}  // namespace

FloatBuffer::FloatBuffer(std::int64_t size) : size_(size) {
  if (size == 0) return;
  void* block = nullptr;
  std::size_t mapped = 0;
  if (size > 0 && size < kLargest) {
    const auto bytes = static_cast<std::size_t>(size) * sizeof(float);
    if (bytes >= kHugePage) {
      mapped = rounded_up(bytes, kHugePage);
      block = map_huge_pages(mapped);
    } else {
      const std::size_t padded = rounded_up(bytes, kAlignment);
      block = std::aligned_alloc(kAlignment, padded);
      if (block != nullptr) std::memset(block, 0, padded);
    }
  }
  if (block == nullptr) {
    throw Error(ErrorCode::kMemory,
                fmt::format("no memory for a block of {} numbers ({:.1f} MB): use a smaller network, or "
                            "fewer or shorter rows at once",
                            size, static_cast<double>(size) * 4e-6));
  }
  data_ = {static_cast<float*>(block), Free{mapped}};
}

void FloatBuffer::Free::operator()(float* data) const noexcept {
  if (mapped > 0) {
    munmap(data, mapped);
  } else {
    std::free(data);
  }
}

}  // namespace unroll
