// Writes pickles instruction by instruction, zip archives, and the files of PyTorch that consist of them, as a test
// wants them: also wrong.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll {

// The bytes of a number, little-endian (on the machines that tests run on).
template <class Number>
std::string number_bytes(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

inline std::string float_bytes(const std::vector<float>& numbers) {
  std::string bytes;
  for (const float number : numbers) bytes += number_bytes(number);
  return bytes;
}

// Instructions of protocol 2.
namespace pickle {

inline std::string text(std::string_view value) {
  return "X" + number_bytes(static_cast<std::uint32_t>(value.size())) + std::string(value);
}
inline std::string whole(std::int64_t value) {
  if (value >= INT32_MIN && value <= INT32_MAX) return "J" + number_bytes(static_cast<std::int32_t>(value));
  return std::string("\x8A\x08") + number_bytes(value);
}
inline std::string none() { return "N"; }
inline std::string real(double value) {
  std::string bytes = number_bytes(value);
  std::ranges::reverse(bytes);
  return "G" + bytes;
}
inline std::string name(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string tuple(const std::vector<std::string>& items) {
  std::string bytes = "(";
  for (const std::string& item : items) bytes += item;
  return bytes + "t";
}
inline std::string list(const std::vector<std::string>& items) {
  std::string bytes = "](";
  for (const std::string& item : items) bytes += item;
  return bytes + "e";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string bytes = "}(";
  for (const auto& [key, value] : items) bytes += text(key) + value;
  return bytes + "u";
}
inline std::string call(std::string_view module, std::string_view function, const std::string& arguments) {
  return name(module, function) + arguments + "R";
}
// An instance of a class, with what its attributes are.
inline std::string object(const std::string& callee, const std::string& state) {
  return callee + ")\x81" + state + "b";
}
inline std::string wholes(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const std::int64_t value : values) items.push_back(whole(value));
  return tuple(items);
}
// A whole pickle.
inline std::string file(const std::string& value) { return "\x80\x02" + value + "."; }

}  // namespace pickle

// A tensor of floats of PyTorch, its storage, and the numbers of that.
struct TorchTensor {
  std::string key;
  std::vector<std::int64_t> shape;
  std::vector<float> numbers;  // of the storage
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides = {};  // empty: C order
  std::string type = "FloatStorage";
  std::int64_t said = -1;  // numbers that the storage is said to have; -1: that many
  std::string view = "";   // of legacy files: an instruction

  [[nodiscard]] std::string pickled() const {
    std::vector<std::int64_t> steps = strides;
    if (steps.empty()) {
      steps.assign(shape.size(), 1);
      for (std::size_t d = shape.size(); d > 1; --d) steps[d - 2] = steps[d - 1] * shape[d - 1];
    }
    const std::int64_t count = said < 0 ? static_cast<std::int64_t>(numbers.size()) : said;
    std::vector<std::string> id{pickle::text("storage"), pickle::name("torch", type), pickle::text(key),
                                pickle::text("cpu"), pickle::whole(count)};
    if (!view.empty()) id.push_back(view);
    const std::string storage = pickle::tuple(id) + "Q";
    return pickle::call("torch._utils", "_rebuild_tensor_v2",
                        pickle::tuple({storage, pickle::whole(offset), pickle::wholes(shape), pickle::wholes(steps),
                                       "\x89", pickle::call("collections", "OrderedDict", ")")}));
  }
};

// A member of a zip archive, which may say wrong things.
struct ZipPart {
  std::string name;
  std::string bytes;
  std::uint16_t method = 0;
  std::string local_name = {};  // empty: the same
};

inline std::string zip_of(const std::vector<ZipPart>& parts, int more_than_there_are = 0) {
  std::string out;
  std::string directory;
  const auto sizes = [](const ZipPart& part) {
    const auto* data = reinterpret_cast<const Bytef*>(part.bytes.data());
    const auto size = static_cast<std::uint32_t>(part.bytes.size());
    return number_bytes(static_cast<std::uint32_t>(crc32(0, data, size))) + number_bytes(size) + number_bytes(size);
  };
  for (const ZipPart& part : parts) {
    const std::string& local = part.local_name.empty() ? part.name : part.local_name;
    const std::string versions = number_bytes(std::uint16_t{20});
    const std::string head =
        number_bytes(std::uint16_t{0}) + number_bytes(part.method) + std::string(4, '\0') + sizes(part);
    directory += "PK\x01\x02" + versions + versions + head +
                 number_bytes(static_cast<std::uint16_t>(part.name.size())) + std::string(12, '\0') +
                 number_bytes(static_cast<std::uint32_t>(out.size())) + part.name;
    out += "PK\x03\x04" + versions + head + number_bytes(static_cast<std::uint16_t>(local.size())) +
           std::string(2, '\0') + local + part.bytes;
  }
  const std::string count =
      number_bytes(static_cast<std::uint16_t>(static_cast<int>(parts.size()) + more_than_there_are));
  return out + directory + "PK\x05\x06" + std::string(4, '\0') + count + count +
         number_bytes(static_cast<std::uint32_t>(directory.size())) +
         number_bytes(static_cast<std::uint32_t>(out.size())) + std::string(2, '\0');
}

// The parts of an archive of PyTorch: an object, and the storages of its tensors.
inline std::vector<ZipPart> torch_parts(const std::string& object, const std::vector<TorchTensor>& tensors) {
  std::vector<ZipPart> parts{{"archive/data.pkl", pickle::file(object)}};
  for (const TorchTensor& tensor : tensors)
    parts.push_back({"archive/data/" + tensor.key, float_bytes(tensor.numbers)});
  parts.push_back({"archive/version", "3\n"});
  return parts;
}

// A file as PyTorch 0.2 to 1.5 wrote it.
inline std::string legacy_torch(const std::string& object, const std::vector<TorchTensor>& tensors,
                                bool little_endian = true) {
  std::vector<std::string> keys;
  std::string storages;
  for (const TorchTensor& tensor : tensors) {
    keys.push_back(pickle::text(tensor.key));
    const std::int64_t count = tensor.said < 0 ? static_cast<std::int64_t>(tensor.numbers.size()) : tensor.said;
    storages += number_bytes(count) + float_bytes(tensor.numbers);
  }
  return std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15) +
         pickle::file(pickle::whole(1001)) +
         pickle::file(pickle::dict({{"little_endian", little_endian ? "\x88" : "\x89"}})) + pickle::file(object) +
         pickle::file(pickle::list(keys)) + storages;
}

}  // namespace unroll
