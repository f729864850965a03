// Owned memory: one block of floats, aligned for vector loads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace unroll {

// A zeroed block of `size` floats, aligned to 64 bytes. Moves, does not copy.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  // Throws Error{kMemory} naming the size if the system has no such block.
  explicit FloatBuffer(std::int64_t size);

  [[nodiscard]] float* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<float> span() const noexcept { return {data_.get(), static_cast<std::size_t>(size_)}; }

 private:
  struct Free {
    std::size_t mapped;  // bytes mapped from the system; 0: allocated on the heap
    explicit Free(std::size_t bytes) noexcept : mapped(bytes) {}
    Free() noexcept : Free(0) {}
    void operator()(float* data) const noexcept;
  };
  std::unique_ptr<float, Free> data_;
  std::int64_t size_ = 0;
};

}  // namespace unroll
