#include "cli/streams/training_samples.h"

#include <fmt/core.h>

#include <string_view>

#include "unroll/error.h"
#include "unroll/generator.h"

namespace unroll {
namespace {

std::int64_t sample_length(const Tokenizer& tokenizer) {
  constexpr std::int64_t kCharacters = 200;
  constexpr std::int64_t kWords = 50;
  const TokenizerKind kind = tokenizer.kind();
  return kind == TokenizerKind::kChar || kind == TokenizerKind::kByte ? kCharacters : kWords;
}

Generator generator_of(const Model& model, const SampleRequest& request) {
  GeneratorOptions options;
  options.label = request.label;
  if (options.label.empty() && model.task().kind == TaskKind::kConditional) options.label = model.task().labels.front();
  return Generator(model, options);
}

void try_prompt(const Model& model, const SampleRequest& request) {
  try {
    generator_of(model, request).start(request.prompt, 1);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("cannot write samples: {}", error.what()), error.field());
  }
}

}  // namespace

std::string sample_of(const Model& model, const SampleRequest& request) {
  std::string sample = request.prompt;
  generator_of(model, request).write(request.prompt, sample_length(model.tokenizer()), [&](std::string_view piece) {
    sample += piece;
    return true;
  });
  return sample;
}

std::optional<std::string> TrainingSamples::after(std::int64_t step, const std::function<Model()>& present) {
  if (request_.every == 0) return std::nullopt;
  if (!begun_) {
    begun_ = true;
    try_prompt(present(), request_);
  } else if (step % request_.every == 0) {
    return sample_of(present(), request_);
  }
  return std::nullopt;
}

}  // namespace unroll
