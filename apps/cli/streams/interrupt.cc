#include "cli/streams/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace unroll {
namespace {

constexpr int kInterruptedStatus = 130;

volatile sig_atomic_t interrupts = 0;
volatile sig_atomic_t asked_for = 0;  // whether somebody looks at `interrupts`
volatile sig_atomic_t silent = 0;
volatile sig_atomic_t run_is_saved = 0;  // and waits

void say(std::string_view message) {
  if (silent != 0) return;
  const ssize_t ignored = ::write(STDERR_FILENO, message.data(), message.size());
  static_cast<void>(ignored);
}

// Runs between any two instructions of the program: only write and _exit are allowed here.
void on_interrupt(int) {
  const int saved_errno = errno;
  if (asked_for == 0) say("\ninterrupted before the first step: nothing was saved\n");
  if (asked_for == 0 || interrupts != 0) _exit(kInterruptedStatus);
  interrupts = 1;
  say(run_is_saved != 0 ? "\nended; the run is saved, and --resume continues it\n"
                        : "\nstopping after this step and saving; once more stops at once\n");
  errno = saved_errno;
}

}  // namespace

void catch_interrupts(bool quiet) {
  silent = quiet ? 1 : 0;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGUSR1, &action, nullptr);
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

void tell_that_the_run_is_saved(bool saved) noexcept { run_is_saved = saved ? 1 : 0; }

bool interrupt_requested() noexcept {
  asked_for = 1;
  return interrupts != 0;
}

}  // namespace unroll
