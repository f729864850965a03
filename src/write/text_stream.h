// Passes on text as it is written: whole characters only, and nothing of a stop string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// Holds back the end of a text while that may turn out to be the beginning of a stop string, or is an incomplete UTF-8
// character. Bytes that cannot be UTF-8 pass as they are. Not for two threads at once.
class TextStream {
 public:
  // The text ends before the stop string that is found first, of several found at once before the one that begins
  // first. An empty one never occurs.
  explicit TextStream(std::vector<std::string> stops);

  // Adds the next piece, and appends to `out` what has become certain. Returns whether a stop string was found: then
  // the text before it was passed on, and append() must not be called again.
  bool append(std::string_view piece, std::string& out);

  // Appends the rest, such as the beginning of a stop string; leaves out an unfinished last character.
  void finish(std::string& out);

 private:
  void hand_out(std::size_t size, std::string& out);

  std::vector<std::string> stops_;
  std::string pending_;
};

}  // namespace unroll
