#include "cli/streams/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "cli/streams/escaped.h"

namespace unroll {
namespace {

constexpr auto kRewriteInterval = std::chrono::milliseconds(100);
constexpr auto kPlainInterval = std::chrono::seconds(5);
constexpr std::size_t kDefaultColumns = 80;
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kPlain = "\x1b[0m";

bool is_terminal(int descriptor) {
  const char* const kind = std::getenv("TERM");
  return isatty(descriptor) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

bool has_colours(int descriptor) {
  const char* const no_color = std::getenv("NO_COLOR");
  return is_terminal(descriptor) && (no_color == nullptr || *no_color == '\0');
}

std::size_t columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return kDefaultColumns;
  return size.ws_col;
}

// As many of the parts of `text`, separated by two spaces, as fit. Leaves the last column free: filling it makes some
// terminals wrap.
std::string_view fitted(std::string_view text, std::size_t width) {
  if (text.size() < width) return text;
  const std::size_t gap = text.rfind("  ", width - 1);
  return text.substr(0, gap == std::string_view::npos ? width - 1 : gap);
}

// Of the sequences that terminals obey, only those of Terminal::strong() stay.
std::string shown_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const std::size_t at = std::min({text.find(kBold), text.find(kPlain), text.size()});
    line += visible(text.substr(0, at));
    text.remove_prefix(at);
    const std::size_t own = std::min(text.size(), kBold.size());
    line += text.substr(0, own);
    text.remove_prefix(own);
  }
  return line;
}

void put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

// The first plain line comes after one interval, so that a short run in a script repeats nothing.
Terminal::Terminal(bool quiet)
    : handler_before_(set_warning_handler([this](const std::string& message) { line("unroll: warning: " + message); })),
      quiet_(quiet),
      rewrites_(is_terminal(STDERR_FILENO)),
      colours_(has_colours(STDERR_FILENO)),
      next_live_(std::chrono::steady_clock::now() + kPlainInterval) {
  if (rewrites_) next_live_ = std::chrono::steady_clock::now();
}

Terminal::~Terminal() {
  set_warning_handler(handler_before_);
  keep_live();
}

void Terminal::line(std::string_view text) {
  if (quiet_) return;
  clear_live();
  put(shown_line(text) + '\n');
}

bool Terminal::live_due() const { return !quiet_ && std::chrono::steady_clock::now() >= next_live_; }

void Terminal::live(std::string_view text) {
  if (!live_due()) return;
  next_live_ = std::chrono::steady_clock::now();
  if (rewrites_) {
    put("\r" + std::string(fitted(visible(text), columns())) + "\x1b[K");
    live_shown_ = true;
    next_live_ += kRewriteInterval;
  } else {
    put(visible(text) + '\n');
    next_live_ += kPlainInterval;
  }
}

void Terminal::keep_live() {
  if (live_shown_) put("\n");
  live_shown_ = false;
}

std::string Terminal::strong(std::string_view text) const {
  return colours_ ? std::string(kBold).append(text).append(kPlain) : std::string(text);
}

void Terminal::clear_live() {
  if (live_shown_) put("\r\x1b[K");
  live_shown_ = false;
}

bool standard_output_has_colours() { return has_colours(STDOUT_FILENO); }

void print_error(std::string_view message) { put("unroll: error: " + visible(message) + '\n'); }

}  // namespace unroll
