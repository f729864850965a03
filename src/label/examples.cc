#include "label/examples.h"

#include <algorithm>

namespace unroll {
namespace {

template <class T>
void cut(std::vector<T>& list, std::size_t size) {
  list.resize(std::min(list.size(), size));
}

}  // namespace

Examples first_examples(const Examples& all, std::size_t count, const NetworkConfig& config) {
  Examples some = all;
  cut(some.starts, count + 1);
  const auto steps = static_cast<std::size_t>(some.steps());
  const std::size_t answers = config.outputs > 0 && config.readout == Readout::kSteps ? steps : count;
  const auto K = static_cast<std::size_t>(config.outputs);
  cut(some.ids, steps);
  cut(some.forms, steps);
  cut(some.numbers, steps * static_cast<std::size_t>(config.embed));
  cut(some.labels, answers);
  cut(some.sets, answers * K);
  cut(some.wanted, answers * K);
  cut(some.weights, count);
  return some;
}

}  // namespace unroll
