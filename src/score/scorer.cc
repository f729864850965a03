#include "unroll/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>

#include "adapt/adaptive_stream.h"
#include "infer/condition.h"
#include "infer/inference.h"
#include "infer/line_rows.h"
#include "infer/line_tokens.h"
#include "infer/sequence.h"
#include "infer/state_rows.h"
#include "infer/window_predictions.h"
#include "kernels/softmax.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Windows of lines side by side: wide enough for the products, narrow enough for the processor's cache.
constexpr std::int64_t kRows = 64;
constexpr std::int64_t kStepsOfRows = 32;

std::int64_t planned_steps(StatePolicy state) { return state == StatePolicy::kReset ? kStepsOfRows : kSequenceSteps; }
std::int64_t planned_rows(StatePolicy state) { return state == StatePolicy::kReset ? kRows : 1; }

// What all lines have in common.
struct LineReading {
  LineReading(const Tokenizer& its_tokenizer, const ScorerOptions& its_options)
      : tokenizer(its_tokenizer), options(its_options) {
    for (const Token& token : line_tokens(tokenizer, {options.accounting.context, "the context"})) {
      context.push_back(token.id);
    }
  }

  [[nodiscard]] bool is_unknown(std::int32_t id) const { return id == tokenizer.unknown(); }

  const Tokenizer& tokenizer;
  const ScorerOptions& options;
  std::vector<std::int32_t> context;  // read before each line
};

// Lines as one sequence of ids: of each its context, its tokens and a closing boundary, or kNoSymbol.
class Lines {
 public:
  // `policy` is that of the sequence; `begins_text`: nothing was read before it.
  Lines(const LineReading& reading, const Reading& policy, bool begins_text, const LineNames& names,
        std::size_t expected)
      : reading_(reading), policy_(policy), begins_text_(begins_text), names_(names) {
    scores_.reserve(expected);
  }

  void append(std::string_view line) {
    std::vector<Token> tokens = line_tokens(reading_.tokenizer, {line, names_(scores_.size())}, scores_.size());
    tokens.push_back({.id = reading_.tokenizer.boundary(), .offset = std::ssize(line), .length = 0});
    ids_.insert(ids_.end(), reading_.context.begin(), reading_.context.end());
    for (const Token& token : tokens) ids_.push_back(token.id);
    starts_.push_back(std::ssize(ids_));
    lengths_.push_back(std::ssize(reading_.context) + std::ssize(tokens));
    const bool given = is_given(std::ssize(scores_), std::ssize(reading_.context));
    if (!reading_.options.accounting.end) tokens.pop_back();
    scores_.push_back(unpredicted(line, tokens, given));
  }

  // Takes what the step of the id at `position` of a line predicted.
  void take(std::int64_t line, std::int64_t position, const SymbolPrediction& prediction) {
    ++taken_;
    const std::int64_t index = position - std::ssize(reading_.context);
    const bool closes = position == length(line) - 1;
    if (index < 0 || is_given(line, position) || (closes && !reading_.options.accounting.end)) return;
    Score& score = scores_[static_cast<std::size_t>(line)];
    const bool unknown = reading_.is_unknown(id(line, position));
    const bool counted = counts(reading_.options.accounting, unknown);
    if (!std::isfinite(prediction.log_prob)) note_fault({line, index, prediction.log_prob}, counted);
    const double log_prob = counted_log_prob(reading_.options.accounting, unknown, prediction.log_prob);
    if (counted) score.log_prob += log_prob;
    if (score.tokens.empty()) return;
    TokenScore& token = score.tokens[static_cast<std::size_t>(index)];
    token.log_prob = log_prob;
    if (!reading_.options.ranks) return;
    token.rank = prediction.rank;
    token.entropy = prediction.entropy;
  }

  [[nodiscard]] std::span<const std::int32_t> ids() const noexcept { return ids_; }
  [[nodiscard]] std::span<const std::int64_t> starts() const noexcept { return starts_; }
  [[nodiscard]] std::span<const std::int64_t> lengths() const noexcept { return lengths_; }
  [[nodiscard]] std::int64_t length(std::int64_t line) const { return lengths_[static_cast<std::size_t>(line)]; }

  // Ids whose steps were taken.
  [[nodiscard]] std::int64_t taken() const noexcept { return taken_; }

  // Throws for the first line with a prediction that is not finite.
  [[nodiscard]] std::vector<Score> scores() && {
    if (fault_) refuse(*fault_);
    return std::move(scores_);
  }

 private:
  // A prediction that is not finite.
  struct Fault {
    std::int64_t line = 0;
    std::int64_t index = 0;  // of the token in the line
    double log_prob = 0;
  };

