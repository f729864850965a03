#include "network/activations.h"

#include <algorithm>

#include "network/language_layer.h"

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
// alternate, or belong to the two directions.
void take_tape(Layout& layout, const ActivationShape& s, std::int64_t layer, std::vector<RecurrentTape>& tapes) {
  const std::int64_t H = s.config.hidden;
  const std::int64_t G = gate_count(s.config.cell);
  const bool training = s.purpose == Purpose::kTraining;
  RecurrentTape& tape = tapes[static_cast<std::size_t>(layer)];
  if (layer == 0 || training) {
    tape.gates = layout.take("tape: gates", s.T * s.B, G * H);
    if (has_candidate(s.config.cell)) tape.candidate = layout.take("tape: gates", s.T * s.B, H);
  } else {
    tape.gates = tapes[0].gates;
    tape.candidate = tapes[0].candidate;
  }
  if (layer < 2 || training) {
    tape.h = layout.take("tape: states", (s.T + 1) * s.B, H);
    if (has_cell_state(s.config.cell)) tape.c = layout.take("tape: states", (s.T + 1) * s.B, H);
  } else {
    tape.h = tapes[static_cast<std::size_t>(layer % 2)].h;
    tape.c = tapes[static_cast<std::size_t>(layer % 2)].c;
  }
  if (!has_recurrent_weights(s.config.cell)) return;
  if (training && s.config.layer_norm) tape.norm = take_norm_tape(layout, s, tapes[0].norm);
  tape.products = layer == 0 ? layout.take("recurrent products of one step", s.B, G * H) : tapes[0].products;
}

// In inference levels share one, to which each level adds its outputs.
MatView<float> take_mixed(Layout& layout, const ActivationShape& s, std::int64_t l,
                          const std::vector<MatView<float>>& below) {
  if (!mixes_output(s, l)) return {};
  const bool shared = s.purpose == Purpose::kInference && !below.empty() && below.back().rows > 0;
  return shared ? below.back() : layout.take("outputs after dropout", s.T * s.B, level_outputs(s.config));
}

// The largest size of a level's input or output, or of a projection.
std::int64_t widest(const NetworkConfig& config) {
  return std::max({level_inputs(config, 0), level_outputs(config), config.embed});
}

// In inference levels share the reversed input; a level's output is the next one's input, so two of them alternate.
void take_directions(Layout& layout, const ActivationShape& s, std::int64_t l, LevelActivations& a) {
  constexpr const char* kBoth = "both directions, joined";
  const bool training = s.purpose == Purpose::kTraining;
  const std::int64_t rows = s.T * s.B;
  if (training || l == 0) {
    a.reversed.push_back(layout.take(kBoth, rows, training ? level_inputs(s.config, l) : widest(s.config)));
  } else {
    a.reversed.push_back(a.reversed.front());
  }
  const bool shared = !training && l >= 2;
  a.joined.push_back(shared ? a.joined[static_cast<std::size_t>(l % 2)]
                            : layout.take(kBoth, rows, level_outputs(s.config)));
}

void take_levels(Layout& layout, const ActivationShape& s, LevelActivations& a) {
  const std::int64_t rows = s.T * s.B;
  const std::int64_t H = s.config.hidden;
  const std::int64_t layers = s.config.layers * directions(s.config);
  a.tapes.resize(static_cast<std::size_t>(layers));
  for (std::int64_t layer = 0; layer < layers; ++layer) take_tape(layout, s, layer, a.tapes);
  for (std::int64_t l = 0; l < s.config.layers; ++l) {
    if (s.config.bidirectional) take_directions(layout, s, l, a);
    a.mixed.push_back(take_mixed(layout, s, l, a.mixed));
  }
  if (s.purpose == Purpose::kInference) return;
  constexpr const char* kGradients = "gradients of activations";
  for (MatView<float>& d : a.d_activations) d = layout.take(kGradients, rows, widest(s.config));
  if (s.config.residual) a.d_branch = layout.take(kGradients, rows, level_outputs(s.config));
  if (s.config.bidirectional) {
    for (MatView<float>& d : a.d_directions) d = layout.take(kGradients, rows, H);
    a.d_reversed = layout.take(kGradients, rows, widest(s.config));
  }
  a.dh = layout.take(kGradients, s.B, H);
  a.dh_products = layout.take(kGradients, s.B, H);
  if (has_cell_state(s.config.cell)) a.dc = layout.take(kGradients, s.B, H);
}

