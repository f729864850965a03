#include "unroll/generator.h"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "base/philox.h"
#include "infer/condition.h"
#include "infer/inference.h"
#include "infer/sequence.h"
#include "unroll/error.h"
#include "write/prompt.h"
#include "write/sampler.h"
#include "write/text_stream.h"

namespace unroll {
namespace {

const GeneratorOptions& checked(const GeneratorOptions& options) {
  check(SamplerOptions{options.temperature, options.top_k, options.top_p, options.min_p});
  return options;
}

// A number in [0, 1) for each call and position.
double random_number(std::uint64_t seed, std::uint32_t call, std::int64_t position) {
  const auto words = random_words(seed, static_cast<std::uint32_t>(position), RandomPurpose::kSampling, call & 0xFFFFU,
                                  call >> 16, static_cast<std::uint32_t>(position >> 32));
  return uniform_double(words[0], words[1]);
}

// `begin`, which a vocabulary without a boundary may not have as kBoundary.
BeginPolicy begin_of(const Tokenizer& tokenizer, BeginPolicy begin) {
  return reading_of(tokenizer, StatePolicy::kReset, begin).begin;
}

bool ends_in_white_space(std::string_view text) {
  return !text.empty() && std::string_view(" \t\n\v\f\r").find(text.back()) != std::string_view::npos;
}

// A text that is being written.
struct WrittenText {
  std::int32_t previous = -1;  // the last symbol so far; -1: none
  std::vector<std::int32_t> prompt = {};
  bool prompt_ends_in_space = false;
  std::int64_t length = 0;
  std::uint32_t call = 0;
  std::int64_t position = 0;
};

}  // namespace

struct Generator::Impl {
  Impl(Model model, const GeneratorOptions& checked_options)
      : options(checked_options),
        inference(std::move(model), options.threads, kSequenceSteps, 1),
        begin(begin_of(tokenizer(), options.begin.value_or(inference.model.begin_policy()))),
        condition(condition_of(inference.model, options.label)),
        state(inference.config(), 1),
        sampler({options.temperature, options.top_k, options.top_p, options.min_p}, tokenizer().size(),
                tokenizer().unknown()),
        logits(static_cast<std::size_t>(tokenizer().size())) {}

  [[nodiscard]] const Tokenizer& tokenizer() const { return inference.tokenizer(); }

  void read(std::int32_t symbol) {
    set_sequence(symbol, std::span(&symbol, 1), window);
    run();
  }

  // Runs the window; the first one after the state was set to zero begins with the label.
  void run() {
    begin_with(starts ? condition : std::nullopt, window);
    starts = false;
    inference.forward(window, state);
  }

  void read_prompt(std::span<const std::int32_t> ids) {
    state.set_zero();
    starts = true;
    const bool given = begin == BeginPolicy::kNone;
    SequenceRow row(given ? ids.front() : tokenizer().boundary(), given ? ids.subspan(1) : ids);
    while (row.next(window)) run();
    read(row.input());
  }

  void start(std::string_view prompt, std::int64_t length) {
    if (length < 0) {
      throw Error(ErrorCode::kUsage, fmt::format("`length` is {}: expected 0 or above", length), "length");
    }
    std::vector<std::int32_t> ids = encode_prompt(tokenizer(), prompt);
    if (ids.empty() && begin == BeginPolicy::kNone) {
      throw Error(ErrorCode::kInput,
                  "the prompt is empty, and nothing is read before the text (`begin` none): the first symbol has to be "
                  "given; write a prompt of one symbol or more",
                  "prompt");
    }
    text = {.previous = ids.empty() ? -1 : ids.back(),
            .prompt = std::move(ids),
            .prompt_ends_in_space = ends_in_white_space(prompt),
            .length = length,
            .call = calls++};
    ready.clear();
    finish.reset();
    stream.emplace(options.stop, [this](std::string_view piece) {
      ready += piece;
      return true;
    });
  }

  std::optional<std::string> next() {
    while (ready.empty() && stream) write_symbol();
    return ready.empty() ? std::nullopt : std::optional(std::exchange(ready, {}));
  }

  void write_symbol() {
    if (text.position == text.length) return end_with_rest(Finish::kLength);
    if (text.position == 0) {
      read_prompt(text.prompt);
    } else {
      read(text.previous);
    }
    const std::int32_t id = draw(text.call, text.position);
    if (condition && id == tokenizer().boundary()) return end_with_rest(Finish::kEnd);
    std::string piece = tokenizer().written(text.previous, id);
    // The prompt ends with the space already.
    const bool is_doubled = text.position == 0 && text.prompt_ends_in_space;
    if (is_doubled && piece.size() > 1 && piece.front() == ' ') piece.erase(0, 1);
    if (stream->append(piece) == StreamState::kStopped) return end(Finish::kStop);
    text.previous = id;
    ++text.position;
  }

  void end_with_rest(Finish how) {
    stream->finish();
    end(how);
  }

  void end(Finish how) {
    finish = how;
    stream.reset();
  }

  // The symbol at `position` of the text that call number `call` writes.
  std::int32_t draw(std::uint32_t call, std::int64_t position) {
    inference.network.logits(inference.weights, window.T - 1, logits);
    return sampler.sample(logits, random_number(options.seed, call, position));
  }

  GeneratorOptions options;
  Inference inference;
  BeginPolicy begin;
  std::optional<std::int32_t> condition;
  NetworkState state;
  Sampler sampler;
  std::vector<float> logits;
  Window window;
  bool starts = true;  // nothing was read yet
  std::uint32_t calls = 0;
  WrittenText text;
  std::optional<TextStream> stream;  // none: no text is being written
  std::string ready;                 // that the stream let through
  std::optional<Finish> finish;
};

Generator::Generator(Model model, const GeneratorOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), checked(options))) {}
Generator::~Generator() = default;
Generator::Generator(Generator&&) noexcept = default;
Generator& Generator::operator=(Generator&&) noexcept = default;

void Generator::start(std::string_view prompt, std::int64_t length) { impl_->start(prompt, length); }

std::optional<std::string> Generator::next() { return impl_->next(); }

std::optional<Finish> Generator::finish() const noexcept { return impl_->finish; }

Finish Generator::write(std::string_view prompt, std::int64_t length,
                        const std::function<bool(std::string_view)>& write) {
  start(prompt, length);
  while (const std::optional<std::string> piece = next()) {
    if (write(*piece)) continue;
    impl_->end(Finish::kReader);
  }
  return *impl_->finish;
}

}  // namespace unroll
