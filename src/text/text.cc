#include "unroll/text.h"

#include <fmt/format.h>

#include <new>
#include <stdexcept>
#include <utility>

#include "text/byte_order_mark.h"
#include "text/byte_source.h"
#include "text/corpus.h"
#include "unroll/error.h"

namespace unroll {

std::string text_name(const std::string& path) { return path == "-" ? "standard input" : fmt::format("'{}'", path); }

std::string text_name(const std::vector<std::string>& paths) {
  std::string names;
  for (const std::string& path : paths) names += (names.empty() ? "" : " + ") + text_name(path);
  return names;
}

std::string read_text(const std::string& path, TextCoding coding) {
  ByteSource source(path, coding);
  std::string text;
  try {
    text.reserve(static_cast<std::size_t>(source.stored_bytes()));
    while (source.append_some(text)) {
    }
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kMemory, fmt::format("no memory to read '{}'", path));
  } catch (const std::length_error&) {
    throw Error(ErrorCode::kMemory, fmt::format("no memory to read '{}'", path));
  }
  return text;
}

std::string read_texts(const std::vector<std::string>& paths, TextCoding coding) {
  std::string texts;
  for (const std::string& path : paths) append_text(texts, read_text(path, coding));
  return texts;
}

std::string_view without_byte_order_mark(const NamedText& text, TextCoding coding) {
  const ByteOrderMark mark = *find_byte_order_mark(text.text, true);
  return text.text.substr(bytes_to_drop(mark, coding, text.name));
}

// Bytes that have arrived but were not returned yet, and the source of the next ones.
struct LineReader::Source {
  Source(const std::string& path, TextCoding coding) : bytes(path, coding) {}

  // The newline that ends the next line, if it has arrived; no byte is searched twice.
  bool find_newline() {
    if (newline != std::string::npos) return true;
    newline = pending.find('\n', searched);
    searched = pending.size();
    return newline != std::string::npos;
  }

  // Drops returned bytes, so that `pending` holds at most an unfinished line and one read.
  void read_more() {
    pending.erase(0, start);
    searched -= start;
    start = 0;
    ended = !bytes.append_some(pending);
  }

  ByteSource bytes;
  std::string pending;
  std::size_t start = 0;     // of the next line in `pending`
  std::size_t searched = 0;  // no newline from `start` to here, except at `newline`
  std::size_t newline = std::string::npos;
  bool line_was_whole = false;
  bool ended = false;
};

LineReader::LineReader(const std::string& path, TextCoding coding) : source_(std::make_unique<Source>(path, coding)) {}
LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

bool LineReader::next(std::string& line) {
  Source& source = *source_;
  while (!source.find_newline() && !source.ended) source.read_more();
  const bool whole = source.newline != std::string::npos;
  if (!whole && source.start == source.pending.size()) return false;
  source.line_was_whole = whole;
  const std::size_t end = whole ? source.newline : source.pending.size();
  line.assign(source.pending, source.start, end - source.start);
  source.start = whole ? end + 1 : end;
  source.searched = source.start;
  source.newline = std::string::npos;
  return true;
}

bool LineReader::line_was_whole() const noexcept { return source_->line_was_whole; }

bool LineReader::had_byte_order_mark() const noexcept { return source_->bytes.had_byte_order_mark(); }

bool LineReader::ready() {
  Source& source = *source_;
  while (!source.find_newline() && !source.ended && source.bytes.ready()) source.read_more();
  return source.newline != std::string::npos || source.ended;
}

}  // namespace unroll
