#include "unroll/look/answer_gradients.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "label/chains.h"
#include "label/probabilities.h"
#include "look/layer_back.h"
#include "look/unrolled_data.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr float kImpossible = -1e30F;  // a score whose exponential is zero

// Rows of doubles, of the steps of a text.
struct StepRows {
  std::int64_t columns = 0;
  std::vector<double> values = {};

  void clear(std::int64_t steps, std::int64_t width) {
    columns = width;
    values.assign(static_cast<std::size_t>(steps * width), 0.0);
  }
  [[nodiscard]] std::span<double> row(std::int64_t i) {
    return std::span(values).subspan(static_cast<std::size_t>(i * columns), static_cast<std::size_t>(columns));
  }
  [[nodiscard]] std::span<const double> row(std::int64_t i) const {
    return std::span(values).subspan(static_cast<std::size_t>(i * columns), static_cast<std::size_t>(columns));
  }
};

void add_row(std::span<const double> x, std::span<double> y) {
  for (std::size_t j = 0; j < x.size(); ++j) y[j] += x[j];
}

std::int32_t most_probable(std::span<const double> p) {
  return static_cast<std::int32_t>(std::ranges::max_element(p) - p.begin());
}

void expect_below(const char* field, std::int64_t value, std::int64_t end) {
  if (value >= 0 && value < end) return;
  throw Error(ErrorCode::kUsage, fmt::format("`{}` is {}: expected 0 to {}", field, value, end - 1), field);
}

}  // namespace

struct AnswerGradients::Impl {
  explicit Impl(UnrolledText::Data& of) : text(of), unused(of.config(), of.window.T) {
    if (text.labels.texts.empty()) {
      throw Error(ErrorCode::kUsage, fmt::format("the model's task is {}: expected a classifier or a tagger, whose "
                                                 "answers have gradients",
                                                 task_name(text.model.task().kind)));
    }
    for (std::int64_t l = 0; l < std::ssize(text.network.tapes()); ++l) layers.emplace_back(text, l);
    h.resize(layers.size());
    c.resize(layers.size());
  }

  void take(const AskedAnswer& answer) {
    expect_below("text", answer.text, std::ssize(text.labels.texts));
    here = text.labels.texts[static_cast<std::size_t>(answer.text)];
    const auto K = static_cast<std::int64_t>(text.model.task().labels.size());
    if (answer.label != -1) expect_below("label", answer.label, K);
    const MatView<const float> given = text.network.scores(text.weights);
    std::vector<float> scores(given.flat().begin(), given.flat().end());
    const MatView<float> y(scores.data(), given.rows, given.cols);
    std::vector<float> gradient(scores.size());
    const MatView<float> dscores(gradient.data(), y.rows, y.cols);
    if (text.config().readout == Readout::kSteps) {
      expect_below("word", answer.word, here.steps);
      set_tag_gradient(answer, y, dscores);
    } else {
      set_class_gradient(answer, y, dscores);
    }
    go_back(text.network.output_gradients(text.weights, text.window, dscores, unused));
  }

  void set_class_gradient(const AskedAnswer& answer, MatView<const float> y, MatView<float> dscores) {
    const Task& task = text.model.task();
    const std::span<const float> scores(y.row(answer.text), static_cast<std::size_t>(y.cols));
    const ClassifiedText said = probabilities_of(task, scores);
    label = answer.label >= 0 ? answer.label : most_probable(said.probabilities);
    probability = said.probabilities[static_cast<std::size_t>(label)];
    for (std::int32_t k = 0; k < y.cols; ++k) {
      if (task.multi_label && k != label) continue;
      const double p = said.probabilities[static_cast<std::size_t>(k)];
      // 1 - p of the label as the sum of the others: p may be 1 in double.
      dscores(answer.text, k) = static_cast<float>((k == label ? -without(said, label) : p) / task.temperature);
    }
  }

  [[nodiscard]] double without(const ClassifiedText& said, std::int32_t k) const {
    if (text.model.task().multi_label) return std::exp(said.log_complements[static_cast<std::size_t>(k)]);
    double sum = 0;
    for (std::size_t j = 0; j < said.probabilities.size(); ++j) {
      sum += j == static_cast<std::size_t>(k) ? 0 : said.probabilities[j];
    }
    return sum;
  }

  // ln p of a tag is ln of the sum over all sequences that have it there, less ln of that over all: the gradient of
  // each with respect to a score is the probability of its tag in those sequences.
  void set_tag_gradient(const AskedAnswer& answer, MatView<float> y, MatView<float> dscores) {
    const auto at = static_cast<std::size_t>(here.first + answer.word);
    const std::int64_t row = text.labels.rows[at];
    const std::vector<double> all = marginals(answer.text, y);
    const std::span<const double> there =
        std::span(all).subspan(static_cast<std::size_t>(row * y.cols), static_cast<std::size_t>(y.cols));
    label = answer.label >= 0 ? answer.label : most_probable(there);
    probability = there[static_cast<std::size_t>(label)];
    for (std::int32_t k = 0; k < y.cols; ++k) {
      if (k != label) y(row, k) = kImpossible;
    }
    const std::vector<double> having = marginals(answer.text, y);
    for (std::int64_t t = here.first; t < here.first + here.steps; ++t) {
      const std::int64_t of_step = text.labels.rows[static_cast<std::size_t>(t)];
      if (text.config().loss != Loss::kCrf && of_step != row) continue;  // tags do not depend on each other
      for (std::int64_t k = 0; k < y.cols; ++k) {
        const auto i = static_cast<std::size_t>(of_step * y.cols + k);
        dscores(of_step, k) = static_cast<float>(all[i] - having[i]);
      }
    }
  }

