#include "mpi/launcher.h"

#include <fmt/format.h>
#include <sched.h>

#include <cstdlib>

#include "unroll/error.h"

namespace unroll {

std::optional<LaunchedSize> launched_size() {
  // The first that is set decides: mpirun within a job of Slurm knows better than the job.
  for (const char* const variable :
       {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}) {
    const char* const value = std::getenv(variable);
    if (value == nullptr) continue;
    const int size = std::atoi(value);
    if (size > 0) return LaunchedSize{variable, size};
  }
  return std::nullopt;
}

void expect_size_of_launcher(int size) {
  const std::optional<LaunchedSize> launched = launched_size();
  if (size > 1 || !launched || launched->size == 1) return;
  throw Error(
      ErrorCode::kUsage,
      fmt::format("{} is {}, and MPI knows of 1 process: the launcher belongs to another MPI than Open MPI, with "
                  "which unroll-mpi was built, or it was not used. Each process would train by itself; start "
                  "them with mpirun of Open MPI, or with srun --mpi=pmix",
                  launched->variable, launched->size));
}

int bound_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

}  // namespace unroll
