// unroll-mpi: training by several processes, started by mpirun.
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flags/field_flags.h"
#include "cli/streams/interrupt.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/train_ranks.h"
#include "mpi/launcher.h"
#include "mpi/mpi_ranks.h"
#include "unroll/error.h"
#include "unroll/version.h"

namespace unroll {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;
constexpr int kPeerLost = 3;

constexpr std::string_view kUsage =
    "usage: mpirun -n P unroll-mpi train TEXT... --save MODEL.safetensors --replicas R [flags]\n\n"
    "Trains as unroll train does, by P processes together: the model file has the same bytes for any P up to R, on "
    "one\n"
    "host or many. unroll train --help explains the flags. All processes need the files that are read, at the same\n"
    "paths; the first one alone writes. With --resume, another number of them continues a run.\n\n"
    "  --step-timeout SECONDS  give up where another process does not answer for so long (default 60)\n"
    "  --dry-run               print hosts, bytes a step and their share of its time, and stop\n"
    "  --help, --version\n\n"
    "SIGUSR1, which mpirun passes on, saves after the step and stops with status 130; so does SIGTERM, after which "
    "mpirun\n"
    "gives its processes a second. Before the first step there is nothing to save.\n"
    "Statuses: 0 done, 1 failed, 2 wrong usage, 3 a process does not answer, 130 stopped.\n\n"
    "Two processes of four threads each:\n"
    "  mpirun -n 2 --map-by slot:PE=4 unroll-mpi train book.txt --save book.safetensors --replicas 8 --threads 4\n";

struct Arguments {
  double step_timeout = 60;
  std::vector<std::string> of_train;
};

double seconds_of(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), seconds);
  if (error == std::errc() && end == text.end() && seconds >= 1) return seconds;
  throw Error(ErrorCode::kUsage, fmt::format("--step-timeout is \"{}\": expected seconds, at least 1", text));
}

// Takes the flags of this program out of those of train.
Arguments parsed(const std::vector<std::string>& arguments) {
  constexpr std::string_view kTimeout = "--step-timeout";
  if (arguments.empty() || arguments.front() != "train") {
    throw Error(ErrorCode::kUsage,
                "expected the verb train: several processes train together, and each of them alone "
                "does everything else; unroll-mpi --help says more");
  }
  Arguments result;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument.starts_with(kTimeout) && argument.substr(kTimeout.size()).starts_with('=')) {
      result.step_timeout = seconds_of(argument.substr(kTimeout.size() + 1));
    } else if (argument == kTimeout && i + 1 < arguments.size()) {
      result.step_timeout = seconds_of(arguments[++i]);
    } else if (argument == kTimeout) {
      throw Error(ErrorCode::kUsage, "--step-timeout needs a value: seconds");
    } else {
      result.of_train.emplace_back(argument);
    }
  }
  return result;
}

int print(std::string_view text) {
  Output out;
  out.write(text);
  out.flush();
  return 0;
}

bool asks_for(const std::vector<std::string>& arguments, std::string_view flag) {
  return !arguments.empty() && arguments.front() == flag;
}

int status_of(const Error& error) {
  if (error.code() == ErrorCode::kPeer) return kPeerLost;
  return error.code() == ErrorCode::kUsage ? kWrongUsage : kFailed;
}

// The end of a rank that failed. What all ranks threw, the first one says; the others wait for that, and speak only
// where it does not come.
int failed(const MpiRanks& ranks, const std::string& message, int status) {
  if (ranks.rank() > 0 && status != kPeerLost) sleep(2);
  print_error(message);
  MpiRanks::end_all(status);
}

int train_on_ranks(const Arguments& arguments) {
  MpiRanks ranks(arguments.step_timeout);
  try {
    expect_size_of_launcher(ranks.size());
    return run_train_on(arguments.of_train, ranks, bound_cores());
  } catch (const ReaderGone&) {
    return 0;
  } catch (const Error& error) {
    return failed(ranks, message_for(error, present_verb()), status_of(error));
  } catch (const std::bad_alloc&) {
    return failed(ranks, fmt::format("not enough memory on {}", ranks.host(ranks.rank())), kFailed);
  } catch (const std::exception& error) {
    return failed(ranks, fmt::format("this should not happen, please report it: {}", error.what()), kFailed);
  }
}

int run(const std::vector<std::string>& arguments) {
  if (asks_for(arguments, "--help") || asks_for(arguments, "-h")) return print(kUsage);
  if (asks_for(arguments, "--version")) return print(fmt::format("unroll-mpi {}\n", version()));
  // Until MPI is there, who is the first is in the environment alone.
  const char* const rank = std::getenv("OMPI_COMM_WORLD_RANK");
  try {
    return train_on_ranks(parsed(arguments));
  } catch (const Error& error) {
    if (rank == nullptr || rank == std::string_view("0")) print_error(message_for(error, present_verb()));
    return status_of(error);
  }
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  unroll::catch_interrupts(true);  // until train does: what comes before that has nothing to save
  return unroll::run({argv + (argc > 0 ? 1 : 0), argv + argc});
}
