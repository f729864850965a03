#include "checkpoints/foreign_file.h"

#include "base/file.h"

namespace unroll {

std::string_view read_part(ForeignFile& file, const std::string& path) {
  file.files.push_back(path);
  return file.values.keep(MappedFile(path, MappedFile::Kinds::kRegular));
}

}  // namespace unroll
