// Arguments as a shell reads them.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// The argument as it is, or between single quotes where a shell would read it otherwise.
[[nodiscard]] std::string shell_quoted(std::string_view argument);

}  // namespace unroll
