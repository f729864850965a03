// The minimal GRU layer.
#include "support/recurrent_suite.h"

namespace unroll {
namespace {

TEST(MinGru, ForwardMatchesTheReferenceAtAwkwardSizes) { expect_forward_matches_reference(Cell::kMinGru); }
TEST(MinGru, BackwardMatchesTheReferenceAtAwkwardSizes) { expect_backward_matches_reference(Cell::kMinGru); }
TEST(MinGru, BackwardMatchesComplexStepAtARandomPoint) { expect_backward_matches_complex_step(Cell::kMinGru); }
TEST(MinGru, BackwardAddsToParameterGradients) { expect_backward_adds_to_parameter_gradients(Cell::kMinGru); }
TEST(MinGru, OmittingTheInputGradientChangesNothingElse) {
  expect_an_unwanted_input_gradient_changes_nothing_else(Cell::kMinGru);
}
TEST(MinGru, BitsDoNotDependOnTheNumberOfWorkers) { expect_the_same_bits_for_any_number_of_workers(Cell::kMinGru); }
TEST(MinGru, ARowsBitsDoNotDependOnItsNeighbours) { expect_rows_do_not_meet(Cell::kMinGru); }
TEST(MinGru, TwoWindowsEqualOneForwardAndBack) { expect_two_windows_equal_one(Cell::kMinGru); }
TEST(MinGru, StepByStepInferenceHasTheBitsOfTraining) {
  expect_step_by_step_inference_has_the_bits_of_training(Cell::kMinGru);
}
TEST(MinGru, AResetForgetsEvenNan) { expect_a_reset_forgets_even_nan(Cell::kMinGru); }
TEST(MinGru, SaturatedGatesStayExact) { expect_saturated_gates_stay_exact(Cell::kMinGru); }

}  // namespace
}  // namespace unroll
