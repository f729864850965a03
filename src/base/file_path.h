// Where a path leads, and errors that name it.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// The target of a path: follows symbolic links; the target of the last one need not exist yet. Throws Error{kFile} if
// links form a loop or cannot be read.
[[nodiscard]] std::string end_of_links(const std::string& path);

// The folder of a file: "." where its path has none.
[[nodiscard]] std::string folder_of(const std::string& path);

// Throws Error{kFile}: "cannot WHAT 'path': " and the system's reason, an errno.
[[noreturn]] void fail_on_file(std::string_view what, const std::string& path, int reason);

}  // namespace unroll
