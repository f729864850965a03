#include "text/word_splitter.h"

#include <fmt/format.h>
#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/ucasemap.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// ICU counts in 32 bits and its dictionaries need memory proportional to the text, so it gets one window at a time.
constexpr std::size_t kWindow = std::size_t{1} << 16;
constexpr std::size_t kLargestWindow = std::size_t{1} << 30;
// The distance from an arbitrary end of a window within which its words may differ from those of the whole text.
constexpr std::size_t kGuard = std::size_t{1} << 10;

// Longer words might exceed ICU's counters when folded.
constexpr std::size_t kLongestWord = std::size_t{1} << 29;

void require(UErrorCode status, std::string_view what) {
  if (U_SUCCESS(status)) return;
  throw Error(ErrorCode::kMemory, fmt::format("ICU cannot {}: {}", what, u_errorName(status)));
}

struct CloseCaseMap {
  void operator()(UCaseMap* map) const { ucasemap_close(map); }
};

// UTF-8 bytes for ICU, without a copy.
class IcuText {
 public:
  explicit IcuText(std::string_view text) {
    UErrorCode status = U_ZERO_ERROR;
    utext_openUTF8(&text_, text.data(), static_cast<std::int64_t>(text.size()), &status);
    require(status, "read a text");
  }
  ~IcuText() { utext_close(&text_); }
  IcuText(const IcuText&) = delete;
  IcuText& operator=(const IcuText&) = delete;
  [[nodiscard]] UText* get() { return &text_; }

 private:
  UText text_ = UTEXT_INITIALIZER;
};

// Folds words, reusing its memory.
class Folder {
 public:
  explicit Folder(const UCaseMap* map) : map_(map) {}

  std::string_view operator()(std::string_view word) {
    const auto stays = [](char c) { return static_cast<signed char>(c) >= 0 && (c < 'A' || c > 'Z'); };
    if (map_ == nullptr || std::all_of(word.begin(), word.end(), stays)) return word;
    const std::string_view folded = to_lower(word);
    return folded == word ? word : folded;
  }

 private:
  std::string_view to_lower(std::string_view word) {
    if (word.size() > kLongestWord) {
      throw Error(ErrorCode::kInput,
                  fmt::format("a word of {} bytes is too long to be folded to lower case", word.size()));
    }
    buffer_.resize(std::max(buffer_.size(), 3 * word.size()));  // no character grows beyond three times its bytes
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t size = ucasemap_utf8ToLower(map_, buffer_.data(), static_cast<std::int32_t>(buffer_.size()),
                                                   word.data(), static_cast<std::int32_t>(word.size()), &status);
    require(status, "fold a word to lower case");
    return std::string_view(buffer_).substr(0, static_cast<std::size_t>(size));
  }

  const UCaseMap* map_;
  std::string buffer_;
};

void split_whitespace(std::string_view text, Folder& fold, const WordVisitor& visit) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && !is_ascii_space(text[end])) ++end;
    const std::string_view word = text.substr(at, end - at);
    if (!word.empty()) visit(word, fold(word));
    if (end < text.size() && text[end] == '\n') visit(text.substr(end, 1), text.substr(end, 1));
    at = end + 1;
  }
}

// A window that starts right after a word boundary, and whether it ends at one.
struct SplitWindow {
  std::size_t end = 0;
  bool at_boundary = false;  // whether the words of the whole text break there too
};

// Windows end after a newline, or else before a space: words always break there, whatever is on the other side
// (rules WB3a, WB3b and WB999; WB3d joins only spaces, which are dropped). Without such a place they end anywhere.
SplitWindow window_at(std::string_view text, std::size_t first, std::size_t size) {
  if (text.size() - first <= size) return {text.size(), true};
  std::size_t end = first + size;
  for (std::size_t at = end; at > first; --at) {
    if (text[at - 1] == '\n') return {at, true};
  }
  for (std::size_t at = end; at > first + 1; --at) {
    if (text[at] == ' ') return {at, true};
  }
  while (is_continuation(text[end])) --end;
  return {end, size >= kLargestWindow};
}

// Usually a segment is white space or begins without it; but a combining mark joins the space before it.
std::string_view without_leading_space(std::string_view segment) {
  while (!segment.empty()) {
    const CodePoint next = decode_utf8(segment);
    if (u_isUWhiteSpace(static_cast<UChar32>(next.value)) == 0) break;
    segment.remove_prefix(next.length);
  }
  return segment;
}

void visit_segment(std::string_view segment, Folder& fold, const WordVisitor& visit) {
  if (segment.back() == '\n') {
    const std::string_view newline = segment.substr(segment.size() - 1);
    visit(newline, newline);
    return;
  }
  const std::string_view word = without_leading_space(segment);
  if (!word.empty()) visit(word, fold(word));
}

// Visits the words that are certainly words of the whole text; returns their number of bytes.
std::size_t split_window(icu::BreakIterator& breaks, std::string_view window, bool at_boundary, Folder& fold,
                         const WordVisitor& visit) {
  IcuText text(window);
  UErrorCode status = U_ZERO_ERROR;
  breaks.setText(text.get(), status);
  require(status, "set a text");
  const std::size_t certain = at_boundary ? window.size() : window.size() - kGuard;
  std::size_t done = 0;
  breaks.first();
  for (std::int32_t next = breaks.next(); next != icu::BreakIterator::DONE; next = breaks.next()) {
    const auto end = static_cast<std::size_t>(next);
    if (end > certain) break;
    visit_segment(window.substr(done, end - done), fold, visit);
    done = end;
  }
  return done;
}

void split_at_word_boundaries(icu::BreakIterator& breaks, std::string_view text, Folder& fold,
                              const WordVisitor& visit) {
  std::size_t size = kWindow;
  for (std::size_t first = 0; first < text.size();) {
    const SplitWindow window = window_at(text, first, size);
    const std::string_view bytes = text.substr(first, window.end - first);
    const std::size_t done = split_window(breaks, bytes, window.at_boundary, fold, visit);
    // A word that fills the window is tried again in one of twice the size, so that the total time stays linear.
    size = done == 0 ? 2 * size : kWindow;
    first += done;
  }
}

}  // namespace

struct WordSplitter::Icu {
  std::unique_ptr<icu::BreakIterator> breaks;        // only cloned, once per call
  std::unique_ptr<UCaseMap, CloseCaseMap> case_map;  // null: case is kept
};

WordSplitter::WordSplitter(TokenizerKind kind, bool lowercase) {
  auto icu = std::make_unique<Icu>();
  UErrorCode status = U_ZERO_ERROR;
  if (kind == TokenizerKind::kWord) {
    icu->breaks.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
    require(status, "open its word boundaries");
  }
  if (lowercase) {
    icu->case_map.reset(ucasemap_open("", 0, &status));
    require(status, "open its case mapping");
  }
  icu_ = std::move(icu);
}
WordSplitter::~WordSplitter() = default;
WordSplitter::WordSplitter(WordSplitter&&) noexcept = default;
WordSplitter& WordSplitter::operator=(WordSplitter&&) noexcept = default;

void WordSplitter::split(std::string_view text, const WordVisitor& visit) const {
  Folder fold(icu_->case_map.get());
  if (!icu_->breaks) {
    split_whitespace(text, fold, visit);
    return;
  }
  const std::unique_ptr<icu::BreakIterator> breaks(icu_->breaks->clone());
  if (!breaks) require(U_MEMORY_ALLOCATION_ERROR, "copy its word boundaries");
  split_at_word_boundaries(*breaks, text, fold, visit);
}

}  // namespace unroll
