#include "unroll/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "infer/adaptive_stream.h"
#include "infer/inference.h"
#include "infer/prediction.h"
#include "kernels/softmax.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Windows of lines side by side, and of one sequence: wide enough for the products, narrow enough for the cache.
constexpr std::int64_t kRows = 64;
constexpr std::int64_t kStepsOfRows = 32;
constexpr std::int64_t kStepsOfSequence = 64;

std::int64_t planned_steps(StatePolicy state) { return state == StatePolicy::kReset ? kStepsOfRows : kStepsOfSequence; }
std::int64_t planned_rows(StatePolicy state) { return state == StatePolicy::kReset ? kRows : 1; }

// Lines as one sequence of ids, each closed by a boundary, and the scores that their predictions go to.
struct Lines {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> starts;  // of each line in ids, and the end of ids
  std::vector<Score> scores;         // complete but for the predictions
  std::int64_t first_line = 1;
};

// The ids of a line, closed by a boundary.
std::vector<Token> encode(const Tokenizer& tokenizer, std::string_view line, std::int64_t line_number) {
  const std::string name = fmt::format("line {}", line_number);
  if (const std::size_t newline = line.find('\n'); newline != std::string_view::npos) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} has a line end at byte {}: score one line at a time", name, newline));
  }
  std::vector<Token> tokens = tokenizer.encode_line(line, name);
  tokens.push_back({.id = tokenizer.boundary(), .offset = std::ssize(line), .length = 0});
  return tokens;
}

// A line's score but for the predictions, of which the first `counted` are asked for.
Score unpredicted(const Tokenizer& tokenizer, std::string_view line, std::span<const Token> counted, bool keep_tokens) {
  Score score;
  score.predictions = std::ssize(counted);
  for (const Token& token : counted) score.unknown_tokens += token.id == tokenizer.unknown() ? 1 : 0;
  if (!keep_tokens) return score;
  score.tokens.reserve(counted.size());
  for (const Token& token : counted) {
    TokenScore& added = score.tokens.emplace_back();
    added.id = token.id;
    added.text =
        token.offset == std::ssize(line)
            ? tokenizer.symbol(token.id)
            : std::string(line.substr(static_cast<std::size_t>(token.offset), static_cast<std::size_t>(token.length)));
    added.offset = token.offset;
  }
  return score;
}

void append_line(const Tokenizer& tokenizer, std::string_view line, const ScorerOptions& options, Lines& lines) {
  const auto line_number = lines.first_line + std::ssize(lines.scores);
  const std::vector<Token> tokens = encode(tokenizer, line, line_number);
  lines.ids.reserve(lines.ids.size() + tokens.size());
  for (const Token& token : tokens) lines.ids.push_back(token.id);
  lines.starts.push_back(std::ssize(lines.ids));
  const std::span<const Token> counted(tokens.data(), tokens.size() - (options.end ? 0 : 1));
  lines.scores.push_back(unpredicted(tokenizer, line, counted, options.tokens));
}

// Takes predictions in the order of positions from one position on.
class ScoreWriter {
 public:
  ScoreWriter(Lines& lines, std::int64_t position) : lines_(&lines), position_(position) {
    const auto after = std::upper_bound(lines.starts.begin(), lines.starts.end(), position);
    line_ = static_cast<std::size_t>(after - lines.starts.begin()) - 1;
  }

  void take(const SymbolPrediction& prediction) {
    while (position_ >= lines_->starts[line_ + 1]) ++line_;
    const std::int64_t index = position_ - lines_->starts[line_];
    ++position_;
    Score& score = lines_->scores[line_];
    if (index == score.predictions) return;  // a closing boundary that does not count
    if (!std::isfinite(prediction.log_prob)) {
      throw Error(ErrorCode::kNumeric,
                  fmt::format("line {}, symbol {}: the prediction is {}: the model's weights or its "
                              "state overflowed",
                              lines_->first_line + static_cast<std::int64_t>(line_), index + 1, prediction.log_prob));
    }
    score.log_prob += prediction.log_prob;
    if (score.tokens.empty()) return;
    TokenScore& token = score.tokens[static_cast<std::size_t>(index)];
    token.log_prob = prediction.log_prob;
    token.rank = prediction.rank;
    token.entropy = prediction.entropy;
  }

