// Ctrl-C as a request that the running verb checks for.
#pragma once

namespace unroll {

// From now on the first SIGINT or SIGTERM only sets a flag (and, unless quiet, prints a message on standard error); the
// second one ends the program at once with status 130. Call once, before work starts.
void catch_interrupts(bool quiet);

// Whether such a signal has arrived.
[[nodiscard]] bool interrupt_requested() noexcept;

}  // namespace unroll
