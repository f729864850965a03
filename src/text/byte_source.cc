#include "text/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/warn.h"
#include "text/byte_order_mark.h"
#include "text/ids.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 16;
constexpr std::string_view kGzipMagic = "\x1f\x8b";

}  // namespace

struct ByteSource::Stream {
  enum class Coding { kUndecided, kPlain, kGzip };

  Stream(const std::string& path, TextCoding coding);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[noreturn]] void fail(std::string_view what, std::string_view reason) const {
    throw Error(ErrorCode::kFile, fmt::format("cannot {} {}: {}", what, name, reason));
  }
  std::string_view read_block();
  void decide(std::string_view bytes, bool ended);
  void inflate_onto(std::string& bytes, std::string_view packed);
  bool begin_member();
  void ignore_rest();
  void offer(std::string_view packed);
  void finish();
  bool append_unpacked(std::string& bytes);
  bool append_after_mark(std::string& bytes);

  TextCoding text_coding;
  std::string start = {};  // of what is unpacked, until it shows whether there is a byte-order mark
  bool past_mark = false;
  bool had_mark = false;
  std::string name;  // in messages
  int descriptor = STDIN_FILENO;
  std::int64_t stored_bytes = 0;
  Coding coding = Coding::kUndecided;
  std::string head;  // the first bytes, until they show the coding
  z_stream unpacker{};
  bool unpacking = false;  // unpacker owns memory
  bool in_member = false;  // within a gzip stream
  std::string magic;       // the first bytes of what follows a gzip stream
  bool rest_is_ignored = false;
  std::array<char, kBlock> block;
  std::array<char, 4 * kBlock> unpacked;
};

ByteSource::Stream::Stream(const std::string& path, TextCoding the_coding)
    : text_coding(the_coding), name(text_name(path)) {
  if (path == "-") return;
  descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail("open", std::strerror(errno));
  struct stat status {};
  const int reason = ::fstat(descriptor, &status) != 0 ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
  if (reason != 0) {
    ::close(descriptor);
    fail("read", std::strerror(reason));
  }
  if (S_ISREG(status.st_mode)) stored_bytes = status.st_size;
}

ByteSource::Stream::~Stream() {
  if (unpacking) inflateEnd(&unpacker);
  if (descriptor != STDIN_FILENO) ::close(descriptor);
}

// The result of one read; empty at the end.
std::string_view ByteSource::Stream::read_block() {
  while (true) {
    const ssize_t got = ::read(descriptor, block.data(), block.size());
    if (got >= 0) return {block.data(), static_cast<std::size_t>(got)};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd waited{descriptor, POLLIN, 0};
      ::poll(&waited, 1, -1);
    } else if (errno != EINTR) {
      fail("read", std::strerror(errno));
    }
  }
}

void ByteSource::Stream::decide(std::string_view bytes, bool ended) {
  head += bytes;
  if (head.starts_with(kGzipMagic)) {
    // 16: gzip framing, whose checksum and length zlib verifies.
    if (inflateInit2(&unpacker, MAX_WBITS + 16) != Z_OK) fail("unpack", "no memory");
    unpacking = true;
    coding = Coding::kGzip;
  } else if (ended || !kGzipMagic.starts_with(head)) {
    coding = Coding::kPlain;
  }
}

// Goes past the first two bytes of the next gzip stream. Returns false where the bytes at hand end before these, or are
// none of a gzip stream: then all that follows is left out, as gzip does.
bool ByteSource::Stream::begin_member() {
  if (magic.empty()) {
    while (unpacker.avail_in > 0 && *unpacker.next_in == 0) ++unpacker.next_in, --unpacker.avail_in;
  }
  while (unpacker.avail_in > 0 && magic.size() < kGzipMagic.size()) {
    magic += static_cast<char>(*unpacker.next_in);
    ++unpacker.next_in, --unpacker.avail_in;
  }
  if (magic.size() < kGzipMagic.size()) return false;
  if (magic != kGzipMagic) {
    ignore_rest();
    return false;
  }
  magic.clear();
  Bytef* const next_in = unpacker.next_in;
  const uInt avail_in = unpacker.avail_in;
  inflateReset(&unpacker);
  offer(kGzipMagic);
  unpacker.next_out = reinterpret_cast<Bytef*>(unpacked.data());  // nothing comes of the first two bytes
  unpacker.avail_out = static_cast<uInt>(unpacked.size());
  inflate(&unpacker, Z_NO_FLUSH);
  unpacker.next_in = next_in;
  unpacker.avail_in = avail_in;
  in_member = true;
  return true;
}

