// Ctrl-C as a wish that the running verb grants when it is ready.
#pragma once

namespace unroll {

// From here on the first SIGINT or SIGTERM only sets a flag (and, unless quiet, says so on standard error); the second
// one ends the program at once with status 130. Called once, before work starts.
void catch_interrupts(bool quiet);

// Whether one arrived.
[[nodiscard]] bool interrupt_requested() noexcept;

}  // namespace unroll
