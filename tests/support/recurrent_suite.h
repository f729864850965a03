// The checks that every recurrent layer must pass. Each cell's test file calls them under its own name.
#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "support/recurrent_layer.h"

namespace unroll {

inline constexpr double kForwardTolerance = 2e-6;
inline constexpr double kBackwardTolerance = 1e-5;
// In a tensor of few elements, each a sum of few terms, all may cancel: there is no large one to compare with.
inline constexpr double kLoneElementTolerance = 1e-4;

// A normalised product of one input does not depend on the size of the input, except through epsilon.
inline constexpr double kNormalizedInputTolerance = 5e-3;

inline double backward_tolerance(const RecurrentPoint& point) {
  if (point.layer_norm && point.shape.E == 1) return kNormalizedInputTolerance;
  return point.shape.H == 1 || point.shape.E == 1 ? kLoneElementTolerance : kBackwardTolerance;
}

// Sizes of 1, primes, and one around each length of a vector.
inline std::vector<RecurrentShape> awkward_shapes() {
  return {{1, 1, 1, 1}, {4, 3, 5, 6}, {3, 5, 2, 7}, {3, 2, 17, 16}, {4, 7, 13, 17}, {2, 6, 31, 33}, {3, 4, 29, 65}};
}

template <class Check>
void for_each_awkward_point(LayerKind cell, Check check) {
  std::uint64_t seed = 1000;
  for (const RecurrentShape& shape : awkward_shapes()) {
    for (const Resets resets : {Resets::kNone, Resets::kSome}) {
      const RecurrentPoint point = random_point(cell, shape, seed++, resets);
      SCOPED_TRACE(describe(point));
      check(point);
    }
  }
}

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

// The part of `point` at `T` steps from `t` on and `B` rows from `b` on. Keeps the states before and after.
inline RecurrentPoint part_of(const RecurrentPoint& point, std::int64_t t, std::int64_t T, std::int64_t b,
                              std::int64_t B) {
  const RecurrentShape& s = point.shape;
  RecurrentPoint part{point.cell, {T, B, s.E, s.H}, {}, {}, {}, {}, {}, {}, point.layer_norm};
  part.slices = layer_slices(point.kind(), part.shape);
  const auto cut = [&](const auto& from, std::int64_t offset, std::int64_t first, std::int64_t steps,
                       std::int64_t width, auto& to) {
    for (std::int64_t step = first; step < first + steps; ++step) {
      const auto begin = from.begin() + offset + (step * s.B + b) * width;
      to.insert(to.end(), begin, begin + B * width);
    }
  };
  part.values.assign(point.values.begin(), point.values.begin() + point.slice("x").offset);
  cut(point.values, point.slice("x").offset, t, T, s.E, part.values);
  cut(point.values, point.slice("h0").offset, 0, 1, s.H, part.values);
  if (point.cell == Cell::kLstm) cut(point.values, point.slice("c0").offset, 0, 1, s.H, part.values);
  cut(point.dout, 0, t, T, s.H, part.dout);
  cut(point.dh1, 0, 0, 1, s.H, part.dh1);
  if (point.cell == Cell::kLstm) cut(point.dc1, 0, 0, 1, s.H, part.dc1);
  if (!point.reset.empty()) cut(point.reset, 0, t, T, 1, part.reset);
  return part;
}

inline void set_slice(RecurrentPoint& point, const char* name, std::span<const float> numbers) {
  std::copy(numbers.begin(), numbers.end(), point.values.begin() + point.slice(name).offset);
}

inline std::span<const float> slice_of(const RecurrentPoint& point, const std::vector<float>& values,
                                       const char* name) {
  const Slice& slice = point.slice(name);
  return std::span(values).subspan(static_cast<std::size_t>(slice.offset), static_cast<std::size_t>(slice.size));
}

inline void expect_forward_matches_reference(LayerKind cell) {
  for (const int threads : {1, 3}) {
    Workers workers(threads);
    for_each_awkward_point(cell, [&](const RecurrentPoint& point) {
      LayerRun run(point, workers);
      run.forward();
      const ReferenceRun<double> expected = reference_run(point);
      const std::vector<float> h = run.outputs();
      const std::vector<float> c = run.cells();
      EXPECT_LE(ref::relative_error(std::span(h), std::span(expected.tape.h.values)), kForwardTolerance);
      if (cell == Cell::kLstm) {
        EXPECT_LE(ref::relative_error(std::span(c), std::span(expected.tape.c.values)), kForwardTolerance);
      }
    });
  }
}

inline void expect_backward_matches_reference(LayerKind cell) {
  for (const int threads : {1, 3}) {
    Workers workers(threads);
    for_each_awkward_point(cell, [&](const RecurrentPoint& point) {
      LayerRun run(point, workers);
      run.forward();
      EXPECT_TRUE(agree(point.slices, run.backward(), reference_gradient(point), backward_tolerance(point)));
    });
  }
}

inline void expect_backward_matches_complex_step(LayerKind cell) {
  Workers workers(2);
  std::uint64_t seed = 2000;
  for (const RecurrentShape& shape : small_shapes()) {
    for (const Resets resets : {Resets::kNone, Resets::kSome}) {
      const RecurrentPoint point = random_point(cell, shape, seed++, resets);
      LayerRun run(point, workers);
      run.forward();
      EXPECT_TRUE(agree(point.slices, run.backward(), complex_step_gradient(point), backward_tolerance(point)))
          << describe(point);
    }
  }
}

inline void expect_backward_adds_to_parameter_gradients(LayerKind cell) {
  Workers workers(3);
  for_each_awkward_point(cell, [&](const RecurrentPoint& point) {
    std::vector<float> initial = random_numbers(77, 1, point.slice("x").offset, 3);
    LayerRun run(point, workers);
    run.forward();
    EXPECT_TRUE(agree(point.slices, run.backward(initial),
                      reference_gradient(point, reference_backward(point), initial), backward_tolerance(point)));
  });
}

inline void expect_an_unwanted_input_gradient_changes_nothing_else(LayerKind cell) {
  Workers workers(2);
  for_each_awkward_point(cell, [&](const RecurrentPoint& point) {
    LayerRun with(point, workers);
    LayerRun without(point, workers);
    with.forward();
    without.forward();
    const std::vector<float> all = with.backward();
    const std::vector<float> rest = without.backward({}, false);
    for (const Slice& slice : point.slices) {
      if (slice.name == "x") continue;
      EXPECT_TRUE(same_bits(slice_of(point, all, slice.name.c_str()), slice_of(point, rest, slice.name.c_str())))
          << slice.name;
    }
    for (const float number : slice_of(point, rest, "x")) EXPECT_TRUE(std::isnan(number));
  });
}

inline void expect_the_same_bits_for_any_number_of_workers(LayerKind cell) {
  for (const RecurrentShape& shape : {RecurrentShape{5, 9, 11, 33}, RecurrentShape{6, 13, 70, 130}}) {
    const RecurrentPoint point = random_point(cell, shape, 3000, Resets::kSome);
    Workers one(1);
    LayerRun alone(point, one);
    alone.forward();
    const std::vector<float> gradient = alone.backward();
    for (const int threads : {2, 3, 5}) {
      Workers workers(threads);
      LayerRun run(point, workers);
      run.forward();
      EXPECT_TRUE(same_bits(run.outputs(), alone.outputs())) << threads << " workers, " << describe(point);
      EXPECT_TRUE(same_bits(run.cells(), alone.cells())) << threads << " workers, " << describe(point);
      EXPECT_TRUE(same_bits(run.backward(), gradient)) << threads << " workers, " << describe(point);
    }
  }
}

// Every row of a batch in a window of its own.
inline void expect_rows_do_not_meet(LayerKind cell) {
  Workers workers(2);
  for_each_awkward_point(cell, [&](const RecurrentPoint& point) {
    const RecurrentShape& s = point.shape;
    LayerRun batch(point, workers);
    batch.forward();
    const std::vector<float> h = batch.outputs();
    const std::vector<float> gradient = batch.backward();
    for (std::int64_t b = 0; b < s.B; ++b) {
      const RecurrentPoint row = part_of(point, 0, s.T, b, 1);
      LayerRun alone(row, workers);
      alone.forward();
      const std::vector<float> row_h = alone.outputs();
      const std::vector<float> row_gradient = alone.backward();
      const auto row_at = [&](std::span<const float> all, std::int64_t t, std::int64_t width) {
        return all.subspan(static_cast<std::size_t>((t * s.B + b) * width), static_cast<std::size_t>(width));
      };
      const auto alone_at = [&](std::span<const float> all, std::int64_t t, std::int64_t width) {
        return all.subspan(static_cast<std::size_t>(t * width), static_cast<std::size_t>(width));
      };
      for (std::int64_t t = 0; t < s.T; ++t) {
        EXPECT_TRUE(same_bits(row_at(h, t, s.H), alone_at(row_h, t, s.H))) << "row " << b << " step " << t;
        EXPECT_TRUE(same_bits(row_at(slice_of(point, gradient, "x"), t, s.E),
                              alone_at(slice_of(row, row_gradient, "x"), t, s.E)))
            << "dx, row " << b << " step " << t;
      }
      EXPECT_TRUE(same_bits(row_at(slice_of(point, gradient, "h0"), 0, s.H), slice_of(row, row_gradient, "h0")));
      if (cell == Cell::kLstm) {
        EXPECT_TRUE(same_bits(row_at(slice_of(point, gradient, "c0"), 0, s.H), slice_of(row, row_gradient, "c0")));
      }
    }
  });
}

// Splits a window in two: states go forward and gradients back through the cut.
inline void expect_two_windows_equal_one(LayerKind cell) {
  Workers workers(2);
  for (const Resets resets : {Resets::kNone, Resets::kSome}) {
    const RecurrentPoint whole = random_point(cell, {7, 4, 5, 19}, 4000, resets);
    const RecurrentShape& s = whole.shape;
    RecurrentPoint early = part_of(whole, 0, 3, 0, s.B);
    RecurrentPoint late = part_of(whole, 3, 4, 0, s.B);
    LayerRun one(whole, workers);
    one.forward();
    LayerRun first(early, workers);
    first.forward();
    const std::vector<float> h = first.outputs();
    const std::vector<float> c = first.cells();
    const auto states = static_cast<std::size_t>(s.B * s.H);
    set_slice(late, "h0", std::span(h).last(states));
    if (cell == Cell::kLstm) set_slice(late, "c0", std::span(c).last(states));
    LayerRun second(late, workers);
    second.forward();
    EXPECT_TRUE(same_bits(second.outputs(), std::span<const float>(one.outputs()).subspan(h.size())));

    const std::vector<float> late_gradient = second.backward();
    const auto parameters = static_cast<std::size_t>(whole.slice("x").offset);
    const auto into = [](std::vector<float>& to, std::span<const float> from) { to.assign(from.begin(), from.end()); };
    into(early.dh1, slice_of(late, late_gradient, "h0"));
    if (cell == Cell::kLstm) into(early.dc1, slice_of(late, late_gradient, "c0"));
    LayerRun again(early, workers);
    again.forward();
    const std::vector<float> gradient =
        again.backward({late_gradient.begin(), late_gradient.begin() + static_cast<std::ptrdiff_t>(parameters)});
    const std::vector<float> expected = one.backward();
    EXPECT_TRUE(same_bits(slice_of(early, gradient, "h0"), slice_of(whole, expected, "h0")));
    EXPECT_TRUE(same_bits(slice_of(early, gradient, "x"),
                          slice_of(whole, expected, "x").first(static_cast<std::size_t>(early.slice("x").size))));
    const std::vector<double> expected_parameters(expected.begin(),
                                                  expected.begin() + static_cast<std::ptrdiff_t>(parameters));
    EXPECT_LE(ref::relative_error(std::span(gradient).first(parameters), std::span<const double>(expected_parameters)),
              1e-6);
  }
}

// Scoring runs one token at a time, with weights without backward.
inline void expect_step_by_step_inference_has_the_bits_of_training(LayerKind cell) {
  Workers workers(2);
  for_each_awkward_point(cell, [&](const RecurrentPoint& point) {
    const RecurrentShape& s = point.shape;
    LayerRun training(point, workers);
    training.forward();
    const std::vector<float> all = training.outputs();
    std::vector<float> h(slice_of(point, point.values, "h0").begin(), slice_of(point, point.values, "h0").end());
    std::vector<float> c;
    if (cell == Cell::kLstm)
      c.assign(slice_of(point, point.values, "c0").begin(), slice_of(point, point.values, "c0").end());
    for (std::int64_t t = 0; t < s.T; ++t) {
      RecurrentPoint step = part_of(point, t, 1, 0, s.B);
      set_slice(step, "h0", h);
      if (cell == Cell::kLstm) set_slice(step, "c0", c);
      LayerRun inference(step, workers, false);
      inference.forward();
      h = inference.outputs();
      c = inference.cells();
      EXPECT_TRUE(same_bits(h, std::span(all).subspan(static_cast<std::size_t>(t * s.B * s.H), h.size())))
          << "step " << t;
    }
  });
}

// A reset is a selection, not a product with zero: a NaN in the previous state does not pass.
inline void expect_a_reset_forgets_even_nan(LayerKind cell) {
  Workers workers(2);
  RecurrentPoint point = random_point(cell, {3, 3, 5, 18}, 5000, Resets::kNone);
  point.reset = {1, 1, 1, 0, 0, 0, 0, 1, 0};
  RecurrentPoint zero = point;
  std::fill(zero.values.begin() + zero.slice("h0").offset, zero.values.end(), 0.0F);
  std::fill(point.values.begin() + point.slice("h0").offset, point.values.end(), kUnset);
  LayerRun from_nan(point, workers);
  LayerRun from_zero(zero, workers);
  from_nan.forward();
  from_zero.forward();
  EXPECT_TRUE(same_bits(from_nan.outputs(), from_zero.outputs()));
}

// Gates at their limits: finite, and equal to the reference.
inline void expect_saturated_gates_stay_exact(LayerKind cell) {
  Workers workers(1);
  for (const float factor : {30.0F, 3e3F, 3e6F}) {
    RecurrentPoint point = random_point(cell, {3, 2, 5, 19}, 6000, Resets::kSome);
    for (const char* name : {"U", "b_input"}) {
      const Slice& slice = point.slice(name);
      for (std::int64_t i = 0; i < slice.size; ++i) point.values[static_cast<std::size_t>(slice.offset + i)] *= factor;
    }
    LayerRun run(point, workers);
    run.forward();
    const ReferenceRun<double> expected = reference_run(point);
    const std::vector<float> h = run.outputs();
    EXPECT_LE(ref::relative_error(std::span(h), std::span(expected.tape.h.values)), 1e-4) << "factor " << factor;
    for (const float number : run.backward()) EXPECT_TRUE(std::isfinite(number)) << "factor " << factor;
  }
}

}  // namespace unroll
