// Files of the project that are built into the program: those of recipes/ and of web/.
#pragma once

#include <span>
#include <string_view>

namespace unroll {

struct EmbeddedFile {
  std::string_view path;   // in the project: "web/picture.css"
  std::string_view bytes;  // at a multiple of 64 bytes
};

// By path. Defined in a source that cmake/embed.cmake writes.
[[nodiscard]] std::span<const EmbeddedFile> embedded_files() noexcept;

// Those below a folder, "web/" for one, with its slash.
[[nodiscard]] std::span<const EmbeddedFile> embedded_files_in(std::string_view folder) noexcept;

// The file with this path; null if there is none.
[[nodiscard]] const EmbeddedFile* find_embedded(std::string_view path) noexcept;

}  // namespace unroll
