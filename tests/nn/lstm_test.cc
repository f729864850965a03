// The LSTM layer.
#include "support/recurrent_suite.h"

namespace unroll {
namespace {

TEST(Lstm, ForwardMatchesTheReferenceAtAwkwardSizes) { expect_forward_matches_reference(Cell::kLstm); }
TEST(Lstm, BackwardMatchesTheReferenceAtAwkwardSizes) { expect_backward_matches_reference(Cell::kLstm); }
TEST(Lstm, BackwardMatchesComplexStepAtARandomPoint) { expect_backward_matches_complex_step(Cell::kLstm); }
TEST(Lstm, BackwardAddsToParameterGradients) { expect_backward_adds_to_parameter_gradients(Cell::kLstm); }
TEST(Lstm, OmittingTheInputGradientChangesNothingElse) {
  expect_an_unwanted_input_gradient_changes_nothing_else(Cell::kLstm);
}
TEST(Lstm, BitsDoNotDependOnTheNumberOfWorkers) { expect_the_same_bits_for_any_number_of_workers(Cell::kLstm); }
TEST(Lstm, ARowsBitsDoNotDependOnItsNeighbours) { expect_rows_do_not_meet(Cell::kLstm); }
TEST(Lstm, TwoWindowsEqualOneForwardAndBack) { expect_two_windows_equal_one(Cell::kLstm); }
TEST(Lstm, StepByStepInferenceHasTheBitsOfTraining) {
  expect_step_by_step_inference_has_the_bits_of_training(Cell::kLstm);
}
TEST(Lstm, AResetForgetsEvenNan) { expect_a_reset_forgets_even_nan(Cell::kLstm); }
TEST(Lstm, SaturatedGatesStayExact) { expect_saturated_gates_stay_exact(Cell::kLstm); }

}  // namespace
}  // namespace unroll
