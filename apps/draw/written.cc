#include "draw/written.h"

#include <fmt/format.h>

#include <utility>

#include "draw/subject.h"

namespace unroll {

std::vector<std::vector<SymbolReport>> written_texts(const PictureRequest& request, std::int64_t count,
                                                     std::int64_t length) {
  Engine engine(request.models.at(0).model, {.threads = request.threads, .cache_bytes = 0});
  const PictureOptions& options = request.options;
  for (std::int64_t i = 0; i < count; ++i) {
    engine.add({.prompt = options.prompt,
                .length = length,
                .options = {.temperature = options.temperature,
                            .top_k = options.top_k.value_or(0),
                            .top_p = options.top_p,
                            .min_p = options.min_p,
                            .seed = static_cast<std::uint64_t>(options.seed.value_or(1)),
                            .label = request.label},
                .copy = static_cast<std::uint32_t>(i),
                .symbols = {.written = true, .shares = true}});
  }
  std::vector<std::vector<SymbolReport>> texts(static_cast<std::size_t>(count));
  while (!engine.idle()) {
    check_wanted(request);
    for (TextEvent& event : engine.step()) {
      if (event.error) throw Error(*event.error);
      std::vector<SymbolReport>& text = texts.at(static_cast<std::size_t>(event.text - 1));
      for (SymbolReport& symbol : event.symbols) {
        if (!text.empty()) text.back().shares = {};
        text.push_back(std::move(symbol));
      }
    }
  }
  return texts;
}

std::string sampling_words(const PictureOptions& options) {
  std::string words = fmt::format("temperature {}", options.temperature);
  if (options.top_k.value_or(0) > 0) words += fmt::format(", top-k {}", *options.top_k);
  if (options.top_p < 1) words += fmt::format(", top-p {}", options.top_p);
  if (options.min_p > 0) words += fmt::format(", min-p {}", options.min_p);
  return words;
}

}  // namespace unroll
