// Paths of files that are going to be written.
//
//   unroll::expect_writable(path);                       // told now, not after hours of work
//   if (unroll::same_file(path, input)) ...              // writing would replace what is read
#pragma once

#include <string>

namespace unroll {

// Whether both paths lead to the same file, whatever links lie between, or would once it is created. "-" is standard
// input.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

// Throws Error{kFile} if no file can be created or replaced at `path`: its folder is missing or may not be written, its
// name is too long (that of the lock file included, 13 bytes longer), it is a folder, a device or a pipe, or another
// user's file in a folder like /tmp. Changes nothing. The space on the disk is not checked.
void expect_writable(const std::string& path);

}  // namespace unroll
