#include "dist/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace unroll {
namespace {

struct Failure {
  std::int32_t failed = 0;
  std::int32_t code = 0;
};

// The error of another rank, as this one reports it.
Error error_of(Ranks& ranks, int rank, const Failure& failure, const std::string& message, const std::string& field) {
  const std::string where = rank == 0 ? "" : fmt::format("rank {} on {}: ", rank, ranks.host(rank));
  return {static_cast<ErrorCode>(failure.code), where + message, field};
}

}  // namespace

std::vector<std::string> texts_of_ranks(Ranks& ranks, const std::string& mine) {
  if (ranks.size() == 1) return {mine};
  const std::vector<std::int64_t> sizes = values_of_ranks(ranks, static_cast<std::int64_t>(mine.size()));
  std::vector<std::int64_t> ends(sizes.size());
  std::partial_sum(sizes.begin(), sizes.end(), ends.begin());
  const auto part = [&](int rank) {
    const auto at = static_cast<std::size_t>(rank);
    return ShareRange{ends[at] - sizes[at], ends[at]};
  };
  std::vector<char> all(static_cast<std::size_t>(ends.back()));
  std::ranges::copy(mine, all.begin() + part(ranks.rank()).first);
  gather(ranks, std::span(all), part);
  std::vector<std::string> texts;
  for (int rank = 0; rank < ranks.size(); ++rank) {
    texts.emplace_back(all.begin() + part(rank).first, all.begin() + part(rank).last);
  }
  return texts;
}

bool any_of_ranks(Ranks& ranks, bool mine) {
  if (ranks.size() == 1) return mine;
  const std::vector<std::uint8_t> all = values_of_ranks(ranks, static_cast<std::uint8_t>(mine ? 1 : 0));
  return std::ranges::any_of(all, [](std::uint8_t value) { return value != 0; });
}

void together(Ranks& ranks, const std::function<void()>& task) {
  if (ranks.size() == 1) return task();
  Failure failure;
  std::string message;
  std::string field;
  try {
    task();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kPeer) throw;  // it is not known where the others are
    failure = {.failed = 1, .code = static_cast<std::int32_t>(error.code())};
    message = error.what();
    field = error.field();
  }
  const std::vector<Failure> all = values_of_ranks(ranks, failure);
  const auto first = std::ranges::find(all, 1, &Failure::failed);
  if (first == all.end()) return;
  const auto rank = static_cast<int>(first - all.begin());
  const std::vector<std::string> messages = texts_of_ranks(ranks, message);
  const std::vector<std::string> fields = texts_of_ranks(ranks, field);
  const auto at = static_cast<std::size_t>(rank);
  throw error_of(ranks, rank, *first, messages[at], fields[at]);
}

}  // namespace unroll
