// The flags of samples that a run writes while it trains.
#pragma once

#include <cstdint>
#include <string>

#include "cli/flags/flags.h"
#include "unroll/task.h"

namespace unroll {

// What is written now and then with the weights of that moment, as `generate` writes it with its defaults.
struct SampleRequest {
  std::int64_t every = 0;  // steps; 0: never
  std::string prompt = {};
  std::string label = {};  // kConditional; empty: the model's first
};

// Declares --sample-every, --sample-prompt and, of a conditional model, --sample-label. Nothing where the task writes
// no text.
void declare_sample_flags(Flags* flags, TaskKind task, SampleRequest* request);

// Throws Error{kUsage} where another one of them is given without --sample-every.
void check_sample_flags(const Flags& flags);

}  // namespace unroll
