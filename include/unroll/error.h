// How unroll reports what went wrong: one exception type with a code and a message for people.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace unroll {

// What kind of failure an Error reports. A command maps these to exit statuses, a server to HTTP statuses.
enum class ErrorCode {
  kUsage,    // the caller's options contradict each other or are out of range
  kInput,    // the text, prompt or vocabulary cannot be used (the message names file and byte, or line)
  kFile,     // a file is missing, unreadable, unwritable, or the disk is full
  kFormat,   // a model or resume file is damaged, foreign, or from a newer version
  kMemory,   // the run would not fit in memory; nothing was allocated yet
  kNumeric,  // NaN or infinity appeared; the message names step and tensor
  kPeer,     // another process of a run over several does not answer, or disagrees (unroll/ranks.h)
};

// Thrown by every public function that can fail on its environment or its input.
//
// what() says what failed, where, what was expected against what was found, and what to try next. It is one
// line of UTF-8 without a final full stop. The library itself never prints, exits or aborts.
//
// A message names a field of an options struct between backticks, by its path within the struct: "`text.min_count` is
// 0: expected at least 1". A program whose users know the fields by other names (flags, keys of a request) puts those
// in the place of what stands between backticks.
class Error : public std::runtime_error {
 public:
  // Line ends within the message, of a name or a text that it quotes, become spaces.
  Error(ErrorCode code, std::string message) : std::runtime_error(on_one_line(std::move(message))), code_(code) {}

  // The same with the field that is to blame, or with the place of the input that is, among several of a call.
  Error(ErrorCode code, std::string message, std::string field) : Error(code, std::move(message)) {
    field_ = std::move(field);
  }
  Error(ErrorCode code, std::string message, std::int64_t index) : Error(code, std::move(message)) { index_ = index; }

  // This error, with that place added.
  [[nodiscard]] Error at(std::int64_t index) const {
    Error placed = *this;
    placed.index_ = index;
    return placed;
  }

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

  // The field of an options struct that is to blame, without backticks; empty where it is none in particular.
  [[nodiscard]] const std::string& field() const noexcept { return field_; }

  // The first input, counted from 0, that is to blame: of the lines given to Scorer::score(), for example.
  [[nodiscard]] std::optional<std::int64_t> index() const noexcept { return index_; }

 private:
  static std::string on_one_line(std::string message) {
    for (char& c : message) c = c == '\n' || c == '\r' ? ' ' : c;
    return message;
  }

  ErrorCode code_;
  std::string field_;
  std::optional<std::int64_t> index_;
};

}  // namespace unroll
