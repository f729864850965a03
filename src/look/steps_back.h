// Backpropagation from several steps of one text at once: each row of a batch goes back through steps of its own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/view.h"
#include "look/unrolled_data.h"
#include "network/activations.h"
#include "network/gradients.h"
#include "network/levels.h"

namespace unroll {

// Rows of gradients, each of which goes back through the steps of a text one at a time, through all layers.
//
// The steps' rows of the tape are gathered side by side and the backward pass of the layers runs over them as over one
// step of a batch: the tape of the text stays as it is, and rows that are at different steps share the products.
//
// Numerics row b is computed times 2^exponent(b), which back() chooses so that gradients neither vanish nor overflow
//          in floats: they are kept near 1, by powers of two, which round nothing.
// Threads  as UnrolledText.
class StepsBack {
 public:
  // Views `text`. All gradients are zero. Throws Error{kUsage} for a model that labels texts.
  StepsBack(UnrolledText::Data& text, std::int64_t rows);

  // The gradient with respect to the state that goes from one step to the next, (rows, H) per layer: with respect to
  // h and c as that next step reads them. Set it before the first back(), or leave it zero.
  [[nodiscard]] RecurrentState<float> carried(std::int64_t l) const { return carried_.layer(l); }

  // Row b goes back through step steps[b]. `dtop` (rows, H) is the gradient with respect to the last level's output
  // after that step, times 2^-exponent(b); carried() is that of the state after it, and afterwards of the one before.
  // Nothing goes back beyond a step that begins.
  void back(std::span<const std::int64_t> steps, MatView<const float> dtop);

  // Scales rows so that the norm of carried() is near 1 wherever it is far from that.
  void rescale();

  // The gradient is what is held times 2 to the power of this.
  [[nodiscard]] int exponent(std::int64_t row) const { return exponents_[static_cast<std::size_t>(row)]; }

  // Of the last back(), with respect to what step steps[b] computed. h counts the next step, the layer above, and the
  // prediction; c the next step alone, and through_h the rest of the gradient of c, that of h through c.
  [[nodiscard]] MatView<const float> x() const { return layers_.front().dx; }  // (rows, inputs)
  [[nodiscard]] MatView<const float> h(std::int64_t l) const { return layers_[static_cast<std::size_t>(l)].h; }
  [[nodiscard]] MatView<const float> c(std::int64_t l) const { return layers_[static_cast<std::size_t>(l)].c; }
  [[nodiscard]] MatView<const float> through_h(std::int64_t l) const {
    return layers_[static_cast<std::size_t>(l)].through_h;
  }

 private:
  struct Layer {
    RecurrentTape tape;  // gathered
    MatView<float> x;    // (rows, inputs) its input
    MatView<float> dx;
    MatView<float> h, c, through_h;
    std::vector<FloatBuffer> memory;
  };
  void gather(std::int64_t l, std::span<const std::int64_t> steps);
  void set_through_h(std::int64_t l);

  UnrolledText::Data& text_;
  std::int64_t rows_;
  ActivationShape shape_;
  FloatBuffer memory_;
  Activations planned_;
  Gradients unused_;  // of the weights: the backward pass adds to them
  NetworkState carried_;
  std::vector<Layer> layers_;
  std::vector<std::uint8_t> reset_;
  std::vector<int> exponents_;
};

}  // namespace unroll
