#include "draw/written.h"

#include <utility>

#include "draw/subject.h"

namespace unroll {

std::vector<std::vector<SymbolReport>> written_texts(const PictureRequest& request, std::int64_t count,
                                                     std::int64_t length, std::int64_t alternatives) {
  Engine engine(request.models.at(0).model, {.threads = request.threads, .cache_bytes = 0});
  const PictureOptions& options = request.options;
  for (std::int64_t i = 0; i < count; ++i) {
    engine.add({.prompt = options.prompt,
                .length = length,
                .options = {.temperature = options.temperature,
                            .seed = static_cast<std::uint64_t>(options.seed.value_or(1)),
                            .label = request.label},
                .copy = static_cast<std::uint32_t>(i),
                .symbols = {.written = true, .alternatives = alternatives}});
  }
  std::vector<std::vector<SymbolReport>> texts(static_cast<std::size_t>(count));
  while (!engine.idle()) {
    check_wanted(request);
    for (TextEvent& event : engine.step()) {
      if (event.error) throw Error(*event.error);
      std::vector<SymbolReport>& text = texts.at(static_cast<std::size_t>(event.text - 1));
      for (SymbolReport& symbol : event.symbols) text.push_back(std::move(symbol));
    }
  }
  return texts;
}

}  // namespace unroll
