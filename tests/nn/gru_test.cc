// The GRU layer with the reset gate after the recurrent product.
#include "support/recurrent_suite.h"

namespace unroll {
namespace {

TEST(Gru, ForwardMatchesTheReferenceAtAwkwardSizes) { expect_forward_matches_reference(Cell::kGru); }
TEST(Gru, BackwardMatchesTheReferenceAtAwkwardSizes) { expect_backward_matches_reference(Cell::kGru); }
TEST(Gru, BackwardMatchesComplexStepAtARandomPoint) { expect_backward_matches_complex_step(Cell::kGru); }
TEST(Gru, BackwardAddsToParameterGradients) { expect_backward_adds_to_parameter_gradients(Cell::kGru); }
TEST(Gru, OmittingTheInputGradientChangesNothingElse) {
  expect_an_unwanted_input_gradient_changes_nothing_else(Cell::kGru);
}
TEST(Gru, BitsDoNotDependOnTheNumberOfWorkers) { expect_the_same_bits_for_any_number_of_workers(Cell::kGru); }
TEST(Gru, ARowsBitsDoNotDependOnItsNeighbours) { expect_rows_do_not_meet(Cell::kGru); }
TEST(Gru, TwoWindowsEqualOneForwardAndBack) { expect_two_windows_equal_one(Cell::kGru); }
TEST(Gru, StepByStepInferenceHasTheBitsOfTraining) {
  expect_step_by_step_inference_has_the_bits_of_training(Cell::kGru);
}
TEST(Gru, AResetForgetsEvenNan) { expect_a_reset_forgets_even_nan(Cell::kGru); }
TEST(Gru, SaturatedGatesStayExact) { expect_saturated_gates_stay_exact(Cell::kGru); }

}  // namespace
}  // namespace unroll
