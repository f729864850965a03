// Hidden states as values: those of a whole network, and single rows that join and leave a NetworkState.
#pragma once

#include <cstdint>
#include <span>

#include "network/network.h"
#include "unroll/state.h"

namespace unroll {

// The state before anything was read: zeros, and `input`.
[[nodiscard]] State zero_state(const NetworkConfig& config, std::int32_t input);

// Throws Error{kUsage} unless `state` has the sizes of this network's states and an input below V.
void check(const NetworkConfig& config, const State& state);

// Numbers of one row: (L, H) of h and, where the cell has one, (L, H) of c after it.
[[nodiscard]] std::int64_t row_size(const NetworkConfig& config) noexcept;

// Copies row b of `state` out, and into it. Requires row_size() numbers.
void read_row(const NetworkState& state, std::int64_t b, std::span<float> row);
void write_row(std::span<const float> row, NetworkState& state, std::int64_t b);

// The same between a State, whose input stays as it is, and a NetworkState of one row.
void read_state(const NetworkState& from, State& to);
void write_state(const State& from, NetworkState& to);

// The first B rows of a state.
[[nodiscard]] NetworkState first_rows(const NetworkConfig& config, const NetworkState& state, std::int64_t B);

}  // namespace unroll
