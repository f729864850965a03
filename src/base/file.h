// Files that are read whole and replaced whole.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace unroll {

// The bytes of a file, as they are. Throws Error{kFile}: missing, a directory, no permission, cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

// The bytes of a file where they are: a regular file is mapped, so that nothing is copied and several processes share
// the memory; anything else (a pipe) is read. The bytes stay where they are for the life of this, moves included.
//
// While it is mapped, a file may be renamed, removed or replaced by another one (replace_file), which changes nothing
// here. Writing into it in place changes the bytes; cutting it short in place makes reading beyond its new end fatal
// (SIGBUS), as with everything that is mapped.
class MappedFile {
 public:
  // Throws Error{kFile} as read_file does, and Error{kMemory} when there is no room for it.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }

  // Brings all bytes into memory at once, which is cheaper than page by page as they are touched.
  void fetch() const noexcept;

 private:
  std::string_view bytes_;
  std::unique_ptr<const std::string> read_;  // the bytes of what cannot be mapped; null: mapped
};

// Replaces `path` by the pieces one after another, or leaves it as it was: writes to a temporary file beside it,
// flushes that to disk, renames it over `path`, flushes the folder. Where `path` is a symbolic link, that is what it
// leads to, and the link stays. Throws Error{kFile} naming the path and the system's reason (no space, no permission),
// or that it is no regular file (a device, a pipe); the temporary file is gone then.
void replace_file(const std::string& path, std::span<const std::string_view> pieces);

// An exclusive claim on the writing of `path`, among the processes of this machine, for as long as this lives. It is a
// lock on the file path + ".lock", which is made and removed again. A process that was killed loses its claim; what it
// leaves of that file hinders nobody.
class FileClaim {
 public:
  // Throws Error{kFile} where another process has the claim, where `path` is no regular file, or where no file can
  // be made beside it: then `path` could not be written either.
  explicit FileClaim(const std::string& path);
  ~FileClaim();
  FileClaim(const FileClaim&) = delete;
  FileClaim& operator=(const FileClaim&) = delete;

 private:
  std::string lock_path_;
  int descriptor_;
};

// Seconds that it takes to write and flush `bytes` bytes beside `path`, measured with a file that has no name and is
// gone at once; 0 where the file system knows no such files or refuses.
[[nodiscard]] double measure_write_seconds(const std::string& path, std::int64_t bytes);

// Whether something stands at `path`.
[[nodiscard]] bool file_exists(const std::string& path);

// Removes `path` if it is there. Throws Error{kFile} when it is there and stays.
void remove_file(const std::string& path);

}  // namespace unroll
