#include "unroll/generator.h"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "infer/condition.h"
#include "infer/inference.h"
#include "infer/sequence.h"
#include "write/prompt.h"
#include "write/sampler.h"
#include "write/written_text.h"

namespace unroll {

struct Generator::Impl {
  Impl(Model model, const GeneratorOptions& given)
      : options(given),
        inference(std::move(model), options.threads, kSequenceSteps, 1),
        begin(begin_of(inference.model, options.begin)),
        condition(condition_of(inference.model, options.label)),
        state(inference.config(), 1),
        sampler(tokenizer().size(), tokenizer().unknown()),
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

  void read_prompt() {
    state.set_zero();
    starts = true;
    SequenceRow row(prompt.reads.front(), std::span<const std::int32_t>(prompt.reads).subspan(1));
    while (row.next(window)) run();
    read(row.input());
  }

  void start(std::string_view prompt_text, std::int64_t length) {
    check_length(length);
    prompt = prompt_of(tokenizer(), begin, prompt_text);
    text.emplace(tokenizer(), WritingPlan{.options = options,
                                          .length = length,
                                          .copy = calls++,
                                          .previous = prompt.last,
                                          .prompt_ends_in_space = prompt.ends_in_space,
                                          .ends_at_boundary = condition.has_value()});
    begun = false;
    finish = text->finish();
  }

  std::optional<std::string> next() {
    std::string piece;
    while (piece.empty() && text && !finish) write_symbol(piece);
    return piece.empty() ? std::nullopt : std::optional(std::move(piece));
  }

  void write_symbol(std::string& piece) {
    if (begun) {
      read(text->previous());
    } else {
      read_prompt();
    }
    inference.network.logits(inference.weights, window.T - 1, logits);
    text->write(logits, sampler, piece);
    begun = true;
    finish = text->finish();
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
  Prompt prompt;
  std::optional<WrittenText> text;  // none: none was started
  bool begun = false;               // its prompt was read
  std::optional<Finish> finish;
};

namespace {

Model checked(Model model, const GeneratorOptions& options) {
  check(options, model.tokenizer());
  return model;
}

}  // namespace

Generator::Generator(Model model, const GeneratorOptions& options)
    : impl_(std::make_unique<Impl>(checked(std::move(model), options), options)) {}
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
    impl_->finish = Finish::kReader;
  }
  return *impl_->finish;
}

}  // namespace unroll