  [[nodiscard]] bool is_given(std::int64_t line, std::int64_t position) const noexcept {
    const bool starts = policy_.state == StatePolicy::kReset || (line == 0 && begins_text_);
    return policy_.begin == BeginPolicy::kNone && starts && position == 0;
  }

  [[nodiscard]] std::int32_t id(std::int64_t line, std::int64_t position) const {
    return ids_[static_cast<std::size_t>(starts_[static_cast<std::size_t>(line)] + position)];
  }

  // Lines side by side are predicted in an order of their own: the first one in the caller's order is to blame.
  void note_fault(const Fault& fault, bool counted) {
    if (!counted && denied_by_ngrams(fault.log_prob, reading_.options.ngram)) return;
    if (!fault_ || std::pair(fault.line, fault.index) < std::pair(fault_->line, fault_->index)) fault_ = fault;
  }

  [[noreturn]] void refuse(const Fault& fault) const {
    const std::string where =
        fmt::format("{}, symbol {}", names_(static_cast<std::size_t>(fault.line)), fault.index + 1);
    if (denied_by_ngrams(fault.log_prob, reading_.options.ngram)) {
      throw Error(ErrorCode::kInput, denied_by_ngrams_message(where), fault.line);
    }
    if (reading_.options.ngram && fault.log_prob > 0) {
      const std::int32_t symbol = id(fault.line, fault.index + std::ssize(reading_.context));
      throw Error(ErrorCode::kInput,
                  overweight_message(where, reading_.options.ngram->ngram, reading_.tokenizer.symbol(symbol)),
                  fault.line);
    }
    throw Error(
        ErrorCode::kNumeric,
        fmt::format("{}: the prediction is {}: the model's weights or its state overflowed", where, fault.log_prob),
        fault.line);
  }

  // A line's score without the predictions. `given`: its first token is.
  [[nodiscard]] Score unpredicted(std::string_view line, std::span<const Token> tokens, bool given) const {
    const auto piece = [&](const Token& token) {
      if (token.offset == std::ssize(line)) return reading_.tokenizer.symbol(token.id);
      return std::string(line.substr(static_cast<std::size_t>(token.offset), static_cast<std::size_t>(token.length)));
    };
    Score score;
    if (reading_.options.tokens) score.tokens.reserve(tokens.size());
    for (const Token& token : tokens) {
      const bool unknown = reading_.is_unknown(token.id);
      if (given && &token == tokens.data()) {
        if (!reading_.options.tokens) continue;
        score.tokens.push_back({.id = token.id,
                                .text = piece(token),
                                .counted = false,
                                .given = true,
                                .unknown = unknown,
                                .offset = token.offset});
        continue;
      }
      ++score.length;
      const bool counted = counts(reading_.options.accounting, unknown);
      score.unknown_tokens += unknown ? 1 : 0;
      score.predictions += counted ? 1 : 0;
      if (!reading_.options.tokens) continue;
      score.tokens.push_back(
          {.id = token.id, .text = piece(token), .counted = counted, .unknown = unknown, .offset = token.offset});
    }
    return score;
  }

  const LineReading& reading_;
  Reading policy_;
  bool begins_text_;
  const LineNames& names_;
  std::vector<std::int32_t> ids_;
  std::vector<std::int64_t> starts_{0};  // of each line in ids_, and the end
  std::vector<std::int64_t> lengths_;
  std::vector<Score> scores_;
  std::int64_t taken_ = 0;
  std::optional<Fault> fault_;
};

// Passes on the steps of some lines, which come in this order; there may be others after them.
class ScoreWriter {
 public:
  ScoreWriter(Lines& lines, std::vector<std::int64_t> order) : lines_(&lines), order_(std::move(order)) {}

  void take(const SymbolPrediction& prediction) {
    if (at_ == order_.size()) return;
    const std::int64_t line = order_[at_];
    lines_->take(line, position_, prediction);
    if (++position_ == lines_->length(line)) {
      ++at_;
      position_ = 0;
    }
  }

 private:
  Lines* lines_;
  std::vector<std::int64_t> order_;
  std::size_t at_ = 0;         // in order_
  std::int64_t position_ = 0;  // in that line
};

ScoreWriter writer_of_all(Lines& lines) {
  std::vector<std::int64_t> order(lines.lengths().size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return {lines, std::move(order)};
}

// `options`, checked before memory is taken for them.
const ScorerOptions& checked(const ScorerOptions& options) {
  check(options.accounting);
  check(options.adaptation);
  if (!options.accounting.context.empty() && reads_in_order(options.adaptation)) {
    throw Error(ErrorCode::kUsage,
                "a context is read before each line by itself, so it cannot be combined with a cache or dynamic "
                "evaluation, which read the lines as one text");
  }
  return options;
}

}  // namespace