  [[nodiscard]] std::vector<double> marginals(std::int64_t r, MatView<const float> y) {
    const ReadyWeights ready{.config = text.config(), .weights = text.weights, .workers = text.workers};
    const ChainTables tables(ready);
    const CrfShape shape{.B = text.window.B,
                         .K = y.cols,
                         .pieces = text.window.pieces,
                         .texts = std::span(text.window.texts).subspan(static_cast<std::size_t>(r), 1)};
    std::vector<double> probabilities(static_cast<std::size_t>(y.size()));
    CrfTape tape;
    crf_marginals(text.workers, shape, tables.params(), y, tape, {probabilities.data(), y.rows, y.cols});
    return probabilities;
  }

  // Level by level from the last one; dtop is the gradient of its outputs, by rows of the window.
  void go_back(MatView<const float> dtop) {
    StepRows dy;
    dy.clear(here.steps, dtop.cols);
    for (std::int64_t i = 0; i < here.steps; ++i) {
      const float* const from = dtop.row(text.row(here.first + i));
      std::copy_n(from, dtop.cols, dy.row(i).begin());
    }
    const std::int64_t directions_of_level = directions(text.config());
    for (std::int64_t level = text.config().layers - 1; level >= 0; --level) {
      dx.clear(here.steps, level_inputs(text.config(), level));
      if (text.config().residual && level > 0) dx.values = dy.values;
      for (std::int64_t d = 0; d < directions_of_level; ++d) layer_back(level * directions_of_level + d, d, dy);
      dy = dx;
    }
  }

  void layer_back(std::int64_t l, std::int64_t direction, StepRows& dy) {
    const auto at = static_cast<std::size_t>(l);
    const auto H = static_cast<std::size_t>(text.config().hidden);
    LayerBack& back = layers[at];
    h[at].clear(here.steps, text.config().hidden);
    c[at].clear(here.steps, has_cell_state(text.config().cell) ? text.config().hidden : 0);
    std::vector<std::pair<std::int64_t, std::int64_t>> rows;  // of the tape, and their steps
    for (std::int64_t i = 0; i < here.steps; ++i) rows.emplace_back(text.row(l, here.first + i), i);
    std::ranges::sort(rows, std::ranges::greater());
    for (const auto& [row, i] : rows) {
      back.back(row, dy.row(i).subspan(static_cast<std::size_t>(direction) * H, H));
      std::ranges::copy(back.h(), h[at].row(i).begin());
      std::ranges::copy(back.c(), c[at].row(i).begin());
      add_row(back.x(), dx.row(i));
    }
  }

  UnrolledText::Data& text;
  Gradients unused;
  std::vector<LayerBack> layers;
  TextOfSteps here;
  std::int32_t label = -1;
  double probability = 0;
  StepRows dx;  // of the level that was last gone through: in the end of the first
  std::vector<StepRows> h, c;
};

AnswerGradients::AnswerGradients(const UnrolledText& text) : impl_(std::make_unique<Impl>(text.data())) {}
AnswerGradients::~AnswerGradients() = default;
AnswerGradients::AnswerGradients(AnswerGradients&&) noexcept = default;
AnswerGradients& AnswerGradients::operator=(AnswerGradients&&) noexcept = default;

void AnswerGradients::take(const AskedAnswer& answer) { impl_->take(answer); }
std::int32_t AnswerGradients::label() const noexcept { return impl_->label; }
double AnswerGradients::probability() const noexcept { return impl_->probability; }
std::int64_t AnswerGradients::first() const noexcept { return impl_->here.first; }
std::int64_t AnswerGradients::end() const noexcept { return impl_->here.first + impl_->here.steps; }
std::span<const double> AnswerGradients::x(std::int64_t t) const { return impl_->dx.row(t - first()); }
std::span<const double> AnswerGradients::h(std::int64_t l, std::int64_t t) const {
  return impl_->h.at(static_cast<std::size_t>(l)).row(t - first());
}
std::span<const double> AnswerGradients::c(std::int64_t l, std::int64_t t) const {
  return impl_->c.at(static_cast<std::size_t>(l)).row(t - first());
}

double norm(std::span<const double> vector) noexcept {
  double largest = 0;
  for (const double value : vector) largest = std::max(largest, std::abs(value));
  if (!(largest > 0)) return 0;
  double sum = 0;
  for (const double value : vector) sum += value / largest * (value / largest);
  return largest * std::sqrt(sum);
}

}  // namespace unroll
