#include "label/text_windows.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <unordered_map>
#include <vector>

#include "base/philox.h"
#include "label/chains.h"
#include "network/language_layer.h"

namespace unroll {
namespace {

// Clears what depends on the texts, and gives every step that of no text.
void clear(const NetworkConfig& config, Window& out) {
  const auto steps = static_cast<std::size_t>(out.T * out.B);
  const std::size_t answers = config.readout == Readout::kSteps ? steps : out.texts.size();
  const auto K = static_cast<std::size_t>(config.outputs);
  out.reset.assign(steps, 1);
  out.inputs.assign(config.vocabulary > 0 ? steps : 0, 0);
  out.numbers.assign(config.vocabulary > 0 ? 0 : steps * static_cast<std::size_t>(config.embed), 0.0F);
  out.targets.assign(answers, kIgnored);
  out.wanted_labels.assign(config.loss == Loss::kSigmoid ? answers * K : 0, 0);
  out.wanted_numbers.assign(config.loss == Loss::kSquared ? answers * K : 0, 0.0F);
  out.weights.clear();
  out.predictions = 0;
}

// Calls visit(step of the example, entry of the window) for all steps of a text, which begin at `start`.
template <class Visit>
void for_each_step(const Window& window, const WindowText& text, std::int64_t start, const Visit& visit) {
  auto step = static_cast<std::size_t>(start);
  for_each_entry(window, text, [&](std::size_t entry) { visit(step++, entry); });
}

class Filler {
 public:
  Filler(const NetworkConfig& config, const Examples& examples, const UnknownWords& unknown, Window& out)
      : config_(config), examples_(examples), unknown_(unknown), out_(out) {}

  // Fills in text number `r` of the window, which is that of the examples.
  void fill(std::size_t r, std::size_t text) {
    const WindowText& whole = out_.texts[r];
    for (std::int32_t p = whole.first; p < whole.first + whole.count; ++p) {
      const WindowPiece& piece = out_.pieces[static_cast<std::size_t>(p)];
      for (std::int64_t t = piece.first + 1; t < piece.first + piece.steps; ++t) {
        out_.reset[static_cast<std::size_t>(t * out_.B + piece.row)] = 0;
      }
    }
    const bool per_step = config_.readout == Readout::kSteps;
    const float weight = examples_.weights.empty() ? 1.0F : examples_.weights[text];
    for_each_step(out_, out_.texts[r], examples_.starts[text], [&](std::size_t step, std::size_t entry) {
      read(step, entry);
      if (per_step) answer(step, entry, weight);
    });
    if (!per_step) answer(text, r, weight);
  }

 private:
  void read(std::size_t step, std::size_t entry) {
    if (config_.vocabulary > 0) {
      out_.inputs[entry] = read_id(step);
      return;
    }
    const auto E = static_cast<std::size_t>(config_.embed);
    std::copy_n(examples_.numbers.begin() + static_cast<std::ptrdiff_t>(step * E), E,
                out_.numbers.begin() + static_cast<std::ptrdiff_t>(entry * E));
  }

  [[nodiscard]] std::int32_t read_id(std::size_t step) const {
    const std::int32_t id = examples_.ids[step];
    if (unknown_.rare.empty() || unknown_.rare[static_cast<std::size_t>(id)] == 0) return id;
    constexpr std::uint32_t kHalf = 0x80000000U;
    const auto words = random_words(unknown_.seed, unknown_.epoch, RandomPurpose::kUnknownWord, 0,
                                    static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32));
    return words[0] < kHalf ? unknown_.unknown : id;
  }

  void answer(std::size_t from, std::size_t to, float weight) {
    if (config_.outputs == 0) return;
    const auto K = static_cast<std::size_t>(config_.outputs);
    out_.targets[to] = examples_.labels.empty() ? 0 : examples_.labels[from];
    if (out_.targets[to] == kIgnored) return;
    ++out_.predictions;
    if (!examples_.sets.empty()) copy_answers(examples_.sets, from, out_.wanted_labels, to, K);
    if (!examples_.wanted.empty()) copy_answers(examples_.wanted, from, out_.wanted_numbers, to, K);
    if (examples_.weights.empty()) return;
    out_.weights.resize(out_.targets.size(), 1.0F);
    out_.weights[to] = weight;
  }

