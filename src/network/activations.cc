#include "network/activations.h"

#include <algorithm>

namespace unroll {
namespace {

bool has_candidate(Cell cell) { return cell == Cell::kGru || cell == Cell::kGruResetBefore; }

// The layout of all activations in one block; the same walk gives the table of sizes and, given memory, the views.
struct Layout {
  std::vector<PlannedBuffer> buffers;
  float* memory = nullptr;  // null: only sizes are computed
  std::int64_t used = 0;

  MatView<float> take(const std::string& name, std::int64_t rows, std::int64_t cols) {
    constexpr std::int64_t kAlign = 16;  // floats
    const std::int64_t floats = (rows * cols + kAlign - 1) / kAlign * kAlign;
    if (buffers.empty() || buffers.back().name != name) buffers.push_back({name, 0});
    buffers.back().floats += floats;
    const MatView<float> view(memory == nullptr ? nullptr : memory + used, rows, cols);
    used += floats;
    return view;
  }
};

// The layers share the sums of their backward sweeps.
RecurrentNormTape take_norm_tape(Layout& layout, const ActivationShape& s, const RecurrentNormTape& of_first) {
  const std::int64_t H = s.config.hidden;
  const std::int64_t G = gate_count(s.config.cell);
  const std::int64_t T = s.T;
  const std::int64_t B = s.B;
  const bool has_c = has_cell_state(s.config.cell);
  const auto take = [&](std::int64_t rows, std::int64_t cols) {
    return layout.take("tape: layer normalisation", rows, cols);
  };
  RecurrentNormTape norm = of_first;
  norm.input = {take(T * B, G * H), take(T * B, G)};
  norm.hidden = {take(T * B, G * H), take(T * B, G)};
  if (has_c) norm.cell = {take(T * B, H), take(T * B, 1)};
  if (of_first.dinput.cols > 0) return norm;
  norm.dinput = take(B, G * H);
  norm.dhidden = take(B, G * H);
  if (has_c) {
    norm.dcell = take(B, H);
    norm.db_cell = take(B, H);
  }
  return norm;
}

// In inference layers share their gates; a layer's outputs are the next layer's inputs, so two sets of states
// alternate.
void take_tape(Layout& layout, const ActivationShape& s, std::int64_t l, std::vector<RecurrentTape>& tapes) {
  const std::int64_t H = s.config.hidden;
  const std::int64_t G = gate_count(s.config.cell);
  const bool training = s.purpose == Purpose::kTraining;
  RecurrentTape& tape = tapes[static_cast<std::size_t>(l)];
  if (l == 0 || training) {
    tape.gates = layout.take("tape: gates", s.T * s.B, G * H);
    if (has_candidate(s.config.cell)) tape.candidate = layout.take("tape: gates", s.T * s.B, H);
  } else {
    tape.gates = tapes[0].gates;
    tape.candidate = tapes[0].candidate;
  }
  if (l < 2 || training) {
    tape.h = layout.take("tape: states", (s.T + 1) * s.B, H);
    if (has_cell_state(s.config.cell)) tape.c = layout.take("tape: states", (s.T + 1) * s.B, H);
  } else {
    tape.h = tapes[static_cast<std::size_t>(l % 2)].h;
    tape.c = tapes[static_cast<std::size_t>(l % 2)].c;
  }
  if (!has_recurrent_weights(s.config.cell)) return;
  if (training && s.config.layer_norm) tape.norm = take_norm_tape(layout, s, tapes[0].norm);
  tape.products = l == 0 ? layout.take("recurrent products of one step", s.B, G * H) : tapes[0].products;
}

// In inference layers share one, to which each layer adds its outputs.
MatView<float> take_mixed(Layout& layout, const ActivationShape& s, std::int64_t l,
                          const std::vector<MatView<float>>& below) {
  if (!mixes_output(s, l)) return {};
  const bool shared = s.purpose == Purpose::kInference && !below.empty() && below.back().rows > 0;
  return shared ? below.back() : layout.take("outputs after dropout", s.T * s.B, s.config.hidden);
}

void lay_out(Layout& layout, const ActivationShape& s, Activations& a) {
  const std::int64_t H = s.config.hidden;
  const std::int64_t E = s.config.embed;
  const std::int64_t rows = s.T * s.B;
  a.embedded = layout.take("embedded symbols", rows, E);
  a.tapes.resize(static_cast<std::size_t>(s.config.layers));
  for (std::int64_t l = 0; l < s.config.layers; ++l) take_tape(layout, s, l, a.tapes);
  for (std::int64_t l = 0; l < s.config.layers; ++l) a.mixed.push_back(take_mixed(layout, s, l, a.mixed));
  if (has_projection(s.config)) a.projected = layout.take("projected outputs", rows, E);
  a.output = output_scratch(
      s.config, rows, s.purpose == Purpose::kTraining, s.samples,
      [&layout](const char* name, std::int64_t count, std::int64_t cols) { return layout.take(name, count, cols); });
  if (s.purpose == Purpose::kInference) return;
  for (MatView<float>& d : a.d_activations) d = layout.take("gradients of activations", rows, std::max(E, H));
  if (s.config.residual) a.d_branch = layout.take("gradients of activations", rows, H);
  a.dh = layout.take("gradients of activations", s.B, H);
  a.dh_products = layout.take("gradients of activations", s.B, H);
  if (has_cell_state(s.config.cell)) a.dc = layout.take("gradients of activations", s.B, H);
}

}  // namespace

Activations::Activations(const ActivationShape& shape, float* memory) {
  Layout layout;
  layout.memory = memory;
  lay_out(layout, shape, *this);
}

std::vector<PlannedBuffer> Activations::plan(const ActivationShape& shape) {
  Layout layout;
  Activations sizes;
  lay_out(layout, shape, sizes);
  return layout.buffers;
}

bool mixes_output(const ActivationShape& shape, std::int64_t l) noexcept {
  return (shape.config.residual && l > 0) || output_dropout(shape, l) > 0;
}

double output_dropout(const ActivationShape& shape, std::int64_t l) noexcept {
  if (shape.purpose == Purpose::kInference) return 0;
  return l + 1 == shape.config.layers ? shape.regularization.output : shape.regularization.between;
}

}  // namespace unroll
