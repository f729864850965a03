// Handing out text as it comes into being: whole characters only, and nothing of a stop string.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace unroll {

// What became of a piece of text.
enum class StreamState { kOpen, kStopped, kClosedByReader };

// Passes text on to a reader, holding back what is not certain yet: the end of the text so far, where it may turn out
// to be the beginning of the stop string, or is an incomplete UTF-8 character. Bytes that cannot belong to UTF-8 pass
// as they are. Not for two threads at once.
class TextStream {
 public:
  // `write` returns false to stop; an empty `stop` never occurs.
  TextStream(std::string stop, std::function<bool(std::string_view)> write);

  // Takes the next piece. After kStopped (the text before the stop string was handed out) or kClosedByReader nothing
  // more may come.
  StreamState append(std::string_view piece);

  // Hands out the beginning of a stop string that did not come; an unfinished last character is left out.
  StreamState finish();

 private:
  StreamState hand_out(std::size_t size);

  std::string stop_;
  std::function<bool(std::string_view)> write_;
  std::string pending_;
};

}  // namespace unroll
