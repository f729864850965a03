#include "checkpoints/torch_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/quote.h"
#include "checkpoints/byte_reader.h"
#include "checkpoints/pickle.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// 0x1950a86a20f9469cfc6c, as the pickle of a long in protocol 2.
constexpr std::string_view kLegacyStart("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
constexpr std::string_view kDataEnding = "/data.pkl";
constexpr std::int64_t kLegacyProtocol = 1001;

// Makes values of persistent ids, each storage once.
class TorchReader {
 public:
  // The bytes of the storage `key`, which is said to have `size` of them. Throws if there is none.
  using Find = std::function<std::string_view(const std::string& key, std::int64_t size)>;

  TorchReader(ForeignFile& checkpoint, Find find, bool big_endian)
      : checkpoint_(checkpoint),
        graph_(checkpoint.values),
        name_(fmt::format("'{}'", checkpoint.path)),
        find_(std::move(find)),
        big_endian_(big_endian) {}

  // Returns the bytes that the pickle takes.
  std::size_t read(std::string_view pickle) {
    const Pickle read = read_pickle(graph_, pickle, name_, [this](ValueId id) { return persistent(id); });
    checkpoint_.root = read.root;
    return read.bytes;
  }

  // The key of a storage as text.
  [[nodiscard]] std::string key(const Value& value) const {
    if (value.kind == ValueKind::kInteger) return std::to_string(value.integer);
    if (value.kind != ValueKind::kString) refuse("the key of a storage is not a string");
    return value.text;
  }

  // The storage of a key that the object refers to.
  [[nodiscard]] std::optional<Storage> find(const std::string& key) const {
    const auto found = storages_.find(key);
    return found == storages_.end() ? std::nullopt : std::optional(storage_at(found->second.value));
  }

  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> all;
    for (const auto& [key, known] : storages_) all.push_back(key);
    return all;
  }

  // Lets a storage and its views view these bytes.
  void move_storage(const std::string& key, std::string_view bytes) {
    const Known& known = storages_.at(key);
    graph_.move_storage(static_cast<std::int32_t>(graph_[known.value].integer), bytes);
    for (const auto& [name, view] : known.views) {
      graph_.move_storage(static_cast<std::int32_t>(graph_[view.value].integer),
                          bytes.substr(static_cast<std::size_t>(view.offset), storage_at(view.value).bytes.size()));
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::kFormat, fmt::format("{}: {}", name_, why));
  }

  ValueId persistent(ValueId id) {
    if (!graph_.is(id, ValueKind::kTuple) || graph_[id].items.empty()) refuse("a persistent id is not a tuple");
    const std::string& kind = text(id, 0);
    if (kind == "storage") return storage(id);
    if (kind == "module") return module(id);
    refuse(fmt::format("a persistent id is a {}: expected a storage or a module", quote(kind)));
  }

  // ('storage', class, key, device, count[, view])
  ValueId storage(ValueId id) {
    const std::string& type_name = text(id, 1);
    const std::optional<ElementType> type = torch_storage_type(type_name);
    if (!type) refuse(fmt::format("storage of a type that is not known: {}", quote(type_name)));
    const std::string name = key(graph_[item(id, 2)]);
    const std::int64_t count = whole(item(id, 4));
    Known& known = whole_storage({.name = name, .device = text(id, 3), .type = *type}, count);
    const bool has_view = graph_[id].items.size() > 5 && !graph_.is(item(id, 5), ValueKind::kNone);
    return has_view ? view(known, item(id, 5)) : known.value;
  }

  struct View {
    ValueId value = kNoValue;
    std::int64_t offset = 0;  // bytes
  };

  struct Known {
    ValueId value = kNoValue;
    std::map<std::string, View> views = {};
  };

  Known& whole_storage(Storage storage, std::int64_t count) {
    const auto found = storages_.find(storage.name);
    if (found == storages_.end()) {
      std::int64_t size = 0;
      if (count < 0 || __builtin_mul_overflow(count, element_size(storage.type), &size)) {
        refuse(fmt::format("storage {} is said to have {} numbers", quote(storage.name), count));
      }
      storage.bytes = find_(storage.name, size);
      storage.big_endian = big_endian_;
      if (std::ssize(storage.bytes) != size) {
        refuse(fmt::format("storage {} has {} bytes: expected {} numbers of type {}", quote(storage.name),
                           storage.bytes.size(), count, element_type_name(storage.type)));
      }
      const std::string key = storage.name;
      return storages_[key] = {.value = add(std::move(storage))};
    }
    const Storage& before = storage_at(found->second.value);
    if (before.type != storage.type || before.count() != count) {
      refuse(fmt::format("storage {} has {} numbers of type {} in one place and {} of type {} in another",
                         quote(storage.name), before.count(), element_type_name(before.type), count,
                         element_type_name(storage.type)));
    }
    return found->second;
  }

  // A part of a storage: (key, offset, count).
  ValueId view(Known& whole_one, ValueId tuple) {
    const std::string name = key(graph_[item(tuple, 0)]);
    const std::int64_t offset = whole(item(tuple, 1));
    const std::int64_t count = whole(item(tuple, 2));
    if (const auto found = whole_one.views.find(name); found != whole_one.views.end()) return found->second.value;
    Storage part = storage_at(whole_one.value);
    if (offset < 0 || count < 0 || offset > part.count() || count > part.count() - offset) {
      refuse(fmt::format("a view of storage {} has {} numbers from {}, and the storage {}", quote(part.name), count,
                         offset, part.count()));
    }
    const std::int64_t bytes = element_size(part.type);
    part.bytes = part.bytes.substr(static_cast<std::size_t>(offset * bytes), static_cast<std::size_t>(count * bytes));
    const ValueId value = add(std::move(part));
    whole_one.views[name] = {.value = value, .offset = offset * bytes};
    return value;
  }

  [[nodiscard]] const Storage& storage_at(ValueId id) const {
    return graph_.storage(static_cast<std::int32_t>(graph_[id].integer));
  }

  ValueId add(Storage storage) {
    return graph_.add({.kind = ValueKind::kStorage, .integer = graph_.add_storage(std::move(storage))});
  }

  // ('module', class, file, source)
  ValueId module(ValueId id) {
    const std::string& name = text(id, 1);
    const bool is_new = seen_modules_.insert(name).second;
    if (is_new && graph_[id].items.size() >= 4 && graph_.is(item(id, 3), ValueKind::kString)) {
      checkpoint_.sources.push_back({.name = name, .file = text(id, 2), .text = text(id, 3)});
    }
    return item(id, 1);
  }

  ValueId item(ValueId tuple, std::size_t place) {
    if (!graph_.is(tuple, ValueKind::kTuple) || graph_[tuple].items.size() <= place) {
      refuse("a persistent id has too few parts");
    }
    return graph_[tuple].items[place];
  }

  // A string, or the name of a class; empty for anything else, as where a class has no file.
  const std::string& text(ValueId tuple, std::size_t place) {
    static const std::string kEmpty;
    const Value& value = graph_[item(tuple, place)];
    const bool has_text = value.kind == ValueKind::kString || value.kind == ValueKind::kName;
    return has_text ? value.text : kEmpty;
  }

  std::int64_t whole(ValueId id) {
    if (!graph_.is(id, ValueKind::kInteger)) refuse("a count of numbers is not a whole number");
    return graph_[id].integer;
  }

  ForeignFile& checkpoint_;
  ValueGraph& graph_;
  std::string name_;
  Find find_;
  bool big_endian_;
  std::map<std::string, Known> storages_;
  std::set<std::string> seen_modules_;
};

