#include "base/npy_header.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "base/quote.h"

namespace unroll {
namespace {

constexpr std::size_t kMostDimensions = 32;

// Reads the header, a dictionary as Python writes it: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class NpyHeaderParser {
 public:
  NpyHeaderParser(std::string_view text, const std::string& where, ErrorCode code)
      : text_(text), where_(where), code_(code) {}

  NpyHeader read() {
    std::optional<std::string> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::int64_t>> shape;
    expect('{');
    while (!take('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr" && !descr) {
        if (peek() == '[') refuse("records of several numbers; save each field as an array of its own");
        descr = string();
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = boolean();
      } else if (key == "shape" && !shape) {
        shape = lengths();
      } else {
        refuse(fmt::format("the key {}; expected 'descr', 'fortran_order' and 'shape', each once", quote(key)));
      }
      if (take(',')) continue;
      expect('}');
      break;
    }
    if (!descr || !fortran_order || !shape) refuse("no further keys; expected 'descr', 'fortran_order' and 'shape'");
    return {.descr = *descr, .fortran_order = *fortran_order, .shape = *shape};
  }

 private:
  [[noreturn]] void refuse(std::string_view found) const {
    throw Error(code_, fmt::format("{}: the header of the array holds {}", where_, found));
  }
  void skip_space() {
    while (next_ < text_.size() && (text_[next_] == ' ' || text_[next_] == '\n')) ++next_;
  }
  char peek() {
    skip_space();
    return next_ < text_.size() ? text_[next_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++next_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) {
      refuse(fmt::format("{} where '{}' is expected", quote(text_.substr(next_, next_ < text_.size() ? 1 : 0)), c));
    }
  }
  std::string string() {
    const char mark = peek();
    if (mark != '\'' && mark != '"') expect('\'');
    const std::size_t end = text_.find(mark, next_ + 1);
    if (end == std::string_view::npos) refuse("a string that does not end");
    std::string value(text_.substr(next_ + 1, end - next_ - 1));
    next_ = end + 1;
    return value;
  }
  bool boolean() {
    skip_space();
    for (const auto& [name, value] : {std::pair<std::string_view, bool>("True", true), {"False", false}}) {
      if (!text_.substr(next_).starts_with(name)) continue;
      next_ += name.size();
      return value;
    }
    refuse("a 'fortran_order' that is neither True nor False");
  }
  std::vector<std::int64_t> lengths() {
    std::vector<std::int64_t> extents;
    expect('(');
    while (!take(')')) {
      skip_space();
      std::int64_t extent = -1;
      const auto [stop, fault] = std::from_chars(text_.data() + next_, text_.data() + text_.size(), extent);
      if (fault != std::errc() || extent < 0) refuse("a 'shape' that is not a list of whole numbers");
      next_ = static_cast<std::size_t>(stop - text_.data());
      take('L');  // as Python 2 wrote it
      extents.push_back(extent);
      if (extents.size() > kMostDimensions) refuse(fmt::format("more than {} dimensions", kMostDimensions));
      if (take(',')) continue;
      expect(')');
      break;
    }
    return extents;
  }

  std::string_view text_;
  const std::string& where_;
  ErrorCode code_;
  std::size_t next_ = 0;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view text, const std::string& where, ErrorCode code) {
  return NpyHeaderParser(text, where, code).read();
}

}  // namespace unroll
