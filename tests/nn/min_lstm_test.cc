// The minimal LSTM layer.
#include "support/recurrent_suite.h"

namespace unroll {
namespace {

TEST(MinLstm, ForwardMatchesTheReferenceAtAwkwardSizes) { expect_forward_matches_reference(Cell::kMinLstm); }
TEST(MinLstm, BackwardMatchesTheReferenceAtAwkwardSizes) { expect_backward_matches_reference(Cell::kMinLstm); }
TEST(MinLstm, BackwardMatchesComplexStepAtARandomPoint) { expect_backward_matches_complex_step(Cell::kMinLstm); }
TEST(MinLstm, BackwardAddsToParameterGradients) { expect_backward_adds_to_parameter_gradients(Cell::kMinLstm); }
TEST(MinLstm, OmittingTheInputGradientChangesNothingElse) {
  expect_an_unwanted_input_gradient_changes_nothing_else(Cell::kMinLstm);
}
TEST(MinLstm, BitsDoNotDependOnTheNumberOfWorkers) { expect_the_same_bits_for_any_number_of_workers(Cell::kMinLstm); }
TEST(MinLstm, ARowsBitsDoNotDependOnItsNeighbours) { expect_rows_do_not_meet(Cell::kMinLstm); }
TEST(MinLstm, TwoWindowsEqualOneForwardAndBack) { expect_two_windows_equal_one(Cell::kMinLstm); }
TEST(MinLstm, StepByStepInferenceHasTheBitsOfTraining) {
  expect_step_by_step_inference_has_the_bits_of_training(Cell::kMinLstm);
}
TEST(MinLstm, AResetForgetsEvenNan) { expect_a_reset_forgets_even_nan(Cell::kMinLstm); }
TEST(MinLstm, SaturatedGatesStayExact) { expect_saturated_gates_stay_exact(Cell::kMinLstm); }

}  // namespace
}  // namespace unroll