// The pickles and storages of a legacy file, one after another.
class LegacyFile {
 public:
  LegacyFile(std::string_view bytes, ForeignFile& checkpoint)
      : bytes_(bytes), reader_(bytes, fmt::format("'{}'", checkpoint.path)), checkpoint_(checkpoint) {}

  void read() {
    reader_.seek(kLegacyStart.size());
    read_head();
    // Storages follow the object, and the size of their numbers is written in the object alone. Until they are found,
    // they view as many bytes from the start of the file.
    TorchReader object(
        checkpoint_, [this](const std::string& key, std::int64_t size) { return place(key, size); }, false);
    reader_.take(object.read(reader_.rest()));
    read_storages(object);
  }

 private:
  ValueId next(ValueGraph& graph) {
    const Pickle read = read_pickle(graph, reader_.rest(), reader_.name());
    reader_.take(read.bytes);
    return read.root;
  }

  void read_head() {
    ValueGraph head;
    const ValueId protocol = next(head);
    if (!head.is(protocol, ValueKind::kInteger) || head[protocol].integer != kLegacyProtocol) {
      reader_.refuse(fmt::format("the file has an unknown protocol: expected {}", kLegacyProtocol));
    }
    const ValueId little = head.find(next(head), "little_endian");
    if (head.is(little, ValueKind::kBool) && head[little].integer == 0) {
      reader_.refuse(
          "the file says that a big-endian machine wrote it, and versions of PyTorch differ in what they "
          "then wrote: load it there and save it with PyTorch 2");
    }
  }

  std::string_view place(const std::string& key, std::int64_t size) {
    if (size > std::ssize(bytes_)) {
      reader_.refuse(
          fmt::format("storage {} is said to have {} bytes, and the file has {}", quote(key), size, bytes_.size()));
    }
    return bytes_.substr(0, static_cast<std::size_t>(size));
  }

  void read_storages(TorchReader& object) {
    ValueGraph keys;
    const ValueId list = next(keys);
    if (!keys.is(list, ValueKind::kList)) reader_.refuse("the keys of the storages are not a list");
    std::set<std::string> seen;
    for (const ValueId id : keys[list].items) {
      const std::string key = object.key(keys[id]);
      if (!seen.insert(key).second) reader_.refuse(fmt::format("storage {} is there twice", quote(key)));
      const std::optional<Storage> storage = object.find(key);
      if (!storage) reader_.refuse(fmt::format("nothing refers to storage {}", quote(key)));
      const std::int64_t count = reader_.i64();
      if (count != storage->count()) {
        reader_.refuse(fmt::format("storage {} has {} numbers: expected {}", quote(key), count, storage->count()));
      }
      object.move_storage(key, reader_.take(storage->bytes.size()));
    }
    for (const std::string& key : object.keys()) {
      if (!seen.contains(key)) reader_.refuse(fmt::format("storage {} is missing", quote(key)));
    }
    if (reader_.left() != 0) reader_.refuse(fmt::format("{} bytes follow the last storage", reader_.left()));
  }