 private:
  Lines* lines_;
  std::int64_t position_;
  std::size_t line_;
};

// Pieces that are far longer than the others (one line may hold most of the text) and the rest: rows of one batch
// should end together, since a row that has ended still costs its share.
std::vector<std::vector<Piece>> batches(std::vector<Piece> pieces) {
  std::int64_t steps = 0;
  for (const Piece& piece : pieces) steps += piece.steps();
  const auto is_long = [&](const Piece& piece) { return piece.steps() > 4 * steps / std::ssize(pieces); };
  const auto rest = std::stable_partition(pieces.begin(), pieces.end(), is_long);
  std::vector<std::vector<Piece>> result;
  if (rest != pieces.begin()) result.emplace_back(pieces.begin(), rest);
  if (rest != pieces.end()) result.emplace_back(rest, pieces.end());
  return result;
}

}  // namespace

struct Scorer::Impl {
  Impl(Model model, const ScorerOptions& given)
      : options(given),
        inference(std::move(model), given.threads, planned_steps(given.state), planned_rows(given.state)),
        carried(inference.model.config(), 1),
        single(inference.model.config(), 1) {
    check(options.adaptation);
    if (reads_in_order(options.adaptation)) {
      adapted.emplace(inference.model, options.adaptation, options.state, inference.workers);
    }
  }

  [[nodiscard]] const Tokenizer& tokenizer() const { return inference.model.tokenizer(); }

  template <class Line>
  std::vector<Score> score(std::span<const Line> texts, std::int64_t first_line) {
    Lines lines;
    lines.first_line = first_line;
    lines.starts.push_back(0);
    lines.scores.reserve(texts.size());
    for (const Line& text : texts) append_line(tokenizer(), text, options, lines);
    if (adapted) {
      score_in_order(lines);
    } else if (options.state == StatePolicy::kReset) {
      score_apart(lines);
    } else {
      score_on(lines);
    }
    return std::move(lines.scores);
  }

  // Each line from a zero state: rows of whole lines side by side.
  void score_apart(Lines& lines) {
    if (lines.ids.empty()) return;
    for (const std::vector<Piece>& pieces : batches(line_pieces(lines.ids, tokenizer().boundary(), kRows))) {
      std::vector<ScoreWriter> writers;
      for (const Piece& piece : pieces) writers.emplace_back(lines, piece.first);
      const Batcher batcher(lines.ids, tokenizer().boundary(), StatePolicy::kReset, pieces, kStepsOfRows);
      NetworkState state(inference.model.config(), batcher.rows());
      for (std::int64_t i = 0; i < batcher.windows(); ++i) {
        batcher.window(i, window);
        inference.forward(window, state);
        write_predictions(writers);
      }
    }
  }

  // Each line from the state after the one before.
  void score_on(Lines& lines) {
    std::vector<ScoreWriter> writers{ScoreWriter(lines, 0)};
    std::span<const std::int32_t> rest = lines.ids;
    std::int32_t input = tokenizer().boundary();
    while (!rest.empty()) {
      const auto next = rest.first(std::min<std::size_t>(rest.size(), kStepsOfSequence));
      set_sequence(input, next, window);
      inference.forward(window, carried);
      write_predictions(writers);
      input = next.back();
      rest = rest.subspan(next.size());
    }
  }

