// Small models with random weights, for tests of code that runs models.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/philox.h"
#include "model/model_file.h"
#include "unroll/model.h"

namespace unroll {

// "<unk>", newline, space, a to h, e acute, the euro sign.
inline Tokenizer tiny_characters() {
  std::vector<std::string> symbols = {"<unk>", "\n", " "};
  for (char c = 'a'; c <= 'h'; ++c) symbols.emplace_back(1, c);
  symbols.emplace_back("\xC3\xA9");
  symbols.emplace_back("\xE2\x82\xAC");
  return Tokenizer::from_vocabulary(TokenizerKind::kChar, false, symbols);
}

inline Tokenizer tiny_words() {
  return Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false,
                                    {"<unk>", "<eos>", "the", "cat", "dog", "sees", "old", "and"});
}

inline Tokenizer all_bytes() {
  std::vector<std::string> symbols;
  for (int byte = 0; byte < 256; ++byte) symbols.emplace_back(1, static_cast<char>(byte));
  return Tokenizer::from_vocabulary(TokenizerKind::kByte, false, symbols);
}

inline NetworkConfig tiny_config(Cell cell, const Tokenizer& tokenizer) {
  return {.cell = cell, .vocabulary = tokenizer.size(), .embed = 5, .hidden = 7, .layers = 2};
}

// Every parameter uniform in [-scale, scale).
inline Parameters random_parameters(const NetworkConfig& config, float scale, std::uint64_t seed) {
  Parameters parameters(config);
  std::uint32_t place = 0;
  for (float& value : parameters.all()) {
    const auto words = random_words(seed, 0, RandomPurpose::kTestPoint, 0, place++, 0);
    value = scale * (2 * uniform_float(words[0]) - 1);
  }
  return parameters;
}

inline Model model_of(const NetworkConfig& config, const Tokenizer& tokenizer, Parameters parameters) {
  return Model(
      std::make_shared<const Model::Data>(Model::Data{config, tokenizer, {}, ModelWeights(std::move(parameters))}));
}

inline Model tiny_model(Cell cell, const Tokenizer& tokenizer, std::uint64_t seed = 3) {
  const NetworkConfig config = tiny_config(cell, tokenizer);
  return model_of(config, tokenizer, random_parameters(config, 0.7F, seed));
}

// The same with such a large bias that every prediction is almost certainly `id`.
inline Model stubborn_model(const Tokenizer& tokenizer, std::int32_t id) {
  const NetworkConfig config = tiny_config(Cell::kLstm, tokenizer);
  Parameters parameters = random_parameters(config, 0.7F, 3);
  parameters.decoder_bias()[static_cast<std::size_t>(id)] = 100;
  return model_of(config, tokenizer, std::move(parameters));
}

// Random text over the symbols of tiny_characters(), with occasional line ends.
inline std::string random_text(std::size_t symbols, std::uint64_t seed) {
  const Tokenizer tokenizer = tiny_characters();
  std::string text;
  for (std::uint32_t i = 0; i < symbols; ++i) {
    const auto words = random_words(seed, 0, RandomPurpose::kTestPoint, 1, i, 0);
    text += tokenizer.symbol(1 + static_cast<std::int32_t>(words[0] % 12));
  }
  return text;
}

// Lines of 0 to `longest` random characters.
inline std::vector<std::string> random_lines(std::size_t count, std::uint32_t longest, std::uint64_t seed) {
  std::vector<std::string> lines(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t size = random_words(seed, 0, RandomPurpose::kTestPoint, 2, i, 0)[0] % (longest + 1);
    for (std::uint32_t j = 0; j < size; ++j) {
      const auto words = random_words(seed, 0, RandomPurpose::kTestPoint, 3, i, j);
      lines[i] += static_cast<char>('a' + words[0] % 8);
    }
  }
  return lines;
}

}  // namespace unroll
