#include "text/ids.h"

#include <fmt/format.h>

#include <cstring>

#include "text/reading.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// The number of this type at `bytes`; kNoSymbol where all of its bits are set.
template <class Number>
std::int64_t number_at(const char* bytes) {
  Number number = 0;
  std::memcpy(&number, bytes, sizeof(number));
  return number == static_cast<Number>(-1) ? kNoSymbol : static_cast<std::int64_t>(number);
}

}  // namespace

std::int32_t MappedIds::at(std::size_t position) const {
  const char* const bytes = file_.bytes().data() + stored_.offset + position * static_cast<std::size_t>(stored_.width);
  const std::int64_t id = stored_.width == 2 ? number_at<std::uint16_t>(bytes) : number_at<std::uint32_t>(bytes);
  if (id < stored_.symbols && (id >= 0 || stored_.line_ends)) return static_cast<std::int32_t>(id);
  throw Error(
      ErrorCode::kFormat,
      fmt::format("{}: id number {} is {}: expected one below {}, the size of its vocabulary; the file is damaged",
                  name_, position + 1, id, stored_.symbols));
}

std::span<const std::int32_t> IdView::in_memory(std::vector<std::int32_t>& room) const {
  if (file_ == nullptr) return {memory_, size_};
  room.resize(size_);
  for (std::size_t i = 0; i < size_; ++i) room[i] = (*this)[i];
  return room;
}

}  // namespace unroll
