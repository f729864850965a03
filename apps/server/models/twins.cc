#include "server/models/twins.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "embedded/embedded_files.h"

namespace unroll {

std::vector<NamedModel> twin_models() {
  std::vector<NamedModel> models;
  for (const std::string_view name : {"tanh", "gru", "lstm", "testament"}) {
    const std::string path = fmt::format("web/twins/{}.safetensors", name);
    const EmbeddedFile* const file = find_embedded(path);
    if (file != nullptr) models.push_back({.name = fmt::format("{}-twin", name), .path = path, .twin = file->bytes});
  }
  return models;
}

}  // namespace unroll
