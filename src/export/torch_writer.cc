#include "export/torch_writer.h"

#include <fmt/core.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/file.h"
#include "checkpoints/value.h"
#include "checkpoints/zip_writer.h"

namespace unroll {
namespace {

// Instructions of protocol 2 (pickletools.py of Python), which is the one of torch.save().
std::string pickled_name(std::string_view module, std::string_view name) {
  return fmt::format("c{}\n{}\n", module, name);
}

template <class Number>
std::string little_endian(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::string pickled_text(std::string_view text) {
  return "X" + little_endian(static_cast<std::uint32_t>(text.size())) + std::string(text);
}

std::string pickled_whole(std::int64_t number) {
  constexpr std::int64_t kLargestInt = 0x7FFFFFFF;
  if (number <= kLargestInt) return "J" + little_endian(static_cast<std::int32_t>(number));
  return std::string("\x8A\x08", 2) + little_endian(number);
}

std::string pickled_wholes(const std::vector<std::int64_t>& numbers) {
  std::string bytes = "(";
  for (const std::int64_t number : numbers) bytes += pickled_whole(number);
  return bytes + "t";
}

constexpr std::string_view kEmptyDict = "ccollections\nOrderedDict\n)R";

// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks), the storage by a persistent id
std::string pickled_tensor(const ExportedTensor& tensor, const std::string& key) {
  std::string storage = "(" + pickled_text("storage") + pickled_name("torch", "FloatStorage") + pickled_text(key) +
                        pickled_text("cpu") + pickled_whole(std::ssize(tensor.numbers)) + "tQ";
  return pickled_name("torch._utils", "_rebuild_tensor_v2") + "(" + storage + pickled_whole(0) +
         pickled_wholes(tensor.shape) + pickled_wholes(c_order(tensor.shape)) + "\x89" + std::string(kEmptyDict) + "tR";
}

std::string_view bytes_of(std::span<const float> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
}

// The first tensor with these numbers.
std::size_t storage_place(const std::vector<ExportedTensor>& tensors, std::size_t of) {
  std::size_t place = 0;
  while (tensors[place].numbers.data() != tensors[of].numbers.data()) ++place;
  return place;
}

std::string pickled_state_dict(const std::vector<ExportedTensor>& tensors) {
  std::string bytes = "\x80\x02" + std::string(kEmptyDict) + "(";
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    bytes += pickled_text(tensors[i].name) + pickled_tensor(tensors[i], std::to_string(storage_place(tensors, i)));
  }
  return bytes + "u.";
}

}  // namespace

void write_state_dict(const std::string& path, const std::vector<ExportedTensor>& tensors,
                      const std::string& description) {
  const std::string pickle = pickled_state_dict(tensors);
  ZipWriter archive;
  archive.add("archive/data.pkl", {pickle});
  archive.add("archive/byteorder", {"little"});
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (storage_place(tensors, i) == i) {
      archive.add(fmt::format("archive/data/{}", i), {bytes_of(tensors[i].numbers)});
    }
  }
  archive.add("archive/unroll.json", {description});
  archive.add("archive/version", {"3\n"});
  replace_file(path, archive.finish());
}

}  // namespace unroll
