// Arrays of numbers in files: NumPy's .npy, and IDX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// An array in memory, as it was stored: elements are converted when they are asked for.
struct NumberArray {
  enum class Kind { kBool, kSigned, kUnsigned, kFloat, kBytes, kCharacters };  // the last two are text

  std::string path = {};
  std::string bytes = {};  // of the file
  std::size_t first = 0;   // where the elements begin
  std::vector<std::int64_t> shape = {};
  Kind kind = Kind::kFloat;
  std::size_t size = 0;  // bytes of an element, at least 1
  bool big_endian = false;
  bool first_index_fastest = false;  // Fortran's order

  [[nodiscard]] std::int64_t count() const noexcept;
  [[nodiscard]] bool is_text() const noexcept { return kind == Kind::kBytes || kind == Kind::kCharacters; }
  // "(60000, 28, 28)".
  [[nodiscard]] std::string shape_name() const;
  // "'x.npy', element [3, 5]": the place of element `index`, counted with the last dimension fastest.
  [[nodiscard]] std::string place(std::int64_t index) const;

  // Element `index`, which is not text.
  [[nodiscard]] double number(std::int64_t index) const;
  // The name of a label: text, or a whole number. Throws Error{kInput} with its place for other numbers, text that is
  // empty or not UTF-8.
  [[nodiscard]] std::string label(std::int64_t index) const;
};

// Whether a file that begins with `head` says that it is one.
[[nodiscard]] bool is_npy(std::string_view head) noexcept;
[[nodiscard]] bool is_idx(std::string_view head) noexcept;

// Views the content of a file as an array. Throws Error{kInput}: not of the format, a type of elements that is none of
// the above, more or fewer bytes than the shape says. The shape is compared with the bytes before anything is done
// with it.
[[nodiscard]] NumberArray npy_array(const std::string& path, std::string bytes);
[[nodiscard]] NumberArray idx_array(const std::string& path, std::string bytes);

}  // namespace unroll
