#include "checkpoints/ml5_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/quote.h"
#include "checkpoints/json_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kVocabularyName = "vocab.json";

class Ml5Reader {
 public:
  explicit Ml5Reader(ForeignFile& file) : file_(file), graph_(file.values) {}

  void read() {
    const ValueId manifest = read_json_file(kManifest);
    if (!graph_.is(manifest, ValueKind::kDict)) refuse(kManifest, "it is not an object of tensors");
    std::vector<ValueId> items;
    const std::vector<ValueId> entries = graph_[manifest].items;
    for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
      items.push_back(entries[i]);
      items.push_back(read_tensor(graph_[entries[i]].text, entries[i + 1]));
    }
    if (file_exists(path_of(kVocabularyName))) {
      const ValueId vocabulary = read_json_file(kVocabularyName);
      items.push_back(graph_.add_string(std::string(kVocabularyName)));
      items.push_back(vocabulary);
    }
    file_.root = graph_.add_items(ValueKind::kDict, std::move(items));
  }

 private:
  [[noreturn]] void refuse(std::string_view what, const std::string& why) const {
    throw Error(ErrorCode::kFormat, fmt::format("'{}': {}: {}", file_.path, what, why));
  }

  [[nodiscard]] std::string path_of(std::string_view name) const {
    return (std::filesystem::path(file_.path) / std::filesystem::path(name)).string();
  }

  // A link may not lead out of the folder, which names any file of the machine then.
  [[nodiscard]] std::string checked(const std::string& path) const {
    std::error_code missing;
    const std::filesystem::path end = std::filesystem::canonical(path, missing);
    if (missing || end.parent_path() == std::filesystem::canonical(file_.path, missing)) return path;
    throw Error(ErrorCode::kFormat,
                fmt::format("'{}' is a link that leads out of its folder: expected a file in it", path));
  }

  ValueId read_json_file(std::string_view name) {
    const std::string path = path_of(name);
    return read_json(graph_, read_part(file_, checked(path)), fmt::format("'{}'", path));
  }

  ValueId read_tensor(const std::string& name, ValueId entry) {
    const std::string what = fmt::format("tensor {}", shown_name(name));
    const ValueId file_name = graph_.find(entry, "filename");
    if (!graph_.is(file_name, ValueKind::kString)) refuse(what, "the manifest has no filename for it");
    const std::string& in_folder = graph_[file_name].text;
    const bool is_plain = !in_folder.empty() && in_folder != "." && in_folder != ".." &&
                          in_folder.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
    if (!is_plain) refuse(what, fmt::format("its filename {} is not one in the folder", quote(in_folder)));
    const std::vector<std::int64_t> shape = shape_of(what, graph_.find(entry, "shape"));
    TensorValue tensor{.shape = shape, .strides = c_order(shape)};
    const std::string_view bytes = read_part(file_, checked(path_of(in_folder)));
    if (bytes.size() % sizeof(float) != 0) refuse(what, fmt::format("{} has {} bytes", in_folder, bytes.size()));
    tensor.storage = graph_.add_storage({.name = in_folder, .type = ElementType::kF32, .bytes = bytes});
    const ValueId id = graph_.add_tensor(tensor, fmt::format("'{}': {}", file_.path, what));
    if (tensor.size() != std::ssize(bytes) / element_size(ElementType::kF32)) {
      refuse(what, fmt::format("{} has {} bytes: expected [{}] of float32", quote(in_folder), bytes.size(),
                               fmt::join(shape, ", ")));
    }
    return id;
  }

  [[nodiscard]] std::vector<std::int64_t> shape_of(const std::string& what, ValueId list) const {
    if (!graph_.is(list, ValueKind::kList)) refuse(what, "the manifest has no shape for it");
    std::vector<std::int64_t> shape;
    for (const ValueId length : graph_[list].items) {
      if (!graph_.is(length, ValueKind::kInteger)) refuse(what, "its shape is not a list of whole numbers");
      shape.push_back(graph_[length].integer);
    }
    return shape;
  }

  ForeignFile& file_;
  ValueGraph& graph_;
};

}  // namespace

bool is_ml5_folder(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_directory(path, none) &&
         std::filesystem::is_regular_file(std::filesystem::path(path) / std::filesystem::path(kManifest), none);
}

void read_ml5_folder(ForeignFile& file) {
  file.kind = ForeignKind::kTensorFlow;
  file.format = "ml5 (charRNN)";
  Ml5Reader(file).read();
}

}  // namespace unroll