void take_characters(Layout& layout, const ActivationShape& of_words, CharacterActivations& a) {
  constexpr const char* kWords = "words from characters";
  const ActivationShape s = character_shape(of_words);
  const bool training = s.purpose == Purpose::kTraining;
  const std::int64_t words = of_words.T * of_words.B;
  const auto take = [&layout](const char* name, std::int64_t rows, std::int64_t cols) {
    return layout.take(name, rows, cols);
  };
  a.embedded = layout.take("embedded characters", s.T * s.B, s.config.embed);
  take_levels(layout, s, a.levels);
  a.pooling = pooling_tape(s.config.readout, level_outputs(s.config), s.T * s.B, words, training, take);
  a.words = layout.take(kWords, words + 1, level_outputs(s.config));
  if (training) a.d_words = layout.take(kWords, words + 1, level_outputs(s.config));
}

void take_labels(Layout& layout, const ActivationShape& s, LabelActivations& a) {
  constexpr const char* kPooled = "vectors of texts";
  const std::int64_t rows = s.T * s.B;
  const bool training = s.purpose == Purpose::kTraining;
  a.scores = layout.take("scores of labels", rows, s.config.outputs);
  if (s.config.readout == Readout::kSteps) return;
  const auto take = [&layout](const char* name, std::int64_t count, std::int64_t cols) {
    return layout.take(name, count, cols);
  };
  a.pooling = pooling_tape(s.config.readout, level_outputs(s.config), rows, rows, training, take);
  a.pooled = layout.take(kPooled, rows, decoder_inputs(s.config));
  if (training) a.d_pooled = layout.take(kPooled, rows, decoder_inputs(s.config));
}

void take_language(Layout& layout, const ActivationShape& s, LanguageActivations& a) {
  constexpr const char* kSymbols = "outputs that predict symbols";
  const NetworkConfig config = language_config(s.config);
  const std::int64_t rows = directions(s.config) * s.T * s.B;
  const bool training = s.purpose == Purpose::kTraining;
  const auto take = [&layout](const char* name, std::int64_t count, std::int64_t cols) {
    return layout.take(name, count, cols);
  };
  if (s.config.bidirectional) a.stacked = take(kSymbols, rows, config.hidden);
  if (training) a.d_stacked = take(kSymbols, rows, config.hidden);
  if (has_projection(config)) {
    a.projected = take(kSymbols, rows, config.embed);
    if (training) a.d_projected = take(kSymbols, rows, config.embed);
  }
  a.output = output_scratch(config, rows, training, s.samples, take);
}

void lay_out(Layout& layout, const ActivationShape& s, Activations& a) {
  const std::int64_t rows = s.T * s.B;
  a.embedded = layout.take("embedded symbols", rows, level_inputs(s.config, 0));
  if (s.config.characters > 0) take_characters(layout, s, a.characters);
  take_levels(layout, s, a.levels);
  if (predicts_texts(s)) take_language(layout, s, a.language);
  if (s.config.outputs > 0) return take_labels(layout, s, a.labels);
  if (predicts_texts(s)) return;
  if (has_projection(s.config)) a.projected = layout.take("projected outputs", rows, s.config.embed);
  a.output = output_scratch(
      s.config, rows, s.purpose == Purpose::kTraining, s.samples,
      [&layout](const char* name, std::int64_t count, std::int64_t cols) { return layout.take(name, count, cols); });
}

}  // namespace

Activations::Activations(const ActivationShape& shape, float* memory) {
  Layout layout;
  layout.memory = memory;
  lay_out(layout, shape, *this);
}

std::int64_t Activations::planned_floats(const ActivationShape& shape) {
  std::int64_t floats = 0;
  for (const PlannedBuffer& buffer : plan(shape)) floats += buffer.floats;
  return floats;
}

std::vector<PlannedBuffer> Activations::plan(const ActivationShape& shape) {
  Layout layout;
  Activations sizes;
  lay_out(layout, shape, sizes);
  return layout.buffers;
}

NetworkConfig character_config(const NetworkConfig& config) {
  return {.cell = config.cell,
          .vocabulary = config.characters,
          .embed = config.character_hidden,
          .hidden = config.character_hidden,
          .outputs = 1,
          .readout = Readout::kLast,
          .bidirectional = true};
}

ActivationShape character_shape(const ActivationShape& shape) {
  return {.config = character_config(shape.config),
          .regularization = {},
          .purpose = shape.purpose,
          .T = kWordCharacters,
          .B = shape.T * shape.B};
}

bool predicts_texts(const ActivationShape& shape) noexcept {
  return predicts_texts(shape.config) && (shape.config.outputs == 0 || shape.purpose == Purpose::kTraining);
}

bool mixes_output(const ActivationShape& shape, std::int64_t l) noexcept {
  return (shape.config.residual && l > 0) || output_dropout(shape, l) > 0;
}

double output_dropout(const ActivationShape& shape, std::int64_t l) noexcept {
  if (shape.purpose == Purpose::kInference) return 0;
  if (l + 1 < shape.config.layers) return shape.regularization.between;
  return shape.config.readout == Readout::kSteps ? shape.regularization.output : 0;
}

}  // namespace unroll
