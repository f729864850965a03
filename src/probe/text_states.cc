#include "unroll/probe/text_states.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "infer/condition.h"
#include "infer/inference.h"
#include "infer/line_rows.h"
#include "infer/state_rows.h"
#include "label/answers.h"
#include "label/chains.h"
#include "probe/row_sink.h"
#include "probe/text_reader.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Windows of lines side by side.
constexpr std::int64_t kLineRows = 64;
constexpr std::int64_t kLineSteps = 32;

// Numbers of the states that are held at once.
constexpr std::int64_t kMostNumbers = std::int64_t{1} << 23;

std::int64_t layer_of(const Model& model, const TextStatesOptions& options) {
  const std::int64_t layers = model.config().layers;
  const std::int64_t layer = options.layer.value_or(layers);
  if (layer >= 0 && layer <= layers) return layer;
  throw Error(ErrorCode::kUsage,
              fmt::format("`layer` is {}: expected 0, the embedding, to {}, the model's last layer", layer, layers),
              "layer");
}

bool has_readout(const NetworkConfig& config) { return config.outputs > 0 && config.readout != Readout::kSteps; }

// What makes one row of a text; kSteps: nothing does.
Readout readout_of(const Model& model, const TextStatesOptions& options) {
  const NetworkConfig& config = model.config();
  if (!options.per_text) {
    if (!options.readout) return Readout::kSteps;
    throw Error(ErrorCode::kUsage, "`readout` makes one row of a text: it does not go with a row per symbol",
                "readout");
  }
  const Readout readout = options.readout.value_or(has_readout(config) ? config.readout : Readout::kLast);
  if (readout == Readout::kSteps) {
    throw Error(ErrorCode::kUsage, "`readout` is steps: expected last, mean, max, concat or attention", "readout");
  }
  if (readout != Readout::kAttention) return readout;
  if (!has_readout(config) || config.readout != Readout::kAttention) {
    throw Error(ErrorCode::kUsage,
                "`readout` is attention, which the model did not learn: expected last, mean, max or "
                "concat",
                "readout");
  }
  if (layer_of(model, options) < config.layers) {
    throw Error(ErrorCode::kUsage,
                "`readout`: the model's attention is about its last layer: give last, mean, max or concat for a layer "
                "below",
                "readout");
  }
  return readout;
}

Model checked_text_model(Model model) {
  if (model.config().vocabulary > 0) return model;
  throw Error(ErrorCode::kUsage, "the model reads rows of numbers: expected a model of text");
}

}  // namespace

struct TextStates::Impl {
  Impl(Model the_model, const TextStatesOptions& options)
      : model(checked_text_model(std::move(the_model))),
        layer(layer_of(model, options)),
        readout(readout_of(model, options)),
        condition(condition_of(model, options.label)),
        policy(reading_of(model.tokenizer(), StatePolicy::kReset, model.begin_policy())),
        workers(options.threads),
        weights(packed_task_weights(model, workers)),
        reader(model) {
    if (!reads_as_language()) return;
    lines.emplace(config(), Purpose::kInference, kLineSteps, kLineRows, workers);
    lines->read_levels(level_reader());
  }

  [[nodiscard]] const NetworkConfig& config() const noexcept { return model.config(); }
  [[nodiscard]] bool reads_as_language() const noexcept { return reads_lines(config()); }
  [[nodiscard]] bool takes_vectors() const noexcept { return readout == Readout::kAttention; }

  // Numbers of a step.
  [[nodiscard]] std::int64_t width() const noexcept {
    return layer == 0 ? level_inputs(config(), 0) : level_outputs(config());
  }
  [[nodiscard]] std::int64_t columns() const noexcept {
    return readout == Readout::kSteps ? width() : readout_size(readout, width());
  }

  // Keeps the rows of the layer that is asked for.
  [[nodiscard]] LevelReader level_reader() {
    return [this](std::int64_t number, MatView<const float> rows) {
      if (number == layer) level.assign(rows.data, rows.data + rows.size());
    };
  }

  [[nodiscard]] std::span<const float> row(const std::vector<float>& matrix, std::size_t at) const {
    const auto D = static_cast<std::size_t>(width());
    return std::span(matrix).subspan(at * D, D);
  }