  template <class T>
  static void copy_answers(const std::vector<T>& from, std::size_t at, std::vector<T>& to, std::size_t row,
                           std::size_t K) {
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at * K), K,
                to.begin() + static_cast<std::ptrdiff_t>(row * K));
  }

  const NetworkConfig& config_;
  const Examples& examples_;
  const UnknownWords& unknown_;
  Window& out_;
};

// The distinct words of a window in the order in which texts have them, and the word of each step.
std::vector<std::size_t> distinct_words(const Examples& examples, std::span<const std::size_t> texts, Window& out) {
  std::vector<std::size_t> words;
  std::unordered_map<std::int32_t, std::int32_t> places;
  std::vector<std::int32_t> word_of(static_cast<std::size_t>(out.T * out.B), -1);
  for (std::size_t r = 0; r < texts.size(); ++r) {
    for_each_step(out, out.texts[r], examples.starts[texts[r]], [&](std::size_t step, std::size_t entry) {
      if (examples.forms[step] == kNoWord) return;
      const auto [place, is_new] = places.try_emplace(examples.forms[step], static_cast<std::int32_t>(words.size()));
      if (is_new) words.push_back(static_cast<std::size_t>(examples.forms[step]));
      word_of[entry] = place->second;
    });
  }
  std::ranges::replace(word_of, -1, static_cast<std::int32_t>(words.size()));
  out.characters.word_of = std::move(word_of);
  return words;
}

void make_character_window(const Examples& examples, std::span<const std::size_t> texts, Window& out) {
  out.characters = {};
  const std::vector<std::size_t> words = distinct_words(examples, texts, out);
  CharacterWindow& chars = out.characters;
  if (words.empty()) return;
  std::vector<std::int64_t> lengths;
  for (const std::size_t word : words) lengths.push_back(std::ssize(examples.words.word(word)));
  const PackedSize size = pack_texts(lengths, std::ssize(lengths), kPieceSteps, chars.pieces, chars.texts);
  chars.T = size.T;
  chars.B = size.B;
  const auto steps = static_cast<std::size_t>(size.T * size.B);
  chars.inputs.assign(steps, 0);
  chars.reset.assign(steps, 1);
  for (std::size_t w = 0; w < words.size(); ++w) {
    const WindowPiece& piece = chars.pieces[w];  // words are in one piece
    const std::span<const std::int32_t> characters = examples.words.word(words[w]);
    for (std::int64_t t = 0; t < piece.steps; ++t) {
      const auto entry = static_cast<std::size_t>((piece.first + t) * chars.B + piece.row);
      chars.inputs[entry] = characters[static_cast<std::size_t>(t)];
      if (t > 0) chars.reset[entry] = 0;
    }
  }
}

}  // namespace

std::int64_t piece_steps(const Examples& examples) noexcept {
  return examples.are_whole ? kWholeSequence : kPieceSteps;
}

PackedSize largest_window(const Examples& examples, std::int64_t texts_per_window, std::int64_t most_rows) {
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < examples.count(); ++i) lengths.push_back(examples.length(i));
  const auto count = std::min(static_cast<std::size_t>(texts_per_window), lengths.size());
  std::ranges::partial_sort(lengths, lengths.begin() + static_cast<std::ptrdiff_t>(count), std::greater());
  const std::int64_t steps =
      std::accumulate(lengths.begin(), lengths.begin() + static_cast<std::ptrdiff_t>(count), std::int64_t{0});
  return largest_packed(lengths.front(), steps, most_rows, piece_steps(examples));
}

void make_text_window(const NetworkConfig& config, const Examples& examples, std::span<const std::size_t> texts,
                      std::int64_t most_rows, const UnknownWords& unknown, Window& out) {
  std::vector<std::int64_t> lengths;
  for (const std::size_t text : texts) lengths.push_back(examples.length(text));
  const PackedSize size = pack_texts(lengths, most_rows, piece_steps(examples), out.pieces, out.texts);
  out.T = size.T;
  out.B = size.B;
  clear(config, out);
  Filler filler(config, examples, unknown, out);
  for (std::size_t r = 0; r < texts.size(); ++r) filler.fill(r, texts[r]);
  if (config.outputs == 0) out.predictions = language_predictions(out, config.bidirectional);
  if (config.characters > 0) make_character_window(examples, texts, out);
}

}  // namespace unroll
