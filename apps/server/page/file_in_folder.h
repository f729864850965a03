// Reads a file of a folder for somebody who must not see any other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unroll {

// The bytes of the regular file `path` below `folder`, such as "views/read.js". Nothing where it is missing, larger
// than `most` bytes, or not within: links are not followed, but for `folder` itself, and no part of the path may be
// empty, ".." or begin with a dot.
[[nodiscard]] std::optional<std::string> file_in_folder(const std::string& folder, std::string_view path,
                                                        std::int64_t most);

}  // namespace unroll
