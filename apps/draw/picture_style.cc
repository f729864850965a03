#include "draw/picture_style.h"

#include "embedded/embedded_files.h"

namespace unroll {

std::string_view picture_style() noexcept {
  const EmbeddedFile* const file = find_embedded("web/picture.css");
  return file == nullptr ? std::string_view() : file->bytes;
}

}  // namespace unroll
