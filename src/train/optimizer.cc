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
class Update {
 public:
  Update(const UpdateRule& rule, const UpdateStep& step, Moments& moments, Parameters& parameters, Parameters* average)
      : share_(static_cast<float>(step.average_share)),
        moments_(moments),
        parameters_(parameters),
        average_(step.average_share > 0 ? average : nullptr) {
    sgd_.scale = static_cast<float>(step.scale);
    sgd_.rate = static_cast<float>(step.rate);
    sgd_.momentum = static_cast<float>(rule.momentum);
    sgd_.weight_decay = static_cast<float>(rule.weight_decay);
    adam_ = {.scale = sgd_.scale, .rate = sgd_.rate, .weight_decay = sgd_.weight_decay};
    adam_.beta2 = static_cast<float>(rule.beta2);
    adam_.correction1 = correction(adam_.beta1, step.step);
    adam_.correction2 = correction(adam_.beta2, step.step);
  }

  // Whether nothing happens to parameters without a gradient.
  [[nodiscard]] bool rests_without_gradient() const noexcept {
    return !moments_.m && sgd_.weight_decay == 0 && average_ == nullptr;
  }

  // Of the parameters from `offset` on that have the gradient g.
  void apply(std::span<const float> g, std::int64_t offset, bool decays) const {
    const std::int64_t end = offset + static_cast<std::int64_t>(g.size());
    const std::span<float> w = part(parameters_.all(), offset, end);
    move(w, g, offset, decays);
    if (average_ != nullptr) move_towards(w, part(average_->all(), offset, end), share_);
  }

  [[nodiscard]] MatView<float> encoder() const noexcept { return parameters_.encoder(); }

 private:
  void move(std::span<float> w, std::span<const float> g, std::int64_t offset, bool decays) const {
    const std::int64_t end = offset + static_cast<std::int64_t>(g.size());
    if (moments_.v) {
      AdamStep adam = adam_;
      if (!decays) adam.weight_decay = 0;
      return adam_update(w, g, part(moments_.m->all(), offset, end), part(moments_.v->all(), offset, end), adam);
    }
    SgdStep sgd = sgd_;
    if (!decays) sgd.weight_decay = 0;
    if (moments_.m) return momentum_update(w, g, part(moments_.m->all(), offset, end), sgd);
    sgd_update(w, g, sgd);
  }

  static float correction(float beta, std::int64_t step) {
    return static_cast<float>(1 / (1 - std::pow(static_cast<double>(beta), static_cast<double>(step))));
  }

  SgdStep sgd_;
  AdamStep adam_;
  float share_;
  Moments& moments_;
  Parameters& parameters_;
  Parameters* average_;
};

// A piece of the parameters that one task updates.
struct Tile {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool decays = false;
};

std::vector<Tile> dense_tiles(const Gradients& gradients) {
  std::vector<Tile> tiles;
  for (const ParameterTensor& tensor : gradients.tensors()) {
    if (tensor.offset < gradients.dense_offset()) continue;
    const std::int64_t end = tensor.offset + tensor.size;
    for (std::int64_t first = tensor.offset; first < end; first += kTile) {
      tiles.push_back({.first = first, .last = std::min(end, first + kTile), .decays = tensor.shape.size() > 1});
    }
  }
  return tiles;
}

// The embedding is the first tensor, so its row `id` begins at id*E.
void update_embedding(Workers& workers, const EmbeddingGradient& gradient, const Update& update) {
  const std::int64_t V = update.encoder().rows;
  const std::int64_t E = update.encoder().cols;
  const std::int64_t rows_per_task = std::max<std::int64_t>(1, kTile / E);
  if (update.rests_without_gradient()) {
    const std::span<const std::int32_t> ids = gradient.ids();
    workers.run_ranges(gradient.rows().rows, rows_per_task, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t slot = first; slot < last; ++slot) {
        const std::int64_t id = ids[static_cast<std::size_t>(slot)];
        update.apply(gradient.row(id), id * E, true);
      }
    });
    return;
  }
  const std::vector<float> zeros(static_cast<std::size_t>(E));
  workers.run_ranges(V, rows_per_task, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t id = first; id < last; ++id) {
      const std::span<const float> row = gradient.row(id);
      update.apply(row.empty() ? zeros : row, id * E, true);
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

UpdateRule update_rule(const TrainOptions& options) noexcept {
  return {.optimizer = options.optimizer,
          .momentum = options.momentum,
          .beta2 = options.beta2,
          .weight_decay = options.weight_decay};
}

int Moments::count(const UpdateRule& rule) noexcept {
  switch (rule.optimizer) {
    case Optimizer::kSgd:
      return rule.momentum > 0 ? 1 : 0;
    case Optimizer::kAdam:
      return 2;
  }
  return 0;
}

Moments::Moments(const UpdateRule& rule, const NetworkConfig& config) {
  if (count(rule) > 0) m.emplace(config);
  if (count(rule) > 1) v.emplace(config);
}

void Moments::set_zero() {
  if (m) m->set_zero();
  if (v) v->set_zero();
}

void update_parameters(Workers& workers, const Gradients& gradients, const UpdateRule& rule, const UpdateStep& step,
                       Moments& moments, Parameters& parameters, Parameters* average) {
  const Update update(rule, step, moments, parameters, average);
  const std::vector<Tile> tiles = dense_tiles(gradients);
  workers.run(std::ssize(tiles), [&](std::int64_t task) {
    const Tile& tile = tiles[static_cast<std::size_t>(task)];
    const std::int64_t offset = gradients.dense_offset();
    update.apply(part(gradients.dense(), tile.first - offset, tile.last - offset), tile.first, tile.decays);
  });
  if (gradients.embedding()) update_embedding(workers, *gradients.embedding(), update);
}

}  // namespace unroll
