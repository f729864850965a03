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
};

Generator::Generator(Model model, const GeneratorOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), checked(options))) {}
Generator::~Generator() = default;
Generator::Generator(Generator&&) noexcept = default;
Generator& Generator::operator=(Generator&&) noexcept = default;

Finish Generator::write(std::string_view prompt, std::int64_t length,
                        const std::function<bool(std::string_view)>& write) {
  if (length < 0) throw Error(ErrorCode::kUsage, fmt::format("`length` is {}: expected 0 or above", length), "length");
  const Tokenizer& tokenizer = impl_->tokenizer();
  const std::vector<std::int32_t> ids = encode_prompt(tokenizer, prompt);
  if (ids.empty() && impl_->begin == BeginPolicy::kNone) {
    throw Error(ErrorCode::kInput,
                "the prompt is empty, and nothing is read before the text (`begin` none): the first symbol has to be "
                "given; write a prompt of one symbol or more",
                "prompt");
  }
  const std::uint32_t call = impl_->calls++;
  TextStream stream(impl_->options.stop, write);
  StreamState stream_state = StreamState::kOpen;
  std::int32_t previous = ids.empty() ? -1 : ids.back();
  for (std::int64_t position = 0; position < length && stream_state == StreamState::kOpen; ++position) {
    if (position == 0) {
      impl_->read_prompt(ids);
    } else {
      impl_->read(previous);
    }
    const std::int32_t id = impl_->draw(call, position);
    if (impl_->condition && id == tokenizer.boundary()) {
      stream_state = stream.finish();
      return stream_state == StreamState::kClosedByReader ? Finish::kReader : Finish::kEnd;
    }
    std::string piece = tokenizer.written(previous, id);
    // The prompt ends with the space already.
    if (position == 0 && piece.size() > 1 && piece.front() == ' ' && ends_in_white_space(prompt)) piece.erase(0, 1);
    stream_state = stream.append(piece);
    previous = id;
  }
  if (stream_state == StreamState::kStopped) return Finish::kStop;
  if (stream_state == StreamState::kOpen) stream_state = stream.finish();
  return stream_state == StreamState::kClosedByReader ? Finish::kReader : Finish::kLength;
}

}  // namespace unroll
