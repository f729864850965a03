// Sweeps: many runs of train in one TOML file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// One run of a sweep.
struct SweptRun {
  std::string name;                    // "cell=gru,lr=0.004,seed=1": what distinguishes it
  std::vector<std::string> arguments;  // of train, that for its model and its log among them
};

struct Sweep {
  std::string folder;  // where models and logs go
  std::vector<SweptRun> runs;
};

// Reads a sweep:
//
//   text = "book.txt"          a file to learn from, or a list of such
//   folder = "runs"            where models and logs go; default: the file's path without .toml
//   hidden = 128               flags of train without their dashes, for all runs
//
//   [grid]                     every combination of these, the last key changing fastest
//   lr = [0.002, 0.004]
//   seed = [1, 2, 3]
//
//   [[run]]                    each of these with every combination of the grid
//   cell = "gru"
//   name = "small"             instead of the names and values of its flags
//
// A run saves FOLDER/NAME.safetensors and FOLDER/NAME.jsonl, and continues what it finds there. `path` is what errors
// call the file. Throws Error{kUsage} with line and column for what is not a sweep, for two runs of one name, and for
// more than 100,000 runs. What flags there are, and their ranges, parse_train_command() knows.
[[nodiscard]] Sweep parse_sweep(const std::string& path, std::string_view text);

}  // namespace unroll
