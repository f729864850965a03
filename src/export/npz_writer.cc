#include "export/npz_writer.h"

#include <fmt/core.h>

#include <deque>
#include <string_view>

#include "base/file.h"
#include "checkpoints/zip_writer.h"

namespace unroll {
namespace {

constexpr std::size_t kHeaderAlignment = 64;
constexpr std::size_t kMagicBytes = 10;  // with the version and the length of what follows

// "(3, 4)", "(3,)": a tuple as Python writes it.
std::string python_tuple(const std::vector<std::int64_t>& lengths) {
  std::string text = "(";
  for (const std::int64_t length : lengths) text += fmt::format("{}, ", length);
  text.resize(text.size() - (lengths.size() == 1 ? 1 : 2));
  return text + ")";
}

// `type` as NumPy names it: "<f4".
std::string npy_header(std::string_view type, const std::vector<std::int64_t>& shape) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, python_tuple(shape));
  const std::size_t unpadded = kMagicBytes + text.size() + 1;
  text.append((kHeaderAlignment - unpadded % kHeaderAlignment) % kHeaderAlignment, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace

void write_npz(const std::string& path, const std::vector<ExportedTensor>& tensors, const std::string& description) {
  std::deque<std::string> headers;
  ZipWriter archive;
  for (const ExportedTensor& tensor : tensors) {
    const std::string& header = headers.emplace_back(npy_header("<f4", tensor.shape));
    const std::string_view numbers(reinterpret_cast<const char*>(tensor.numbers.data()), tensor.numbers.size_bytes());
    archive.add(tensor.name + ".npy", {header, numbers});
  }
  const std::string header = npy_header("|u1", {std::ssize(description)});
  archive.add("unroll.npy", {header, description});
  replace_file(path, archive.finish());
}

}  // namespace unroll
