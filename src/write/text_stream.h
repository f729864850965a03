// Passes on text as it is written: whole characters only, and nothing of a stop string.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace unroll {

// State of the stream after a piece.
enum class StreamState { kOpen, kStopped, kClosedByReader };

// Passes text on to a reader, and holds back its end while that may turn out to be the beginning of the stop string, or
// is an incomplete UTF-8 character. Bytes that cannot be UTF-8 pass as they are. Not for two threads at once.
class TextStream {
 public:
  // `write` returns false to stop; an empty `stop` never occurs.
  TextStream(std::string stop, std::function<bool(std::string_view)> write);

  // Adds the next piece. Must not be called again after kStopped (the text before the stop string was passed on) or
  // kClosedByReader.
  StreamState append(std::string_view piece);

  // Passes on the rest, such as the beginning of a stop string; leaves out an unfinished last character.
  StreamState finish();

 private:
  StreamState hand_out(std::size_t size);

  std::string stop_;
  std::function<bool(std::string_view)> write_;
  std::string pending_;
};

}  // namespace unroll
