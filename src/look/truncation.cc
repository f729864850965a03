#include "unroll/look/truncation.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/buffer.h"
#include "look/unrolled_data.h"
#include "network/activations.h"
#include "network/recurrent_cells.h"
#include "unroll/error.h"

namespace unroll {
namespace {

MatView<float> copied(MatView<const float> from, std::int64_t first, std::int64_t count, MatView<float> to) {
  if (from.data == nullptr || from.cols == 0) return to;
  const MatView<float> part = to.row_range(0, count);
  std::ranges::copy(from.row_range(first, count).flat(), part.data);
  return part;
}

NormTape copied_norm(const NormTape& from, std::int64_t first, std::int64_t count, const NormTape& to) {
  return {copied(from.normalized, first, count, to.normalized), copied(from.inverse, first, count, to.inverse)};
}

// The backward pass of all layers over windows of a text, on copies of what it overwrites.
class WindowsBack {
 public:
  explicit WindowsBack(UnrolledText::Data& text)
      : text_(text),
        shape_{
            .config = text.config(), .regularization = {}, .purpose = Purpose::kTraining, .T = text.window.T, .B = 1},
        memory_(Activations::planned_floats(shape_)),
        planned_(shape_, memory_.data()),
        dtop_(text.window.T * text.config().hidden) {
    Gradients unused(text.config(), text.window.T);
    const double predictions = static_cast<double>(std::max<std::int64_t>(1, text.window.predictions));
    const MatView<const float> dy =
        text.network.output_gradients(text.weights, text.window, static_cast<float>(1 / predictions), unused);
    std::ranges::copy(dy.flat(), dtop_.data());
  }

  // The gradients of the layers with windows of this length.
  [[nodiscard]] Parameters gradients(std::int64_t asked_length) {
    const std::int64_t length = std::min(asked_length, text_.window.T);
    Parameters sum(text_.config());
    sum.set_zero();
    for (std::int64_t first = 0; first < text_.window.T; first += length) {
      add_window(first, std::min(length, text_.window.T - first), sum);
    }
    return sum;
  }

 private:
  void add_window(std::int64_t first, std::int64_t T, const Parameters& sum) {
    const NetworkConfig& config = text_.config();
    MatView<float> dy(dtop_.data() + first * config.hidden, T, config.hidden);
    for (std::int64_t l = config.layers - 1; l >= 0; --l) {
      RecurrentTape tape = window_tape(l, first, T);
      float* const other = planned_.levels.d_activations[static_cast<std::size_t>(l % 2)].data;
      const MatView<float> dx(other, T, tape.x.cols);
      const RecurrentGradientState dstate{
          .dh = planned_.levels.dh, .dc = planned_.levels.dc, .scratch = planned_.levels.dh_products};
      std::ranges::fill(dstate.dh.flat(), 0.0F);
      if (dstate.dc.data != nullptr) std::ranges::fill(dstate.dc.flat(), 0.0F);
      recurrent_backward(config.cell, text_.workers, {T, 1, tape.x.cols, config.hidden},
                         text_.weights.layers()[static_cast<std::size_t>(l)], tape, dy, sum.layer(l), dstate, dx);
      for (std::int64_t r = 0; config.residual && l > 0 && r < T; ++r) {
        for (std::int64_t j = 0; j < dx.cols; ++j) dx(r, j) += dy(r, j);
      }
      dy = dx;
    }
  }

  [[nodiscard]] RecurrentTape window_tape(std::int64_t l, std::int64_t first, std::int64_t T) const {
    const RecurrentTape& from = text_.tape(l);
    RecurrentTape tape = planned_.levels.tapes[static_cast<std::size_t>(l)];
    tape.x = from.x.row_range(first, T);
    tape.gates = copied(from.gates, first, T, tape.gates);
    tape.candidate = copied(from.candidate, first, T, tape.candidate);
    tape.h = copied(from.h, first, T + 1, tape.h);
    tape.c = copied(from.c, first, T + 1, tape.c);
    tape.norm.input = copied_norm(from.norm.input, first, T, tape.norm.input);
    tape.norm.hidden = copied_norm(from.norm.hidden, first, T, tape.norm.hidden);
    tape.norm.cell = copied_norm(from.norm.cell, first, T, tape.norm.cell);
    if (!from.reset.empty()) {
      tape.reset = from.reset.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(T));
    }
    return tape;
  }

  UnrolledText::Data& text_;
  ActivationShape shape_;
  FloatBuffer memory_;
  Activations planned_;
  FloatBuffer dtop_;
};

// Sums of products of two gradients.
struct Products {
  double full = 0;
  double cut = 0;
  double both = 0;

  void add(std::span<const float> of_full, std::span<const float> of_cut) {
    for (std::size_t i = 0; i < of_full.size(); ++i) {
      const auto a = static_cast<double>(of_full[i]);
      const auto b = static_cast<double>(of_cut[i]);
      full += a * a;
      cut += b * b;
      both += a * b;
    }
  }

  // Equal gradients have equal sums, and the square root of a square is exact.
  [[nodiscard]] CutGradient comparison() const {
    if (full == 0 || cut == 0) {
      constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
      return {.cosine = kNone, .norm_ratio = full == 0 ? kNone : 0};
    }
    return {.cosine = both / std::sqrt(full * cut), .norm_ratio = std::sqrt(cut / full)};
  }
};

TruncationAt compared(const Parameters& full, const Parameters& cut, std::int64_t length) {
  Products recurrent;
  Products layers;
  for (const ParameterTensor& tensor : full.tensors()) {
    if (!tensor.name.starts_with("rnn.")) continue;
    layers.add(full.values(tensor), cut.values(tensor));
    if (tensor.name.starts_with("rnn.weight_hh")) recurrent.add(full.values(tensor), cut.values(tensor));
  }
  return {.length = length, .recurrent = recurrent.comparison(), .layers = layers.comparison()};
}

}  // namespace

std::optional<std::int64_t> trained_bptt(const Model& model) {
  for (const auto& [name, value] : model.training().options) {
    std::int64_t length = 0;
    const char* const end = value.data() + value.size();
    if (name == "bptt" && std::from_chars(value.data(), end, length).ptr == end && length > 0) return length;
  }
  return std::nullopt;
}

std::vector<TruncationAt> truncated_gradients(const UnrolledText& text, const std::vector<std::int64_t>& lengths) {
  for (const std::int64_t length : lengths) {
    if (length >= 1) continue;
    throw Error(ErrorCode::kUsage, fmt::format("a length of truncation is {}: expected 1 or more", length));
  }
  expect_predictions(text.data());
  WindowsBack back(text.data());
  const Parameters full = back.gradients(text.steps());
  std::vector<TruncationAt> all;
  for (const std::int64_t length : lengths) all.push_back(compared(full, back.gradients(length), length));
  return all;
}

}  // namespace unroll
