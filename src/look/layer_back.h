// Backpropagation through one layer of a text, in one direction, a step at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "look/unrolled_data.h"
#include "network/activations.h"
#include "network/gradients.h"

namespace unroll {

// A gradient that goes back through the steps of a layer; the tape of the text stays as it is.
//
// Numerics each step is computed in float, times a power of two that keeps it near 1, and its result is a double.
// Threads  as UnrolledText.
class LayerBack {
 public:
  // Views `text`. The gradient is zero.
  LayerBack(UnrolledText::Data& text, std::int64_t layer);

  // Whether the layer begins from zero at this row of its tape.
  [[nodiscard]] bool begins(std::int64_t row) const {
    return row == 0 || (!whole().reset.empty() && whole().reset[static_cast<std::size_t>(row)] != 0);
  }

  // The gradient with respect to a unit's own state after the row that is next: of c where the cell has it, else of h.
  void set_carried(std::int64_t unit, double value);
  [[nodiscard]] double carried(std::int64_t unit) const;

  // Goes back through a row of the tape. `dy` (H) is the gradient of its output from all but the next step; empty:
  // zero. Nothing goes back beyond a row that begins.
  void back(std::int64_t row, std::span<const double> dy);

  // Of the last back(): with respect to the input of that row, to h through all that reads it, and to c through all
  // that reads it (empty without).
  [[nodiscard]] std::span<const double> x() const noexcept { return x_; }
  [[nodiscard]] std::span<const double> h() const noexcept { return h_; }
  [[nodiscard]] std::span<const double> c() const noexcept { return c_; }

 private:
  [[nodiscard]] const RecurrentTape& whole() const { return text_.tape(layer_); }
  void copy_row(std::int64_t row);

  UnrolledText::Data& text_;
  std::int64_t layer_;
  FloatBuffer memory_;
  Activations planned_;
  Gradients unused_;  // of the weights: the backward pass adds to them
  RecurrentTape tape_;
  std::vector<std::uint8_t> reset_;
  FloatBuffer dx_;
  FloatBuffer dy_;
  std::vector<double> carried_h_, carried_c_;
  std::vector<double> x_, h_, c_;
};

}  // namespace unroll
