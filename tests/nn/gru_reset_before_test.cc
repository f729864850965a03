// The GRU layer with the reset gate before the recurrent product.
#include "support/recurrent_suite.h"

namespace unroll {
namespace {

TEST(GruResetBefore, ForwardMatchesTheReferenceAtAwkwardSizes) {
  expect_forward_matches_reference(Cell::kGruResetBefore);
}
TEST(GruResetBefore, BackwardMatchesTheReferenceAtAwkwardSizes) {
  expect_backward_matches_reference(Cell::kGruResetBefore);
}
TEST(GruResetBefore, BackwardMatchesComplexStepAtARandomPoint) {
  expect_backward_matches_complex_step(Cell::kGruResetBefore);
}
TEST(GruResetBefore, BackwardAddsToParameterGradients) {
  expect_backward_adds_to_parameter_gradients(Cell::kGruResetBefore);
}
TEST(GruResetBefore, OmittingTheInputGradientChangesNothingElse) {
  expect_an_unwanted_input_gradient_changes_nothing_else(Cell::kGruResetBefore);
}
TEST(GruResetBefore, BitsDoNotDependOnTheNumberOfWorkers) {
  expect_the_same_bits_for_any_number_of_workers(Cell::kGruResetBefore);
}
TEST(GruResetBefore, ARowsBitsDoNotDependOnItsNeighbours) { expect_rows_do_not_meet(Cell::kGruResetBefore); }
TEST(GruResetBefore, TwoWindowsEqualOneForwardAndBack) { expect_two_windows_equal_one(Cell::kGruResetBefore); }
TEST(GruResetBefore, StepByStepInferenceHasTheBitsOfTraining) {
  expect_step_by_step_inference_has_the_bits_of_training(Cell::kGruResetBefore);
}
TEST(GruResetBefore, AResetForgetsEvenNan) { expect_a_reset_forgets_even_nan(Cell::kGruResetBefore); }
TEST(GruResetBefore, SaturatedGatesStayExact) { expect_saturated_gates_stay_exact(Cell::kGruResetBefore); }

}  // namespace
}  // namespace unroll
