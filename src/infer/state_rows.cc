#include "infer/state_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "unroll/error.h"

namespace unroll {
namespace {

struct StateSizes {
  std::size_t h = 0;
  std::size_t c = 0;
};

StateSizes sizes_of(const NetworkConfig& config) noexcept {
  const auto size = static_cast<std::size_t>(config.layers * config.hidden);
  return {.h = size, .c = has_cell_state(config.cell) ? size : 0};
}

// Calls visit(H numbers of `state`) for each part of row b, in the order in which a row holds them.
template <class Visit>
void for_each_part(const NetworkState& state, std::int64_t b, const Visit& visit) {
  for (const FloatBuffer* const buffer : {&state.h, &state.c}) {
    for (std::int64_t at = b * state.H; at < buffer->size(); at += state.B * state.H) visit(buffer->data() + at);
  }
}

}  // namespace

State zero_state(const NetworkConfig& config, std::int32_t input) {
  const StateSizes sizes = sizes_of(config);
  return {.h = std::vector<float>(sizes.h), .c = std::vector<float>(sizes.c), .input = input};
}

void check(const NetworkConfig& config, const State& state) {
  const StateSizes sizes = sizes_of(config);
  if (state.h.size() != sizes.h || state.c.size() != sizes.c) {
    throw Error(ErrorCode::kUsage, fmt::format("the state has {} and {} numbers (h and c): this model's have {} and {}",
                                               state.h.size(), state.c.size(), sizes.h, sizes.c));
  }
  if (state.input < 0 || state.input >= config.vocabulary) {
    throw Error(ErrorCode::kUsage, fmt::format("the state's input is symbol {}, which does not exist: expected 0 to {}",
                                               state.input, config.vocabulary - 1));
  }
}

std::int64_t row_size(const NetworkConfig& config) noexcept {
  const StateSizes sizes = sizes_of(config);
  return static_cast<std::int64_t>(sizes.h + sizes.c);
}

void read_row(const NetworkState& state, std::int64_t b, std::span<float> row) {
  float* out = row.data();
  for_each_part(state, b, [&](const float* part) { out = std::copy_n(part, state.H, out); });
}

void write_row(std::span<const float> row, NetworkState& state, std::int64_t b) {
  const float* next = row.data();
  for_each_part(state, b, [&](float* part) {
    std::copy_n(next, state.H, part);
    next += state.H;
  });
}

void read_state(const NetworkState& from, State& to) {
  to.h.assign(from.h.span().begin(), from.h.span().end());
  to.c.assign(from.c.span().begin(), from.c.span().end());
}

void write_state(const State& from, NetworkState& to) {
  std::ranges::copy(from.h, to.h.data());
  std::ranges::copy(from.c, to.c.data());
}

NetworkState first_rows(const NetworkConfig& config, const NetworkState& state, std::int64_t B) {
  NetworkState result(config, B);
  std::vector<float> row(static_cast<std::size_t>(row_size(config)));
  for (std::int64_t b = 0; b < B; ++b) {
    read_row(state, b, row);
    write_row(row, result, b);
  }
  return result;
}

}  // namespace unroll
