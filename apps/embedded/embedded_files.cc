#include "embedded/embedded_files.h"

#include <algorithm>

namespace unroll {

std::span<const EmbeddedFile> embedded_files_in(std::string_view folder) noexcept {
  const std::span<const EmbeddedFile> files = embedded_files();
  const auto is_in = [&](const EmbeddedFile& file) { return file.path.starts_with(folder); };
  const auto begin = std::ranges::find_if(files, is_in);
  return {begin, std::find_if_not(begin, files.end(), is_in)};
}

const EmbeddedFile* find_embedded(std::string_view path) noexcept {
  const std::span<const EmbeddedFile> files = embedded_files();
  const auto at = std::ranges::find(files, path, &EmbeddedFile::path);
  return at == files.end() ? nullptr : &*at;
}

}  // namespace unroll
