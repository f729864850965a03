// The simple recurrent layers.
#include "support/recurrent_suite.h"

namespace unroll {
namespace {

TEST(RnnTanh, ForwardMatchesTheReferenceAtAwkwardSizes) { expect_forward_matches_reference(Cell::kRnnTanh); }
TEST(RnnTanh, BackwardMatchesTheReferenceAtAwkwardSizes) { expect_backward_matches_reference(Cell::kRnnTanh); }
TEST(RnnTanh, BackwardMatchesComplexStepAtARandomPoint) { expect_backward_matches_complex_step(Cell::kRnnTanh); }
TEST(RnnTanh, BackwardAddsToParameterGradients) { expect_backward_adds_to_parameter_gradients(Cell::kRnnTanh); }
TEST(RnnTanh, OmittingTheInputGradientChangesNothingElse) {
  expect_an_unwanted_input_gradient_changes_nothing_else(Cell::kRnnTanh);
}
TEST(RnnTanh, BitsDoNotDependOnTheNumberOfWorkers) { expect_the_same_bits_for_any_number_of_workers(Cell::kRnnTanh); }
TEST(RnnTanh, ARowsBitsDoNotDependOnItsNeighbours) { expect_rows_do_not_meet(Cell::kRnnTanh); }
TEST(RnnTanh, TwoWindowsEqualOneForwardAndBack) { expect_two_windows_equal_one(Cell::kRnnTanh); }
TEST(RnnTanh, StepByStepInferenceHasTheBitsOfTraining) {
  expect_step_by_step_inference_has_the_bits_of_training(Cell::kRnnTanh);
}
TEST(RnnTanh, AResetForgetsEvenNan) { expect_a_reset_forgets_even_nan(Cell::kRnnTanh); }
TEST(RnnTanh, SaturatedGatesStayExact) { expect_saturated_gates_stay_exact(Cell::kRnnTanh); }

TEST(RnnRelu, ForwardMatchesTheReferenceAtAwkwardSizes) { expect_forward_matches_reference(Cell::kRnnRelu); }
TEST(RnnRelu, BackwardMatchesTheReferenceAtAwkwardSizes) { expect_backward_matches_reference(Cell::kRnnRelu); }
TEST(RnnRelu, BackwardMatchesComplexStepAtARandomPoint) { expect_backward_matches_complex_step(Cell::kRnnRelu); }
TEST(RnnRelu, BackwardAddsToParameterGradients) { expect_backward_adds_to_parameter_gradients(Cell::kRnnRelu); }
TEST(RnnRelu, OmittingTheInputGradientChangesNothingElse) {
  expect_an_unwanted_input_gradient_changes_nothing_else(Cell::kRnnRelu);
}
TEST(RnnRelu, BitsDoNotDependOnTheNumberOfWorkers) { expect_the_same_bits_for_any_number_of_workers(Cell::kRnnRelu); }
TEST(RnnRelu, ARowsBitsDoNotDependOnItsNeighbours) { expect_rows_do_not_meet(Cell::kRnnRelu); }
TEST(RnnRelu, TwoWindowsEqualOneForwardAndBack) { expect_two_windows_equal_one(Cell::kRnnRelu); }
TEST(RnnRelu, StepByStepInferenceHasTheBitsOfTraining) {
  expect_step_by_step_inference_has_the_bits_of_training(Cell::kRnnRelu);
}
TEST(RnnRelu, AResetForgetsEvenNan) { expect_a_reset_forgets_even_nan(Cell::kRnnRelu); }
TEST(RnnRelu, SaturatedGatesStayExact) { expect_saturated_gates_stay_exact(Cell::kRnnRelu); }

}  // namespace
}  // namespace unroll
