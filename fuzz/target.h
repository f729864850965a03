// What fuzz targets share.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "support/temporary_folder.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {

// Ends the program, by an exception that no target catches, where a claim does not hold.
inline void expect(bool holds, const char* claim) {
  if (!holds) throw std::logic_error(claim);
}

// The folder of this process.
inline const TemporaryFolder& fuzz_folder() {
  static const TemporaryFolder folder;
  return folder;
}

// The path of a file in it that holds these bytes.
inline std::string file_of(std::string_view bytes, const std::string& name) {
  const std::string path = fuzz_folder().path(name);
  write_bytes(path, std::string(bytes));
  return path;
}

// Takes the first byte off the input, as one of `choices`, which are printable. Other bytes are the first choice.
inline char take_choice(std::string_view& input, std::string_view choices) {
  if (input.empty()) return choices.front();
  const char byte = input.front();
  input.remove_prefix(1);
  return choices.find(byte) == std::string_view::npos ? choices.front() : byte;
}

// The message of the Error that f throws; empty if it returns. An Error must keep what unroll/error.h promises, and
// inputs as small as those here never take more memory than there is.
template <class F>
std::string refusal_of(const F& f) {
  try {
    f();
    return "";
  } catch (const Error& error) {
    const std::string message = error.what();
    expect(!message.empty() && message.back() != '.', "a message has no final full stop");
    expect(message.find('\n') == std::string::npos, "a message is one line");
    expect(find_invalid_utf8(message) == std::string::npos, "a message is UTF-8");
    expect(error.code() != ErrorCode::kMemory, "a small input fits in memory");
    return message;
  }
}

}  // namespace unroll
