#include "train/starting_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/quote.h"
#include "train/run_plan.h"
#include "unroll/error.h"
#include "unroll/fnv1a.h"
#include "unroll/text.h"

namespace unroll {
namespace {

void note_vectors(const WordVectors& vectors, const std::string& path, std::int64_t words,
                  const TrainObserver& observer) {
  const auto found = static_cast<std::int64_t>(vectors.ids.size());
  std::string lower_case_part;
  if (vectors.from_lower_case > 0) lower_case_part = fmt::format(", {} of them in lower case", vectors.from_lower_case);
  note(observer, fmt::format("{} has vectors of {} of the {} words of the vocabulary ({:.1f}%{}); the others start "
                             "random",
                             text_name(path), found, words,
                             100 * static_cast<double>(found) / static_cast<double>(words), lower_case_part));
  if (vectors.repeated.empty()) return;
  note(observer, fmt::format("{} has {} of these words more than once, as {}: the first vector counts", text_name(path),
                             vectors.repeated.size(), quote(vectors.repeated.front())));
}

double root_mean_square(std::span<const float> numbers) {
  double sum = 0;
  for (const float x : numbers) sum += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(1, numbers.size())));
}

}  // namespace

void take_word_vectors(TrainOptions& resolved, TrainingText& text, const TrainObserver& observer) {
  const std::string& path = resolved.transfer.vectors;
  const std::vector<std::string>& words = text.tokenizer.vocabulary();
  WordVectors vectors = read_word_vectors(path, words);
  if (vectors.ids.empty()) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{} has a vector for none of the {} words of the vocabulary, as {}: is it of this language, "
                    "and of words as `tokenizer.kind` {} makes them?",
                    text_name(path), words.size(), quote(words.back()), tokenizer_kind_name(text.tokenizer.kind())));
  }
  if (resolved.network.embed != 0 && resolved.network.embed != vectors.dimension) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`network.embed` is {}, and the vectors of {} have {} numbers: leave it out",
                            resolved.network.embed, text_name(path), vectors.dimension),
                "network.embed");
  }
  resolved.network.embed = vectors.dimension;
  note_vectors(vectors, path, std::ssize(words), observer);
  text.vectors = std::move(vectors);
}

std::string vectors_fingerprint(const WordVectors& vectors) {
  std::uint64_t hash = kFnv1aStart;
  for (const std::int32_t id : vectors.ids) hash = fnv1a(hash, static_cast<std::uint64_t>(id));
  for (const float number : vectors.numbers) hash = fnv1a(hash, std::bit_cast<std::uint32_t>(number));
  return fmt::format("{:016x}", hash);
}

void set_word_vectors(const WordVectors& vectors, Parameters& parameters) {
  const std::span<float> embedding = parameters.values(parameters.tensors().front());
  const auto D = static_cast<std::size_t>(vectors.dimension);
  const double scale = root_mean_square(vectors.numbers) / root_mean_square(embedding);
  for (float& x : embedding) x *= static_cast<float>(scale);
  for (std::size_t i = 0; i < vectors.ids.size(); ++i) {
    const std::size_t first = static_cast<std::size_t>(vectors.ids[i]) * D;
    std::ranges::copy(vectors.row(i), embedding.subspan(first, D).begin());
  }
}

}  // namespace unroll
