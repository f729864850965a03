#include "cli/streams/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace unroll {
namespace {

constexpr int kInterruptedStatus = 130;

volatile sig_atomic_t interrupts = 0;
volatile sig_atomic_t silent = 0;

// Runs between any two instructions of the program: only write and _exit are allowed here.
void on_interrupt(int) {
  if (interrupts != 0) _exit(kInterruptedStatus);
  interrupts = 1;
  if (silent != 0) return;
  const int saved_errno = errno;
  constexpr std::string_view kMessage = "\nstopping after this step and saving; once more stops at once\n";
  const ssize_t ignored = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  static_cast<void>(ignored);
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
}

bool interrupt_requested() noexcept { return interrupts != 0; }

}  // namespace unroll
