#include "checkpoints/torch_tar.h"

#include <fmt/core.h>

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "checkpoints/byte_reader.h"
#include "checkpoints/pickle.h"
#include "checkpoints/torch_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMagicAt = 257;
constexpr std::size_t kKindAt = 156;

// A field of a header, up to its first zero.
std::string_view tar_field(std::string_view header, std::size_t at, std::size_t size) {
  const std::string_view field = header.substr(at, size);
  return field.substr(0, field.find('\0'));
}

class TorchTarReader {
 public:
  TorchTarReader(std::string_view bytes, ForeignFile& checkpoint)
      : checkpoint_(checkpoint), graph_(checkpoint.values), reader_(bytes, fmt::format("'{}'", checkpoint.path)) {}

  void read() {
    read_members();
    ValueGraph system;
    const ValueId info = read_pickle(system, member("sys_info"), reader_.name()).root;
    const ValueId little = system.find(info, "little_endian");
    if (system.is(little, ValueKind::kBool) && system[little].integer == 0) {
      reader_.refuse("a big-endian machine wrote the file, which is not read");
    }
    read_storages();
    read_tensors();
    const std::string_view object = member("pickle");
    const Pickle read = read_pickle(graph_, object, reader_.name(), [this](ValueId id) { return persistent(id); });
    if (read.bytes != object.size()) reader_.refuse("bytes follow the end of the pickle of the object");
    checkpoint_.root = read.root;
  }

 private:
  void read_members() {
    while (reader_.left() >= kBlock) {
      const std::string_view header = reader_.take(kBlock);
      const std::string name(tar_field(header, 0, 100));
      if (name.empty()) break;
      const std::string_view digits = tar_field(header, 124, 12);
      std::uint64_t size = 0;
      const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 8);
      if (failure != std::errc() || (end != digits.data() + digits.size() && *end != ' ')) {
        reader_.refuse(fmt::format("member {} has no size", quote(name)));
      }
      const std::string_view data = reader_.take(size);
      const char kind = header[kKindAt];
      const bool is_file = kind == '0' || kind == '\0';  // not what says more about the next one
      if (is_file && !members_.emplace(name, data).second) {
        reader_.refuse(fmt::format("member {} is there twice", quote(name)));
      }
      reader_.take((kBlock - size % kBlock) % kBlock);
    }
  }

  std::string_view member(const std::string& name) {
    const auto found = members_.find(name);
    if (found == members_.end())
      reader_.refuse(fmt::format("it is a tar archive without {}, and not one of PyTorch", name));
    return found->second;
  }

  // The next pickle of a member, in the graph of the file.
  ValueId next(ByteReader& from) {
    const Pickle read = read_pickle(graph_, from.rest(), reader_.name());
    from.take(read.bytes);
    return read.root;
  }

  std::int64_t next_count(ByteReader& from) {
    const ValueId count = next(from);
    if (!graph_.is(count, ValueKind::kInteger) || graph_[count].integer < 0)
      from.refuse("a count is not a whole number");
    return graph_[count].integer;
  }

  // The texts of a tuple of keys and names of classes.
  std::vector<std::string> texts_of(ByteReader& from, std::size_t count) {
    const ValueId tuple = next(from);
    if (!graph_.is(tuple, ValueKind::kTuple) || graph_[tuple].items.size() != count) {
      from.refuse("what describes a storage or a tensor is not a tuple");
    }
    std::vector<std::string> texts;
    for (const ValueId item : graph_[tuple].items) texts.push_back(key_of(item));
    return texts;
  }

  [[nodiscard]] std::string key_of(ValueId id) const {
    const Value& value = graph_[id];
    return value.kind == ValueKind::kInteger ? std::to_string(value.integer) : value.text;
  }

  void read_storages() {
    ByteReader from(member("storages"), reader_.name());
    const std::int64_t count = next_count(from);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::vector<std::string> texts = texts_of(from, 3);
      const std::optional<ElementType> type = torch_storage_type(texts[2]);
      if (!type) from.refuse(fmt::format("storage of a type that is not known: {}", quote(texts[2])));
      const std::int64_t numbers = from.i64();
      const std::int64_t size = element_size(*type);
      if (numbers < 0 || numbers > static_cast<std::int64_t>(from.left()) / size) {
        from.refuse(fmt::format("storage {} is said to have {} numbers", quote(texts[0]), numbers));
      }
      Storage storage{.name = texts[0], .device = texts[1], .type = *type};
      storage.bytes = from.take(static_cast<std::uint64_t>(numbers * size));
      if (!storages_.emplace(texts[0], graph_.add_storage(std::move(storage))).second) {
        from.refuse(fmt::format("storage {} is there twice", quote(texts[0])));
      }
    }
    const ValueId views = from.left() > 0 ? next(from) : kNoValue;
    if (graph_.is(views, ValueKind::kList) && !graph_[views].items.empty())
      from.refuse("views of storages are not read");
  }

  void read_tensors() {
    ByteReader from(member("tensors"), reader_.name());
    const std::int64_t count = next_count(from);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::vector<std::string> texts = texts_of(from, 3);
      const auto storage = storages_.find(texts[1]);
      if (storage == storages_.end()) from.refuse(fmt::format("storage {} is missing", quote(texts[1])));
      const std::int32_t dimensions = from.i32();
      from.take(sizeof(std::int32_t));
      if (dimensions < 0 || dimensions > 8) from.refuse(fmt::format("a tensor has {} dimensions", dimensions));
      TensorValue tensor{.storage = storage->second};
      for (std::int32_t d = 0; d < dimensions; ++d) tensor.shape.push_back(from.i64());
      for (std::int32_t d = 0; d < dimensions; ++d) tensor.strides.push_back(from.i64());
      tensor.offset = from.i64();
      if (!tensors_.emplace(texts[0], graph_.add_tensor(tensor, reader_.name())).second) {
        from.refuse(fmt::format("tensor {} is there twice", quote(texts[0])));
      }
    }
  }

  ValueId persistent(ValueId id) {
    if (!graph_.is(id, ValueKind::kTuple)) {
      const auto found = tensors_.find(key_of(id));
      // Gradients are not stored by some versions, and nothing needs them.
      return found == tensors_.end() ? graph_.add_none() : found->second;
    }
    const std::vector<ValueId> parts = graph_[id].items;
    if (parts.empty()) reader_.refuse("a persistent id is empty");
    if (parts.size() >= 3 && graph_.is(parts[2], ValueKind::kString)) {
      checkpoint_.sources.push_back(
          {.name = graph_[parts[0]].text, .file = graph_[parts[1]].text, .text = graph_[parts[2]].text});
    }
    return parts[0];
  }

  ForeignFile& checkpoint_;
  ValueGraph& graph_;
  ByteReader reader_;
  std::map<std::string, std::string_view> members_;
  std::map<std::string, std::int32_t> storages_;
  std::map<std::string, ValueId> tensors_;
};

}  // namespace

bool is_tar(std::string_view bytes) noexcept {
  return bytes.size() > kMagicAt && bytes.substr(kMagicAt).starts_with("ustar");
}

void read_torch_tar(std::string_view bytes, ForeignFile& checkpoint) {
  checkpoint.format = "PyTorch (tar archive, before 0.1.10)";
  TorchTarReader(bytes, checkpoint).read();
}

}  // namespace unroll
