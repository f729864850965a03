// The flags of regularization, the same for train and gradcheck.
#pragma once

#include "cli/flags/flags.h"
#include "cli/flags/option_flags.h"

namespace unroll {

// Declares them under a heading of their own. `options` has a member `regularization`.
template <class Options>
void add_regularization_flags(Flags* flags, Options* options) {
  flags->heading("Regularisation");
  Regularization* const r = &options->regularization;
  // Flags are read in the order in which they are declared, so that those for each place have the last word.
  flags->real({"--dropout", "X",
               "share of numbers dropped on every connection that is not recurrent: --dropout-input, "
               "--dropout-between and --dropout-output at once",
               "0"},
              {.least = 0, .most = 1, .with_most = false}, [r](double p) { r->input = r->between = r->output = p; });
  for_each_regularization_option(*options, OptionFlags(flags));
}

}  // namespace unroll
