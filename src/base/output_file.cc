#include "unroll/output_file.h"

#include "base/file_claim.h"
#include "base/file_path.h"
#include "base/new_file.h"

namespace unroll {
namespace {

constexpr std::size_t kWriteBytes = std::size_t{1} << 16;

}  // namespace

struct OutputFile::Impl {
  explicit Impl(const std::string& path) : claim(path), file(end_of_links(path)) {}

  void flush() {
    file.write(buffer);
    buffer.clear();
  }

  FileClaim claim;
  NewFile file;
  std::string buffer;
};

OutputFile::OutputFile(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
OutputFile::~OutputFile() = default;
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;

void OutputFile::write(std::string_view bytes) {
  impl_->buffer += bytes;
  if (impl_->buffer.size() >= kWriteBytes) impl_->flush();
}

void OutputFile::rewrite_start(std::string_view bytes) {
  impl_->flush();
  impl_->file.rewrite_start(bytes);
}

void OutputFile::finish() {
  impl_->flush();
  impl_->file.replace_target();
}

}  // namespace unroll
