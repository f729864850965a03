// Short runs on sequences of numbers: their sum, which wave they are, where they rise.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "support/small_run.h"

namespace unroll {

class DenseRun : public SmallRun {
 protected:
  // A table of steps: columns id, u, v, then sum (100 times that of u over the sequence, and 5), wave (a or b), rise
  // (up or down at each step), next (u of the next step).
  static std::string table_of_steps(int sequences) {
    std::string table = "id,u,v,sum,wave,rise,next\n";
    for (int i = 0; i < sequences; ++i) {
      const auto picks = random_words(1, 0, RandomPurpose::kTestPoint, 8, 0, static_cast<std::uint32_t>(i));
      const int steps = 3 + static_cast<int>(picks[0] % 6);
      const bool fast = picks[1] % 2 == 0;
      const double phase = 6.28 * static_cast<double>(picks[2] % 1000) / 1000;
      const auto u = [&](int t) { return std::sin(phase + (fast ? 2.0 : 0.5) * t); };
      double sum = 0;
      for (int t = 0; t < steps; ++t) sum += u(t);
      for (int t = 0; t < steps; ++t) {
        table += std::to_string(i) + "," + std::to_string(u(t)) + "," + std::to_string(1000 + t) + "," +
                 std::to_string(100 * sum + 5) + "," + (fast ? "a" : "b") + "," + (u(t) > u(t - 1) ? "up" : "down") +
                 "," + std::to_string(u(t + 1)) + "\n";
      }
    }
    return table;
  }

  // A small run of this task on 90 sequences. Per step: `next` is learned, not `sum`.
  TrainOptions small_dense(TaskKind kind, const std::string& name = "model", bool per_step = false) {
    TrainOptions options = default_options(kind, InputKind::kDense);
    write_bytes(folder_.path("steps.csv"), table_of_steps(90));
    options.text.paths = {folder_.path("steps.csv")};
    options.task.dense.sequence_column = "id";
    options.task.dense.columns = {"u", "v"};
    options.task.dense.target_per_step = per_step;
    options.task.dense.target_columns = {kind == TaskKind::kClassify ? "wave"
                                         : kind == TaskKind::kTag    ? "rise"
                                         : per_step                  ? "next"
                                                                     : "sum"};
    options.files.save = folder_.path(name);
    options.network.hidden = 9;
    options.run.batch_size = 8;
    options.run.epochs.reset();
    options.run.steps = 40;
    options.files.save_every = 7;
    options.run.threads = 1;
    return options;
  }
};

}  // namespace unroll
