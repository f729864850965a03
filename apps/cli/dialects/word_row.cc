#include "cli/dialects/word_row.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/flags/log_base.h"
#include "cli/streams/escaped.h"

namespace unroll {
namespace {

// Characters of UTF-8; of other bytes those that cannot continue one.
std::int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80; });
}

}  // namespace

std::string word_row(const WordRow& row) {
  const auto bits = [](double nats) { return in_base(nats, LogBase::k2); };
  const double fall = row.entropy && row.entropy_before ? bits(*row.entropy_before) - bits(*row.entropy) : 0;
  return fmt::format("{} {} {} {} {} {} {}", escaped_field(row.word), row.sentence, row.position, characters(row.word),
                     row.log_prob ? fmt::format("{}", bits(-*row.log_prob)) : "NA",
                     row.entropy ? fmt::format("{}", bits(*row.entropy)) : "NA", std::max(0.0, fall));
}

}  // namespace unroll
