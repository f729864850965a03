#include "cli/streams/output.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "unroll/error.h"

namespace unroll {

namespace {
constexpr std::size_t kBufferBytes = std::size_t{1} << 16;
}  // namespace

void Output::write(std::string_view text) {
  buffer_ += text;
  bytes_ += static_cast<std::int64_t>(text.size());
  if (buffer_.size() >= kBufferBytes) flush();
}

void Output::flush() {
  if (take_) {
    take_(buffer_);
    buffer_.clear();
    return;
  }
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      throw ReaderGone();
    } else if (errno != EINTR) {
      throw Error(ErrorCode::kFile, fmt::format("cannot write to standard output: {}", std::strerror(errno)));
    }
  }
  buffer_.clear();
}

}  // namespace unroll
