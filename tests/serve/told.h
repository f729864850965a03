// What engines tell about texts, for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "unroll/engine.h"

namespace unroll {

// What an engine told about a text.
struct Told {
  std::string text;
  std::vector<SymbolReport> symbols;
  std::optional<Finish> finish;
  std::optional<Error> error;
};

inline void collect(const std::vector<TextEvent>& events, std::map<std::int64_t, Told>& told) {
  for (const TextEvent& event : events) {
    Told& text = told[event.text];
    EXPECT_FALSE(text.finish || text.error) << "an event after the last one of text " << event.text;
    text.text += event.piece;
    text.symbols.insert(text.symbols.end(), event.symbols.begin(), event.symbols.end());
    text.finish = event.finish;
    text.error = event.error;
  }
}

inline std::map<std::int64_t, Told> run(Engine& engine) {
  std::map<std::int64_t, Told> told;
  while (!engine.idle()) collect(engine.step(), told);
  return told;
}

// A text by itself, in an engine of its own.
inline Told alone(const Model& model, const TextRequest& request, const EngineOptions& options = {}) {
  Engine engine(model, options);
  const std::int64_t number = engine.add(request);
  return run(engine).at(number);
}

// Requests that differ in everything; prompt_of(i) is the prompt of number i.
template <class PromptOf>
std::vector<TextRequest> many_requests(std::size_t count, const PromptOf& prompt_of) {
  std::vector<TextRequest> requests;
  for (std::size_t i = 0; i < count; ++i) {
    TextRequest& request = requests.emplace_back();
    request.prompt = prompt_of(i);
    request.length = static_cast<std::int64_t>(i * 7 % 41);
    request.options.temperature = i % 5 == 0 ? 0 : 0.5 + 0.1 * static_cast<double>(i % 9);
    request.options.top_k = i % 3 == 0 ? 0 : static_cast<std::int64_t>(2 + i % 6);
    request.options.top_p = i % 4 == 0 ? 0.8 : 1;
    request.options.min_p = i % 7 == 0 ? 0.1 : 0;
    request.options.frequency_penalty = i % 6 == 0 ? 0.7 : 0;
    if (i % 8 == 1) request.options.logit_bias = {{.id = 2, .bias = 1.5}};
    if (i % 10 == 3) request.options.stop = "b";
    request.options.seed = i % 13;
    request.copy = static_cast<std::uint32_t>(i % 3);
  }
  return requests;
}

// Writes all requests in one engine, which a few of them enter at each step.
inline std::vector<Told> written_together(const Model& model, const std::vector<TextRequest>& requests,
                                          const EngineOptions& options) {
  Engine engine(model, options);
  std::map<std::int64_t, Told> told;
  std::vector<std::int64_t> numbers;
  while (numbers.size() < requests.size() || !engine.idle()) {
    for (int i = 0; i < 5 && numbers.size() < requests.size(); ++i) {
      numbers.push_back(engine.add(requests[numbers.size()]));
    }
    collect(engine.step(), told);
  }
  std::vector<Told> results;
  for (const std::int64_t number : numbers) results.push_back(told.at(number));
  return results;
}

}  // namespace unroll
