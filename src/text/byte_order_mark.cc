#include "text/byte_order_mark.h"

#include <fmt/format.h>

#include <array>

#include "unroll/error.h"

namespace unroll {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kUtf8Name = "UTF-8";

// UTF-32 comes before UTF-16, whose mark it begins with.
constexpr std::array<ByteOrderMark, 5> kMarks{{
    {kUtf8Name, "\xEF\xBB\xBF"sv},
    {"UTF-32", "\xFF\xFE\0\0"sv},
    {"UTF-32", "\0\0\xFE\xFF"sv},
    {"UTF-16", "\xFF\xFE"sv},
    {"UTF-16", "\xFE\xFF"sv},
}};

}  // namespace

std::optional<ByteOrderMark> find_byte_order_mark(std::string_view head, bool whole) noexcept {
  for (const ByteOrderMark& mark : kMarks) {
    if (head.starts_with(mark.bytes)) return mark;
    if (!whole && mark.bytes.starts_with(head)) return std::nullopt;
  }
  return ByteOrderMark{};
}

std::size_t bytes_to_drop(const ByteOrderMark& mark, TextCoding coding, const std::string& name) {
  if (mark.coding.empty()) return 0;
  if (mark.coding == kUtf8Name) return mark.bytes.size();
  if (coding == TextCoding::kBytes) return 0;
  throw Error(ErrorCode::kInput,
              fmt::format("{} is {}, as its byte-order mark shows: expected UTF-8; convert it: iconv "
                          "-f {} -t UTF-8",
                          name, mark.coding, mark.coding));
}

}  // namespace unroll
