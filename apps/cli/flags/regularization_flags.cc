#include "cli/flags/regularization_flags.h"

#include <limits>

namespace unroll {

void add_regularization_flags(Flags* flags, Regularization* regularization) {
  Regularization* const r = regularization;
  flags->heading("Regularisation");
  const RealRange share{.least = 0, .most = 1, .with_most = false};
  const RealRange factor{.least = 0, .most = std::numeric_limits<double>::infinity()};
  // Flags are read in the order in which they are declared, so that the three below have the last word.
  flags->real({"--dropout", "P",
               "share of numbers dropped in training on every connection that is not recurrent: input, between layers, "
               "output",
               "0"},
              share, [r](double p) { r->input = r->between = r->output = p; });
  flags->real({"--dropout-input,--dropouti", "P", "the same for the embedded tokens alone", "as --dropout"}, share,
              [r](double p) { r->input = p; });
  flags->real({"--dropout-between,--dropouth", "P", "between layers", "as --dropout"}, share,
              [r](double p) { r->between = p; });
  flags->real({"--dropout-output", "P", "of the last layer's outputs", "as --dropout"}, share,
              [r](double p) { r->output = p; });
  flags->toggle({"--locked", "", "these masks stay the same for all steps of a window (variational dropout)", ""},
                &r->locked);
  flags->real(
      {"--dropout-words,--dropoute", "P", "share of tokens whose embedding is dropped, wherever they stand", "0"},
      share, [r](double p) { r->words = p; });
  flags->real({"--weight-drop,--wdrop", "P", "share of hidden-to-hidden weights dropped, anew for each window", "0"},
              share, [r](double p) { r->recurrent = p; });
  flags->real({"--ar,--alpha", "X", "penalty on the last layer's outputs: X times their mean square", "0"}, factor,
              [r](double x) { r->ar = x; });
  flags->real({"--tar,--beta", "X", "penalty on their changes from step to step: X times the mean square", "0"}, factor,
              [r](double x) { r->tar = x; });
}

}  // namespace unroll
