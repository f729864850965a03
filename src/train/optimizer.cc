#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "kernels/arrays.h"

namespace unroll {
namespace {
constexpr std::int64_t kTile = 1 << 14;  // floats; part of the definition of gradient_norm's sum

std::span<float> part(std::span<float> all, std::int64_t first, std::int64_t last) {
  return all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
}

void add_tiles(std::span<float> all, std::vector<std::span<const float>>& tiles) {
  const auto size = static_cast<std::int64_t>(all.size());
  for (std::int64_t first = 0; first < size; first += kTile) {
    tiles.emplace_back(part(all, first, std::min(size, first + kTile)));
  }
}

// One update, of any part of the parameters.
struct Update {
  const AdamStep& step;
  Moments& moments;
  Parameters& parameters;

  // Of the parameters from `offset` on that have the gradient g.
  void apply(std::span<const float> g, std::int64_t offset) const {
    const std::int64_t end = offset + static_cast<std::int64_t>(g.size());
    const std::span<float> w = part(parameters.all(), offset, end);
    if (moments.m) {
      adam_update(w, g, part(moments.m->all(), offset, end), part(moments.v->all(), offset, end), step);
    } else {
      sgd_update(w, g, step.scale, step.rate);
    }
  }
};

// The embedding is the first tensor, so its row `id` begins at id*E.
void update_embedding(Workers& workers, const EmbeddingGradient& gradient, const Update& update) {
  const MatView<float> encoder = update.parameters.encoder();
  const std::int64_t E = encoder.cols;
  const std::int64_t rows_per_task = std::max<std::int64_t>(1, kTile / E);
  if (!update.moments.m) {
    const std::span<const std::int32_t> ids = gradient.ids();
    workers.run_ranges(gradient.rows().rows, rows_per_task, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t slot = first; slot < last; ++slot) {
        const std::int64_t id = ids[static_cast<std::size_t>(slot)];
        update.apply(gradient.row(id), id * E);
      }
    });
    return;
  }
  const std::vector<float> zeros(static_cast<std::size_t>(E));
  workers.run_ranges(encoder.rows, rows_per_task, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t id = first; id < last; ++id) {
      const std::span<const float> row = gradient.row(id);
      update.apply(row.empty() ? zeros : row, id * E);
    }
  });
}
}  // namespace

double gradient_norm(Workers& workers, const Gradients& gradients) {
  std::vector<std::span<const float>> tiles;
  add_tiles(gradients.dense(), tiles);
  if (gradients.embedding()) add_tiles(gradients.embedding()->rows().flat(), tiles);
  std::vector<double> sums(tiles.size());
  workers.run(static_cast<std::int64_t>(tiles.size()), [&](std::int64_t task) {
    const auto tile = static_cast<std::size_t>(task);
    sums[tile] = sum_of_squares(tiles[tile]);
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

Moments::Moments(Optimizer optimizer, const NetworkConfig& config) {
  switch (optimizer) {
    case Optimizer::kSgd:
      return;
    case Optimizer::kAdam:
      m.emplace(config);
      v.emplace(config);
      return;
  }
}

void Moments::set_zero() {
  if (m) m->set_zero();
  if (v) v->set_zero();
}

void update_parameters(Workers& workers, const Gradients& gradients, double scale, double rate, std::int64_t step,
                       Moments& moments, Parameters& parameters) {
  AdamStep adam{.scale = static_cast<float>(scale), .rate = static_cast<float>(rate)};
  const auto steps = static_cast<double>(step);
  adam.correction1 = static_cast<float>(1 / (1 - std::pow(static_cast<double>(adam.beta1), steps)));
  adam.correction2 = static_cast<float>(1 / (1 - std::pow(static_cast<double>(adam.beta2), steps)));
  const Update update{adam, moments, parameters};
  const std::span<float> dense = gradients.dense();
  workers.run_ranges(static_cast<std::int64_t>(dense.size()), kTile, [&](std::int64_t first, std::int64_t last) {
    update.apply(part(dense, first, last), gradients.dense_offset() + first);
  });
  if (gradients.embedding()) update_embedding(workers, *gradients.embedding(), update);
}

}  // namespace unroll