struct Scorer::Impl {
  Impl(Model model, const ScorerOptions& given)
      : options(checked(given)),
        inference(std::move(model), given.threads, planned_steps(given.accounting.state),
                  planned_rows(given.accounting.state)),
        policy(reading_of(tokenizer(), options.accounting.state,
                          options.accounting.begin.value_or(inference.model.begin_policy()))),
        reading(tokenizer(), options),
        condition(condition_of(inference.model, options.label)),
        mixture(mixture_of(options.ngram, tokenizer())),
        carried(inference.config(), 1),
        steps(policy),
        single(inference.config(), 1) {
    if (policy.boundary == kNoSymbol) options.accounting.end = false;
    if (condition && (options.accounting.state != StatePolicy::kReset || reads_in_order(options.adaptation))) {
      throw Error(ErrorCode::kUsage,
                  "with `label` each line begins from the state of that label: lines are read by themselves, without "
                  "carried state, cache or dynamic evaluation",
                  "label");
    }
    if (reads_in_order(options.adaptation)) {
      adapted.emplace(inference.model, options.adaptation, policy, inference.workers, mixture ? &*mixture : nullptr);
    }
  }

  [[nodiscard]] const Tokenizer& tokenizer() const { return inference.tokenizer(); }

  template <class Line>
  std::vector<Score> score(std::span<const Line> texts, const LineNames& names) {
    const LineNames by_number = [](std::size_t index) { return fmt::format("line {}", index + 1); };
    Lines lines(reading, policy, !begun, names ? names : by_number, texts.size());
    for (const Line& text : texts) lines.append(text);
    begun = begun || !texts.empty();
    if (adapted) {
      score_in_order(lines);
    } else if (condition) {
      score_given(lines);
    } else if (options.accounting.state == StatePolicy::kReset) {
      score_apart(lines);
    } else {
      score_on(lines);
    }
    return std::move(lines).scores();
  }

  // Each line from a zero state, whole lines side by side.
  void score_apart(Lines& lines) { score_rows(lines, deal_lines(lines.lengths(), kRows)); }

  void score_rows(Lines& lines, const std::vector<std::vector<std::int64_t>>& rows) {
    std::vector<ScoreWriter> writers;
    for (const std::vector<std::int64_t>& row : rows) writers.emplace_back(lines, row);
    LineRows windows(lines.ids(), lines.starts(), rows, policy, kStepsOfRows);
    NetworkState state(inference.config(), std::ssize(rows));
    std::optional<NgramRows> ngram = ngram_rows();
    for (bool first = true; windows.next(window); first = false) {
      begin_with(first ? condition : std::nullopt, window);
      if (window.B < state.B) state = first_rows(inference.config(), state, window.B);
      inference.forward(window, state);
      write_predictions(writers, ngram);
      report(lines);
    }
  }

  // Each line from the state of the label, lines of about equal length side by side.
  void score_given(Lines& lines) {
    std::vector<std::int64_t> order(lines.lengths().size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::ranges::stable_sort(order, std::ranges::greater(), [&](std::int64_t line) { return lines.length(line); });
    for (std::span<const std::int64_t> rest = order; !rest.empty();) {
      const auto group = rest.first(std::min<std::size_t>(rest.size(), kRows));
      std::vector<std::vector<std::int64_t>> rows;
      for (const std::int64_t line : group) rows.push_back({line});
      score_rows(lines, rows);
      rest = rest.subspan(group.size());
    }
  }

  // Each line from the state after the one before.
  void score_on(Lines& lines) {
    std::vector<ScoreWriter> writers{writer_of_all(lines)};
    std::optional<NgramRows> ngram = ngram_rows();
    for (std::span<const std::int32_t> rest = lines.ids(); !rest.empty();) {
      const auto next = rest.first(std::min<std::size_t>(rest.size(), kSequenceSteps));
      set_sequence(steps, next, window);
      inference.forward(window, carried);
      write_predictions(writers, ngram);
      report(lines);
      rest = rest.subspan(next.size());
    }
  }

  // Lines in order, as the text that the model is adapted to.
  void score_in_order(Lines& lines) {
    ScoreWriter writer = writer_of_all(lines);
    std::span<const std::int32_t> rest = lines.ids();
    while (!rest.empty()) {
      const auto next = rest.first(std::min<std::size_t>(rest.size(), kSequenceSteps));
      predictions.clear();
      adapted->predict(next, detail(), predictions);
      for (const SymbolPrediction& prediction : predictions) writer.take(prediction);
      report(lines);
      rest = rest.subspan(next.size());
    }
  }

  [[nodiscard]] Detail detail() const {
    return options.tokens && options.ranks ? Detail::kRankAndEntropy : Detail::kLogProb;
  }

  // Every line closes with the boundary, so the n-grams' state at each call of score() is that at the start of a line.
  [[nodiscard]] std::optional<NgramRows> ngram_rows() const {
    return mixture ? std::optional<NgramRows>(*mixture) : std::nullopt;
  }

  void predict(Detail wanted, NgramRows* ngram) {
    predictions.resize(window.targets.size());
    predict_window(inference.network, inference.weights, window,
                   {.temperature = options.adaptation.temperature, .detail = wanted, .ngram = ngram}, predictions);
  }

  void write_predictions(std::vector<ScoreWriter>& writers, std::optional<NgramRows>& ngram) {
    predict(detail(), ngram ? &*ngram : nullptr);
    const auto rows = static_cast<std::size_t>(window.B);
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      writers[i % rows].take(predictions[i]);
    }
  }

