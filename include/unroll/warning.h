// What went well but for something that a person should know, such as bytes of a file that were left out.
//
//   unroll::set_warning_handler([](const std::string& message) { std::cerr << message << '\n'; });
#pragma once

#include <functional>
#include <string>

namespace unroll {

// Called with one line of UTF-8, worded as that of an Error, in the thread that read the file.
using WarningHandler = std::function<void(const std::string& message)>;

// Sets what is called for each warning of the library in this process; an empty handler, as at first, for nothing.
// Returns the handler before. Any thread may call it; a handler that is being called is waited for.
WarningHandler set_warning_handler(WarningHandler handler);

}  // namespace unroll
