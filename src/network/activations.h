// The activations of a network for windows up to some size, planned once in one block of memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/view.h"
#include "network/output_layer.h"
#include "nn/pooling.h"
#include "nn/recurrent.h"
#include "unroll/network.h"
#include "unroll/regularization.h"

namespace unroll {

enum class Purpose { kInference, kTraining };

// One planned piece of memory.
struct PlannedBuffer {
  std::string name;
  std::int64_t floats = 0;
};

// Determines which activations there are.
struct ActivationShape {
  NetworkConfig config;
  Regularization regularization;
  Purpose purpose = Purpose::kInference;
  std::int64_t T = 0;  // the largest window
  std::int64_t B = 0;
  std::int64_t samples = 0;  // of a sampled softmax; 0: exact softmax
};

// Those of the recurrent layers. In inference levels share their buffers.
struct LevelActivations {
  std::vector<RecurrentTape> tapes;   // one per layer and direction
  std::vector<MatView<float>> mixed;  // (T*B, D) per level: its output after dropout and residual connection; empty
                                      // if that is the level's output itself
  // With both directions, per level: its input in reversed time (T*B, inputs), and its output (T*B, D).
  std::vector<MatView<float>> reversed;
  std::vector<MatView<float>> joined;
  // Training: gradients.
  std::array<MatView<float>, 2> d_activations;  // (T*B, widest) of a level's output and input
  MatView<float> d_branch;                      // (T*B, D) with residual connections: of h, next to that of x + h
  std::array<MatView<float>, 2> d_directions;   // (T*B, H) both directions: of each direction's output
  MatView<float> d_reversed;                    // (T*B, widest) both directions: of the input in reversed time
  MatView<float> dh, dc, dh_products;           // (B, H)
};

// Those of a character network, for windows of kWordCharacters steps at most, and a row for each step of the window.
struct CharacterActivations {
  MatView<float> embedded;  // (steps, character_hidden)
  LevelActivations levels;
  PoolingTape pooling;
  MatView<float> words;    // (T*B + 1, 2 character_hidden) the vectors of words; the one after the last is zero
  MatView<float> d_words;  // the same, training
};

// Those of what reads a network's outputs for labels or numbers. Rows: one per text, or with kSteps one per step.
struct LabelActivations {
  PoolingTape pooling;
  MatView<float> pooled;    // (T*B, decoder_inputs); empty with kSteps
  MatView<float> scores;    // (T*B, K)
  MatView<float> d_pooled;  // as pooled, training
};

// Those of the output layer that predicts symbols of whole texts. R is T*B, twice that with both directions.
struct LanguageActivations {
  MatView<float> stacked;      // (R, H) with both directions: the forward one's outputs, then the backward one's
  MatView<float> projected;    // (R, E); empty without projection
  MatView<float> d_stacked;    // (R, H) training
  MatView<float> d_projected;  // as projected, training
  OutputScratch output;
};

// Views into one block.
struct Activations {
  MatView<float> embedded;  // (T*B, level_inputs(0))
  CharacterActivations characters;
  LevelActivations levels;
  MatView<float> projected;  // (T*B, E); empty without projection
  OutputScratch output;      // of a language model
  LabelActivations labels;   // of other tasks
  LanguageActivations language;

  Activations() = default;
  // Views into `memory`, which holds the floats of plan().
  Activations(const ActivationShape& shape, float* memory);

  // The memory of all activations.
  static std::vector<PlannedBuffer> plan(const ActivationShape& shape);

  // The floats of all these buffers.
  static std::int64_t planned_floats(const ActivationShape& shape);
};

// The network over the characters of words: one level of both directions, read at its ends.
[[nodiscard]] NetworkConfig character_config(const NetworkConfig& config);

// The largest windows of its character network.
[[nodiscard]] ActivationShape character_shape(const ActivationShape& shape);

// Whether a network of this shape predicts symbols of whole texts: of a task, in training alone.
[[nodiscard]] bool predicts_texts(const ActivationShape& shape) noexcept;

// Whether the level above reads something other than level l's output.
[[nodiscard]] bool mixes_output(const ActivationShape& shape, std::int64_t l) noexcept;

// The dropout probability of outputs of level l. A vector per text is dropped instead of the last level's outputs.
[[nodiscard]] double output_dropout(const ActivationShape& shape, std::int64_t l) noexcept;

}  // namespace unroll
