// Files that are read whole and replaced whole.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace unroll {

// The bytes of a file, as they are. Throws Error{kFile}: missing, a directory, no permission, cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

// Replaces `path` by the pieces one after another, or leaves it as it was: writes to a temporary file beside it,
// flushes that to disk, renames it over `path`, flushes the folder. Throws Error{kFile} naming the path and the
// system's reason (no space, no permission); the temporary file is gone then.
void replace_file(const std::string& path, std::span<const std::string_view> pieces);

// Seconds that it takes to write and flush `bytes` bytes beside `path`, measured with a file that has no name and is
// gone at once; 0 where the file system knows no such files or refuses.
[[nodiscard]] double measure_write_seconds(const std::string& path, std::int64_t bytes);

// Whether something stands at `path`.
[[nodiscard]] bool file_exists(const std::string& path);

// Removes `path` if it is there. Throws Error{kFile} when it is there and stays.
void remove_file(const std::string& path);

}  // namespace unroll