  void report(const Lines& lines) const {
    if (options.progress) options.progress(lines.taken(), std::ssize(lines.ids()));
  }

  void require_symbol(std::int32_t id) const {
    if (id < 0 || id >= tokenizer().size()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("symbol {} does not exist: expected 0 to {}", id, tokenizer().size() - 1));
    }
  }

  // Whether the first symbol after `state` is given.
  [[nodiscard]] bool awaits_given(const State& state) const {
    return policy.begin == BeginPolicy::kNone && state.input == kNoSymbol;
  }

  // Reads state.input; leaves the state after it in `single`. `target` is the symbol that is asked about next.
  void read(const State& state, std::int32_t target) {
    check(inference.config(), state);
    write_state(state, single);
    set_sequence(state.input, std::span(&target, 1), window);
    inference.forward(window, single);
  }

  ScorerOptions options;  // with what the model decides
  Inference inference;
  Reading policy;
  LineReading reading;
  std::optional<std::int32_t> condition;
  std::optional<NgramMixture> mixture;
  bool begun = false;    // lines were scored
  NetworkState carried;  // after the lines so far
  SequenceSteps steps;   // of the lines so far
  NetworkState single;   // of step() and next_log_probs()
  std::optional<AdaptiveStream> adapted;
  Window window;
  std::vector<SymbolPrediction> predictions;
};

namespace {

void expect_number(double log_prob) {
  if (std::isfinite(log_prob)) return;
  throw Error(ErrorCode::kNumeric,
              fmt::format("the prediction after a state is {}: the model's weights or the state overflowed", log_prob));
}

}  // namespace

Scorer::Scorer(Model model, const ScorerOptions& options) : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Scorer::~Scorer() = default;
Scorer::Scorer(Scorer&&) noexcept = default;
Scorer& Scorer::operator=(Scorer&&) noexcept = default;

void Scorer::keep(bool tokens, bool ranks) noexcept {
  impl_->options.tokens = tokens;
  impl_->options.ranks = ranks;
}

Score Scorer::score(std::string_view line) {
  return std::move(impl_->score(std::span<const std::string_view>(&line, 1), {}).front());
}

std::vector<Score> Scorer::score(std::span<const std::string> lines, const LineNames& names) {
  return impl_->score(lines, names);
}

std::vector<Score> Scorer::score(std::initializer_list<std::string_view> lines, const LineNames& names) {
  return impl_->score(std::span(lines.begin(), lines.size()), names);
}

State Scorer::initial_state() const {
  const Reading& policy = impl_->policy;
  State state = zero_state(impl_->inference.config(), policy.begin == BeginPolicy::kNone ? kNoSymbol : policy.boundary);
  if (impl_->condition) set_condition(impl_->inference.config(), impl_->inference.weights, *impl_->condition, state);
  return state;
}

double Scorer::step(State& state, std::int32_t token) {
  impl_->require_symbol(token);
  if (impl_->awaits_given(state)) {
    State after = state;
    after.input = token;
    check(impl_->inference.config(), after);
    state = std::move(after);
    return 0;
  }
  impl_->read(state, token);
  impl_->predict(Detail::kLogProb, nullptr);
  const double log_prob = impl_->predictions.front().log_prob;
  expect_number(log_prob);
  read_state(impl_->single, state);
  state.input = token;
  return log_prob;
}

std::vector<double> Scorer::next_log_probs(const State& state) {
  if (impl_->awaits_given(state)) {
    throw Error(ErrorCode::kUsage,
                "nothing was read yet, and with `begin` none the first symbol is not predicted: step() to it first");
  }
  impl_->read(state, state.input);
  std::vector<float> logits(static_cast<std::size_t>(impl_->tokenizer().size()));
  impl_->inference.network.logits(impl_->inference.weights, 0, logits);
  apply_temperature(impl_->options.adaptation.temperature, logits);
  std::vector<double> result(logits.size());
  log_softmax(logits, result);
  expect_number(result.front());
  return result;
}

}  // namespace unroll
