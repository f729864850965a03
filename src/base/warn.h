// Passes a warning to the handler that the program has set (unroll/warning.h).
#pragma once

#include <string>

namespace unroll {

void warn(const std::string& message);

}  // namespace unroll
