// Reads files whole and replaces them whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace unroll {

// Returns the bytes of a file. Throws Error{kFile}: missing, a directory, no permission, cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

// Returns the first `most` bytes of a file, all of a shorter one. Throws as read_file().
[[nodiscard]] std::string read_head(const std::string& path, std::size_t most);

// The bytes of a file, without a copy: a regular file is memory-mapped, and processes that map it share the memory;
// anything else (a pipe) is read. The bytes keep their address for the lifetime of this object, moves included.
//
// While it is mapped, a file may be renamed, removed or replaced by another one (replace_file) without effect here.
// Writing into it changes the bytes; truncating it makes reading beyond its new end fatal (SIGBUS), as with any
// mapping.
class MappedFile {
 public:
  // What is read: anything, or regular files alone, where a path comes from somebody else; neither a pipe without a
  // writer nor a device without an end is then waited for.
  enum class Kinds { kAny, kRegular };

  // Throws Error{kFile} as read_file() does, or if it is of another kind, and Error{kMemory} if the file does not fit
  // in memory.
  explicit MappedFile(const std::string& path, Kinds kinds = Kinds::kAny);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }

  // Loads all bytes into memory at once, which is cheaper than page by page on access.
  void fetch() const noexcept;

  // Gives back the memory of all bytes; they are read again on access.
  void forget() const noexcept;

 private:
  std::string_view bytes_;
  std::unique_ptr<const std::string> read_;  // the bytes of a file that cannot be mapped; null: mapped
};

// Replaces the content of `path` with the pieces, one after another, or leaves it unchanged: writes a new file in its
// folder (NewFile), flushes that to disk, renames it over `path`, flushes the folder. If `path` is a symbolic link, its
// target is replaced and the link stays. Throws Error{kFile} naming the path and the system's reason (no space, no
// permission), or if it is not a regular file (a device, a pipe); nothing new is left behind then. If only the folder
// could not be flushed, the new file is in its place, and a power cut may undo that.
//
// A process that limits the size of its files (RLIMIT_FSIZE) ignores SIGXFSZ to get this error instead of its end.
void replace_file(const std::string& path, std::span<const std::string_view> pieces);

// Returns the seconds that it takes to write and flush `bytes` bytes next to `path`, measured using an unnamed
// temporary file (O_TMPFILE); 0 if the file system has none or refuses.
[[nodiscard]] double measure_write_seconds(const std::string& path, std::int64_t bytes);

// Whether a file or folder exists at `path`.
[[nodiscard]] bool file_exists(const std::string& path);

// Removes `path` if it exists. Throws Error{kFile} if it cannot be removed.
void remove_file(const std::string& path);

}  // namespace unroll
