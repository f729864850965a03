// What started this process, as its environment tells.
#pragma once

#include <optional>
#include <string>

namespace unroll {

// A variable of a launcher that says how many processes it started.
struct LaunchedSize {
  std::string variable;
  int size = 1;
};

// What mpirun, mpiexec or srun says; nothing where none of them started this process.
[[nodiscard]] std::optional<LaunchedSize> launched_size();

// Throws Error{kUsage} where MPI has one process and the launcher started several: each would train the whole run by
// itself, and all would write the same file.
void expect_size_of_launcher(int size);

// Cores that this process may use: launchers bind processes to some.
[[nodiscard]] int bound_cores();

}  // namespace unroll