  // Lines as the text that the model is adapted to.
  void score_in_order(Lines& lines) {
    ScoreWriter writer(lines, 0);
    std::span<const std::int32_t> rest = lines.ids;
    while (!rest.empty()) {
      const auto next = rest.first(std::min<std::size_t>(rest.size(), kStepsOfSequence));
      predictions.clear();
      adapted->predict(next, detail(), predictions);
      for (const SymbolPrediction& prediction : predictions) writer.take(prediction);
      rest = rest.subspan(next.size());
    }
  }

  [[nodiscard]] Detail detail() const { return options.tokens ? Detail::kRankAndEntropy : Detail::kLogProb; }

  void predict(Detail wanted) {
    predictions.resize(window.targets.size());
    predict_window(inference.network, inference.weights, window, options.adaptation.temperature, wanted, predictions);
  }

  void write_predictions(std::vector<ScoreWriter>& writers) {
    predict(detail());
    const std::size_t rows = writers.size();
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      if (window.targets[i] != kIgnored) writers[i % rows].take(predictions[i]);
    }
  }

  void require_state(const State& state) const {
    const NetworkConfig& config = inference.model.config();
    const auto size = static_cast<std::size_t>(config.layers * config.hidden);
    const std::size_t cells = config.cell == Cell::kLstm ? size : 0;
    if (state.h.size() != size || state.c.size() != cells) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("the state holds {} and {} numbers (h and c): this model's has {} and {}", state.h.size(),
                              state.c.size(), size, cells));
    }
    require_symbol(state.input);
  }

  void require_symbol(std::int32_t id) const {
    if (id < 0 || id >= tokenizer().size()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("symbol {} does not exist: expected 0 to {}", id, tokenizer().size() - 1));
    }
  }

  // Reads state.input; `single` is the state after it. `target` is what will be asked about.
  void read(const State& state, std::int32_t target) {
    require_state(state);
    std::copy(state.h.begin(), state.h.end(), single.h.span().begin());
    std::copy(state.c.begin(), state.c.end(), single.c.span().begin());
    set_sequence(state.input, std::span(&target, 1), window);
    inference.forward(window, single);
  }

  ScorerOptions options;
  Inference inference;
  NetworkState carried;  // after the lines so far
  NetworkState single;   // of step() and next_log_probs()
  std::optional<AdaptiveStream> adapted;
  Window window;
  std::vector<SymbolPrediction> predictions;
};

Scorer::Scorer(Model model, const ScorerOptions& options) : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Scorer::~Scorer() = default;
Scorer::Scorer(Scorer&&) noexcept = default;
Scorer& Scorer::operator=(Scorer&&) noexcept = default;

Score Scorer::score(std::string_view line) {
  return std::move(impl_->score(std::span<const std::string_view>(&line, 1), 1).front());
}

std::vector<Score> Scorer::score(std::span<const std::string> lines, std::int64_t first_line) {
  return impl_->score(lines, first_line);
}

State Scorer::initial_state() const {
  const NetworkConfig& config = impl_->inference.model.config();
  const auto size = static_cast<std::size_t>(config.layers * config.hidden);
  return {std::vector<float>(size), std::vector<float>(config.cell == Cell::kLstm ? size : 0),
          impl_->tokenizer().boundary()};
}

double Scorer::step(State& state, std::int32_t token) {
  impl_->require_symbol(token);
  impl_->read(state, token);
  impl_->predict(Detail::kLogProb);
  const std::span<const float> h = impl_->single.h.span();
  const std::span<const float> c = impl_->single.c.span();
  state.h.assign(h.begin(), h.end());
  state.c.assign(c.begin(), c.end());
  state.input = token;
  return impl_->predictions.front().log_prob;
}

std::vector<double> Scorer::next_log_probs(const State& state) {
  impl_->read(state, state.input);
  std::vector<float> logits(static_cast<std::size_t>(impl_->tokenizer().size()));
  impl_->inference.network.logits(impl_->inference.weights, 0, logits);
  apply_temperature(impl_->options.adaptation.temperature, logits);
  std::vector<double> result(logits.size());
  log_softmax(logits, result);
  return result;
}

}  // namespace unroll
