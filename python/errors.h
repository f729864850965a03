// unroll.Error, and Ctrl-C within long calls.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <string>
#include <string_view>

namespace unroll {

// Defines Error in the module, and makes every unroll::Error one of it. Warnings of the library become Python's.
void bind_errors(pybind11::module_& module);

// The keyword argument that a field of an options struct is in Python: "batch_size" for "run.batch_size".
[[nodiscard]] std::string keyword_of(std::string_view field);

// A message in which fields between backticks are keyword arguments.
[[nodiscard]] std::string with_keywords(std::string_view message);

// Lets Python handle signals that arrived during a long call. For the thread that made the call.
class SignalCheck {
 public:
  // At most every 50 ms, since it takes the interpreter's lock, which must not be held. Throws what a handler raised,
  // such as KeyboardInterrupt.
  void operator()();

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace unroll
