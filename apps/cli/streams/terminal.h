// Talking to a person on standard error: whole lines, and one line that rewrites itself.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace unroll {

// Standard error. Nothing that goes wrong there stops the program.
//
// On a terminal the live line is rewritten in place; elsewhere (a file, a pipe) it becomes a plain line every few
// seconds. Colours appear on a terminal only, and not when NO_COLOR is set and not empty.
class Terminal {
 public:
  // quiet: says nothing at all.
  explicit Terminal(bool quiet);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // One whole line that stays.
  void line(std::string_view text);

  // Whether the live line wants new words now. Ask before making them up.
  [[nodiscard]] bool live_due() const;

  // New words for the live line. ASCII; what does not fit the terminal's width is left out from the last two spaces on.
  void live(std::string_view text);

  // Keeps what the live line says now as a line, if it is still there.
  void keep_live();

  // `text` in bold where there are colours.
  [[nodiscard]] std::string strong(std::string_view text) const;

 private:
  void clear_live();

  bool quiet_;
  bool rewrites_;
  bool colours_;
  bool live_shown_ = false;
  std::chrono::steady_clock::time_point next_live_;
};

// Prints "unroll: error: message" on standard error, in one write.
void print_error(std::string_view message);

}  // namespace unroll
