#include "network/random_windows.h"

#include <algorithm>

#include "base/philox.h"

namespace unroll {
namespace {

Window random_symbols(const NetworkConfig& config, std::int64_t T, std::int64_t B, RandomNumbers& random) {
  Window window{.T = T, .B = B, .inputs = {}, .targets = {}, .reset = {}, .predictions = 0};
  for (std::int64_t row = 0; row < T * B; ++row) {
    window.inputs.push_back(random.next_id(config.vocabulary));
    const bool ignored = row > 0 && random.next() < -0.7F;
    window.targets.push_back(ignored ? kIgnored : random.next_id(config.vocabulary));
    window.reset.push_back(row >= B && random.next() < -0.6F ? 1 : 0);
    if (!ignored) ++window.predictions;
  }
  for (std::int64_t b = 0; config.conditions > 0 && b < B; ++b) {
    window.conditions.push_back(b == 0 ? kIgnored : random.next_id(config.conditions));
  }
  return window;
}

// Fills a row with pieces of random lengths, after the last of which a few steps may be left.
void add_pieces(std::int64_t row, std::int64_t T, RandomNumbers& random, std::vector<WindowPiece>& pieces) {
  std::int64_t used = 0;
  while (used < T) {
    const std::int64_t steps = std::min<std::int64_t>(T - used, 1 + random.next_id(T));
    pieces.push_back(
        {static_cast<std::int32_t>(row), static_cast<std::int32_t>(used), static_cast<std::int32_t>(steps)});
    used += steps;
    if (random.next() < -0.5F) return;
  }
}

// Texts of one piece or of two.
std::vector<WindowText> random_texts(std::size_t pieces, RandomNumbers& random) {
  std::vector<WindowText> texts;
  for (std::size_t first = 0; first < pieces;) {
    const std::int32_t count = first + 1 < pieces && random.next() < -0.3F ? 2 : 1;
    texts.push_back({static_cast<std::int32_t>(first), count});
    first += static_cast<std::size_t>(count);
  }
  return texts;
}

// Zero state at the first step of each piece and at steps of none.
std::vector<std::uint8_t> resets_of(std::int64_t T, std::int64_t B, const std::vector<WindowPiece>& pieces) {
  std::vector<std::uint8_t> reset(static_cast<std::size_t>(T * B), 1);
  for (const WindowPiece& piece : pieces) {
    for (std::int64_t t = piece.first + 1; t < piece.first + piece.steps; ++t) {
      reset[static_cast<std::size_t>(t * B + piece.row)] = 0;
    }
  }
  return reset;
}

void add_characters(const NetworkConfig& config, std::int64_t steps, RandomNumbers& random, CharacterWindow& out) {
  out.T = 4;
  out.B = 3;
  for (std::int64_t row = 0; row < out.B; ++row) add_pieces(row, out.T, random, out.pieces);
  for (std::size_t i = 0; i < out.pieces.size(); ++i) out.texts.push_back({static_cast<std::int32_t>(i), 1});
  out.reset = resets_of(out.T, out.B, out.pieces);
  for (std::int64_t i = 0; i < out.T * out.B; ++i) out.inputs.push_back(random.next_id(config.characters));
  for (std::int64_t i = 0; i < steps; ++i) out.word_of.push_back(random.next_id(std::ssize(out.texts) + 1));
}

// The answer of row `row` of the targets, which counts unless `ignored`.
void add_answer(const NetworkConfig& config, bool ignored, RandomNumbers& random, Window& window) {
  const std::int32_t label =
      config.loss == Loss::kSigmoid || config.loss == Loss::kSquared ? 0 : random.next_id(config.outputs);
  window.targets.push_back(ignored ? kIgnored : label);
  if (!ignored) ++window.predictions;
  window.weights.push_back(1.25F + random.next());
  for (std::int64_t k = 0; k < config.outputs; ++k) {
    if (config.loss == Loss::kSigmoid) window.wanted_labels.push_back(random.next() < 0 ? 1 : 0);
    if (config.loss == Loss::kSquared) window.wanted_numbers.push_back(random.next());
  }
}

void add_answers(const NetworkConfig& config, RandomNumbers& random, Window& window) {
  if (config.readout != Readout::kSteps) {
    for (std::size_t r = 0; r < window.texts.size(); ++r) {
      add_answer(config, r > 0 && random.next() < -0.6F, random, window);
    }
    return;
  }
  std::vector<std::uint8_t> is_step(static_cast<std::size_t>(window.T * window.B), 0);
  for (const WindowPiece& piece : window.pieces) {
    for (std::int64_t t = piece.first; t < piece.first + piece.steps; ++t) {
      is_step[static_cast<std::size_t>(t * window.B + piece.row)] = 1;
    }
  }
  for (std::size_t r = 0; r < is_step.size(); ++r) {
    const bool left_out = config.loss != Loss::kCrf && r > 0 && random.next() < -0.7F;
    add_answer(config, is_step[r] == 0 || left_out, random, window);
  }
}

Window random_task(const NetworkConfig& config, std::int64_t T, std::int64_t B, RandomNumbers& random) {
  Window window{.T = T, .B = B, .inputs = {}, .targets = {}, .reset = {}, .predictions = 0};
  for (std::int64_t row = 0; row < B; ++row) add_pieces(row, T, random, window.pieces);
  window.texts = random_texts(window.pieces.size(), random);
  window.reset = resets_of(T, B, window.pieces);
  for (std::int64_t row = 0; row < T * B; ++row) {
    if (config.vocabulary > 0) window.inputs.push_back(random.next_id(config.vocabulary));
    for (std::int64_t j = 0; config.vocabulary == 0 && j < config.embed; ++j) window.numbers.push_back(random.next());
  }
  if (config.characters > 0) add_characters(config, T * B, random, window.characters);
  if (config.outputs > 0) add_answers(config, random, window);
  return window;
}

}  // namespace

float RandomNumbers::next() {
  const std::uint32_t word = used_++;
  const auto words = random_words(seed_, 0, RandomPurpose::kTestPoint, 0, 0, word / 4);
  return 2 * uniform_float(words[word % 4]) - 1;
}

std::int32_t RandomNumbers::next_id(std::int64_t count) {
  return static_cast<std::int32_t>((next() + 1) / 2 * static_cast<float>(count));
}

bool reads_whole_texts(const NetworkConfig& config) noexcept { return config.outputs > 0 || predicts_texts(config); }

Window random_window(const NetworkConfig& config, std::int64_t T, std::int64_t B, RandomNumbers& random) {
  return reads_whole_texts(config) ? random_task(config, T, B, random) : random_symbols(config, T, B, random);
}

}  // namespace unroll
