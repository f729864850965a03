// Messages for people on standard error: whole lines, and one live line that is rewritten in place.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "unroll/warning.h"

namespace unroll {

// Standard error. Failures to write there are ignored. As long as this lives, warnings of the library become lines,
// "unroll: warning: message".
//
// On a terminal the live line is rewritten in place; elsewhere (a file, a pipe) it becomes a plain line every few
// seconds. Colours appear on a terminal only, and not when NO_COLOR is set and not empty.
class Terminal {
 public:
  // quiet: prints nothing.
  explicit Terminal(bool quiet);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Prints one line. Characters of it that are not printable are shown as \xHH (cli/streams/escaped.h).
  void line(std::string_view text);

  // Whether the live line is due for an update. Check before composing its text.
  [[nodiscard]] bool live_due() const;

  // Updates the live line. ASCII; parts of the text, separated by two spaces, that exceed the terminal's width are left
  // out.
  void live(std::string_view text);

  // Keeps the present live line as a line, if there is one.
  void keep_live();

  // Returns `text` in bold if there are colours.
  [[nodiscard]] std::string strong(std::string_view text) const;

 private:
  void clear_live();

  WarningHandler handler_before_;
  bool quiet_;
  bool rewrites_;
  bool colours_;
  bool live_shown_ = false;
  std::chrono::steady_clock::time_point next_live_;
};

// Whether colours may be printed on standard output: a terminal, and NO_COLOR is not set or empty.
[[nodiscard]] bool standard_output_has_colours();

// Prints "unroll: error: message" on standard error, in one write, shown as by Terminal::line().
void print_error(std::string_view message);

}  // namespace unroll