void ByteSource::Stream::ignore_rest() {
  warn(fmt::format("{}: what follows the gzip data is not gzip and is left out", name));
  rest_is_ignored = true;
}

void ByteSource::Stream::offer(std::string_view packed) {
  unpacker.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));  // zlib only reads them
  unpacker.avail_in = static_cast<uInt>(packed.size());
}

void ByteSource::Stream::inflate_onto(std::string& bytes, std::string_view packed) {
  if (rest_is_ignored) return;
  offer(packed);
  do {
    if (!in_member && !begin_member()) return;
    unpacker.next_out = reinterpret_cast<Bytef*>(unpacked.data());
    unpacker.avail_out = static_cast<uInt>(unpacked.size());
    const int result = inflate(&unpacker, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      fail("unpack", fmt::format("damaged gzip ({})", unpacker.msg != nullptr ? unpacker.msg : zError(result)));
    }
    bytes.append(unpacked.data(), unpacked.size() - unpacker.avail_out);
    in_member = result != Z_STREAM_END;
  } while (unpacker.avail_in > 0 || (in_member && unpacker.avail_out == 0));
}

void ByteSource::Stream::finish() {
  if (!magic.empty() && !rest_is_ignored) ignore_rest();
  if (in_member) fail("unpack", "the gzip stream ends early; is the file whole?");
}

// What append_some() does, before a byte-order mark is dropped.
bool ByteSource::Stream::append_unpacked(std::string& bytes) {
  std::string_view stored = read_block();
  const bool ended = stored.empty();
  if (coding == Coding::kUndecided) {
    decide(stored, ended);
    if (coding == Coding::kUndecided) return true;
    stored = head;
  }
  if (coding == Coding::kPlain) {
    bytes += stored;
  } else {
    if (!stored.empty()) inflate_onto(bytes, stored);
    if (ended) finish();
  }
  return !ended;
}

bool ByteSource::Stream::append_after_mark(std::string& bytes) {
  const bool more = append_unpacked(start);
  const std::optional<ByteOrderMark> mark = find_byte_order_mark(start, !more);
  if (!mark) return true;
  if (text_coding == TextCoding::kUtf8) {
    if (start.starts_with(kIdCacheHead)) {
      throw Error(ErrorCode::kInput, fmt::format("{} is an id cache: train, eval and inspect read it, from a file that "
                                                 "is not packed; elsewhere give the text itself",
                                                 name));
    }
    if (more && kIdCacheHead.starts_with(start)) return true;
  }
  const std::size_t dropped = bytes_to_drop(*mark, text_coding, name);
  had_mark = dropped > 0;
  bytes.append(start, dropped);
  start.clear();
  past_mark = true;
  return more;
}

ByteSource::ByteSource(const std::string& path, TextCoding coding) : stream_(std::make_unique<Stream>(path, coding)) {}
ByteSource::~ByteSource() = default;
ByteSource::ByteSource(ByteSource&&) noexcept = default;
ByteSource& ByteSource::operator=(ByteSource&&) noexcept = default;

bool ByteSource::append_some(std::string& bytes) {
  return stream_->past_mark ? stream_->append_unpacked(bytes) : stream_->append_after_mark(bytes);
}

bool ByteSource::had_byte_order_mark() const noexcept { return stream_->had_mark; }

bool ByteSource::ready() const noexcept {
  pollfd asked{stream_->descriptor, POLLIN, 0};
  return ::poll(&asked, 1, 0) > 0;
}

std::int64_t ByteSource::stored_bytes() const noexcept { return stream_->stored_bytes; }

}  // namespace unroll