  template <class Text>
  void read(std::span<const Text> texts, const TextNames& given_names, const StateVisitor& visit) {
    const TextNames by_number = [](std::size_t index) { return fmt::format("text {}", index + 1); };
    const TextNames& names = given_names ? given_names : by_number;
    std::optional<TextPooling> pooling;
    if (readout != Readout::kSteps && !takes_vectors()) {
      const bool joined = config().bidirectional && layer > 0;
      pooling.emplace(readout, width(), joined ? width() / 2 : width());
    }
    RowSink sink(columns(), pooling, names, visit);
    const std::int64_t most_steps = std::max<std::int64_t>(1, kMostNumbers / width());
    examples = {};
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ReadText text = encode(texts[i], i, names, sink);
      if (text.steps >= most_steps) run(sink);
      sink.expect(std::move(text));
      reader.append(examples, [&] {
        if (examples.steps() >= most_steps) run(sink);
      });
    }
    run(sink);
  }

  template <class Text>
  ReadText encode(const Text& text, std::size_t index, const TextNames& names, RowSink& sink) {
    try {
      ReadText read = reader.read(text, names(index));
      read.text = index;
      return read;
    } catch (const Error& error) {
      run(sink);
      throw error.at(static_cast<std::int64_t>(index));
    }
  }

  // Runs the network over the examples, and leaves none.
  void run(RowSink& sink) {
    const Examples ready = std::exchange(examples, {});
    if (ready.count() == 0) return;
    if (!reads_as_language()) return run_texts(ready, sink);
    if (ready.count() == 1) return run_line(ready, sink);
    run_lines(ready, sink);
  }

  void run_texts(const Examples& ready, RowSink& sink) {
    const std::int64_t rows = takes_vectors() ? static_cast<std::int64_t>(ready.count()) : ready.steps();
    const auto D = static_cast<std::size_t>(width());
    held.resize(static_cast<std::size_t>(rows) * D);
    const auto place = [&](std::size_t at) { return held.begin() + static_cast<std::ptrdiff_t>(at * D); };
    const auto keep = [&](Network& network, const Window& read, std::span<const std::size_t> texts) {
      for (std::size_t r = 0; r < texts.size(); ++r) {
        if (takes_vectors()) {
          std::copy_n(network.outputs().row(static_cast<std::int64_t>(r)), D, place(texts[r]));
          continue;
        }
        auto step = static_cast<std::size_t>(ready.starts[texts[r]]);
        for_each_entry(read, read.texts[r],
                       [&](std::size_t entry) { std::ranges::copy(row(level, entry), place(step++)); });
      }
    };
    sweep_texts({config(), weights, workers}, ready, keep, {}, level_reader());
    for (std::size_t at = 0; at < static_cast<std::size_t>(rows); ++at) {
      takes_vectors() ? sink.take_vector(row(held, at)) : sink.take(row(held, at));
    }
  }

  // One line, which may be longer than what can be held.
  void run_line(const Examples& ready, RowSink& sink) {
    const std::size_t line = 0;
    run_group(ready, std::span(&line, 1), [&](std::size_t, std::span<const float> state) { sink.take(state); });
  }

  // Lines of about equal length side by side.
  void run_lines(const Examples& ready, RowSink& sink) {
    std::vector<std::size_t> order(ready.count());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t line) { return ready.length(line); });
    const auto D = static_cast<std::size_t>(width());
    held.resize(static_cast<std::size_t>(ready.steps()) * D);
    for (std::span<const std::size_t> rest = order; !rest.empty();) {
      const auto group = rest.first(std::min(rest.size(), static_cast<std::size_t>(kLineRows)));
      run_group(ready, group, [&](std::size_t step, std::span<const float> state) {
        std::ranges::copy(state, held.begin() + static_cast<std::ptrdiff_t>(step * D));
      });
      rest = rest.subspan(group.size());
    }
    for (std::size_t step = 0; step < static_cast<std::size_t>(ready.steps()); ++step) sink.take(row(held, step));
  }

  // Calls take(step of the examples, state) for each step of these lines, longest first; in order for each line.
  template <class Take>
  void run_group(const Examples& ready, std::span<const std::size_t> group, const Take& take) {
    std::vector<std::vector<std::int64_t>> rows;
    for (const std::size_t line : group) rows.push_back({static_cast<std::int64_t>(line)});
    LineRows windows(ready.ids, ready.starts, rows, policy, kLineSteps);
    NetworkState state(config(), std::ssize(rows));
    std::int64_t before = 0;  // steps of each line in earlier windows
    for (bool first = true; windows.next(window); first = false) {
      begin_with(first ? condition : std::nullopt, window);
      if (window.B < state.B) state = first_rows(config(), state, window.B);
      lines->forward(weights, window, state);
      for (std::int64_t b = 0; b < window.B; ++b) {
        const std::size_t line = group[static_cast<std::size_t>(b)];
        const std::int64_t steps = std::min(window.T, ready.length(line) - before);
        for (std::int64_t t = 0; t < steps; ++t) {
          take(static_cast<std::size_t>(ready.starts[line] + before + t),
               row(level, static_cast<std::size_t>(t * window.B + b)));
        }
      }
      before += window.T;
    }
  }

  Model model;
  std::int64_t layer;
  Readout readout;
  std::optional<std::int32_t> condition;
  Reading policy;
  Workers workers;
  NetworkWeights weights;
  TextReader reader;
  std::optional<Network> lines;  // of a language model
  Window window;
  Examples examples;         // that were not run yet
  std::vector<float> level;  // (T*B, width) of the last window
  std::vector<float> held;   // (steps, width) of the examples that run
};

TextStates::TextStates(Model model, const TextStatesOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), options)) {}
TextStates::~TextStates() = default;
TextStates::TextStates(TextStates&&) noexcept = default;
TextStates& TextStates::operator=(TextStates&&) noexcept = default;

std::int64_t TextStates::layer() const noexcept { return impl_->layer; }
std::int64_t TextStates::columns() const noexcept { return impl_->columns(); }
bool TextStates::reads_words() const noexcept { return impl_->reader.reads_words(); }
std::int64_t TextStates::cut_texts() const noexcept { return impl_->reader.cut_texts(); }

void TextStates::read(std::span<const std::string> texts, const TextNames& names, const StateVisitor& visit) {
  impl_->read(texts, names, visit);
}

void TextStates::read(std::span<const std::vector<std::string>> sentences, const TextNames& names,
                      const StateVisitor& visit) {
  impl_->read(sentences, names, visit);
}

}  // namespace unroll