  std::string_view bytes_;
  ByteReader reader_;
  ForeignFile& checkpoint_;
};

// The text of a small member, without white space at its end; empty if there is none.
std::string_view member_text(const std::vector<ZipMember>& members, const std::string& name) {
  for (const ZipMember& member : members) {
    if (member.name != name) continue;
    std::string_view text = member.bytes;
    while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
    return text;
  }
  return {};
}

bool has_member(const std::vector<ZipMember>& members, const std::string& name) {
  return std::ranges::find(members, name, &ZipMember::name) != members.end();
}

// NAME of the one member NAME/data.pkl.
std::string archive_folder(const std::vector<ZipMember>& members, const std::string& name) {
  std::optional<std::string> folder;
  for (const ZipMember& member : members) {
    if (!member.name.ends_with(kDataEnding)) continue;
    if (folder) throw Error(ErrorCode::kFormat, fmt::format("{}: the archive has more than one data.pkl", name));
    folder = member.name.substr(0, member.name.size() - kDataEnding.size());
  }
  for (const ZipMember& member : members) {
    if (!member.name.starts_with(*folder + "/")) {
      throw Error(ErrorCode::kFormat,
                  fmt::format("{}: member {} is not in the folder {}", name, quote(member.name), quote(*folder)));
    }
  }
  return *folder;
}

}  // namespace

std::optional<ElementType> torch_storage_type(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, ElementType>, 11> kTypes{{{"DoubleStorage", ElementType::kF64},
                                                                             {"FloatStorage", ElementType::kF32},
                                                                             {"HalfStorage", ElementType::kF16},
                                                                             {"BFloat16Storage", ElementType::kBf16},
                                                                             {"LongStorage", ElementType::kI64},
                                                                             {"IntStorage", ElementType::kI32},
                                                                             {"ShortStorage", ElementType::kI16},
                                                                             {"CharStorage", ElementType::kI8},
                                                                             {"ByteStorage", ElementType::kU8},
                                                                             {"BoolStorage", ElementType::kBool},
                                                                             {"UntypedStorage", ElementType::kU8}}};
  for (const std::string_view module : {"torch.", "torch.cuda.", "torch.storage."}) {
    for (const auto& [ending, type] : kTypes) {
      if (name.starts_with(module) && name.substr(module.size()) == ending) return type;
    }
  }
  return std::nullopt;
}

bool is_legacy_torch(std::string_view bytes) noexcept { return bytes.starts_with(kLegacyStart); }

bool is_torch_archive(const std::vector<ZipMember>& members) {
  return std::ranges::any_of(members, [](const ZipMember& member) { return member.name.ends_with(kDataEnding); });
}

void read_legacy_torch(std::string_view bytes, ForeignFile& checkpoint) {
  checkpoint.format = "PyTorch (pickles, as of 0.2 to 1.5)";
  LegacyFile(bytes, checkpoint).read();
}

void read_torch_archive(const std::vector<ZipMember>& members, ForeignFile& checkpoint) {
  const std::string name = fmt::format("'{}'", checkpoint.path);
  checkpoint.format = "PyTorch (zip archive, as of 1.6)";
  const std::string folder = archive_folder(members, name);
  if (has_member(members, folder + "/constants.pkl")) {
    throw Error(ErrorCode::kFormat, fmt::format("{}: it is a TorchScript archive, which holds a program: save the "
                                                "module's state_dict() instead",
                                                name));
  }
  const std::string_view order = member_text(members, folder + "/byteorder");
  if (!order.empty() && order != "little" && order != "big") {
    throw Error(ErrorCode::kFormat,
                fmt::format("{}: the byte order is {}: expected little or big", name, quote(order)));
  }
  std::unordered_map<std::string_view, std::string_view> by_name;
  for (const ZipMember& member : members) by_name.emplace(member.name, member.bytes);
  const auto find = [&](const std::string& key, std::int64_t /*size*/) {
    const auto found = by_name.find(fmt::format("{}/data/{}", folder, key));
    if (found == by_name.end()) {
      throw Error(ErrorCode::kFormat, fmt::format("{}: storage {} is missing", name, quote(key)));
    }
    return found->second;
  };
  const std::string_view pickle = by_name.at(folder + std::string(kDataEnding));
  checkpoint.description = member_text(members, folder + "/unroll.json");
  TorchReader reader(checkpoint, find, order == "big");
  if (reader.read(pickle) != pickle.size()) {
    throw Error(ErrorCode::kFormat, fmt::format("{}: bytes follow the end of the pickle data.pkl", name));
  }
}

}  // namespace unroll
