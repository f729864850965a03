// `eval --pairs`: evaluates minimal pairs and syntax suites instead of a text.
#pragma once

#include <string>

#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "unroll/model.h"

namespace unroll {

struct PairsCommand {
  std::string path;  // a file, or a folder of them; empty: a text is evaluated instead
  bool end = true;   // of pairs' sentences
  bool items = false;
  bool json = false;
  int threads = 0;
};

// Scores and prints. A folder's files are those that end in .jsonl, .tsv and .json (and .gz), in the order of names.
void evaluate_pairs(const PairsCommand& command, const Model& model, Terminal& terminal, Output& out);

}  // namespace unroll
