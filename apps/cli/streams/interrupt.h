// Ctrl-C as a request that the running verb checks for.
#pragma once

namespace unroll {

// From now on the first SIGINT, SIGTERM, SIGUSR1 or SIGHUP only sets a flag (and, unless quiet, prints a message on
// standard error), and the second one ends the program at once with status 130. Until the flag is first asked for, the
// verb may be waiting for input: then the first signal ends the program at once too. A SIGHUP that is ignored, as under
// nohup, stays ignored. Call before work starts; another call decides about quiet alone.
void catch_interrupts(bool quiet);

// Whether such a signal has arrived.
[[nodiscard]] bool interrupt_requested() noexcept;

// What the first interrupt says: while a saved run waits, that it is saved.
void tell_that_the_run_is_saved(bool saved) noexcept;

}  // namespace unroll
