#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "dist/collect.h"
#include "kernels/arrays.h"

namespace unroll {
namespace {
std::span<float> part(std::span<float> all, std::int64_t first, std::int64_t last) {
  return all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
}

void add_tiles(std::span<float> all, std::vector<std::span<const float>>& tiles) {
  const auto size = static_cast<std::int64_t>(all.size());
  for (std::int64_t first = 0; first < size; first += kGradientTile) {
    tiles.emplace_back(part(all, first, std::min(size, first + kGradientTile)));
  }
}

// One update, of any part of the parameters.
class Update {
 public:
  Update(const UpdateRule& rule, const UpdateStep& step, Moments& moments, Parameters& parameters, Parameters* average)
      : share_(static_cast<float>(step.average_share)),
        moments_(moments),
        parameters_(parameters),
        average_(step.average_share > 0 ? average : nullptr),
        rows_rest_(rule.rows_rest),
        rate_(step.rate),
        rates_(step.rates) {
    sgd_.scale = static_cast<float>(step.scale);
    sgd_.rate = static_cast<float>(step.rate);
    sgd_.momentum = static_cast<float>(rule.momentum);
    sgd_.weight_decay = static_cast<float>(rule.weight_decay);
    adam_ = {.scale = sgd_.scale, .rate = sgd_.rate, .weight_decay = sgd_.weight_decay};
    adam_.beta2 = static_cast<float>(rule.beta2);
    adam_.correction1 = correction(adam_.beta1, step.step);
    adam_.correction2 = correction(adam_.beta2, step.step);
  }

  // Whether rows without a gradient stay as they are; their average may move.
  [[nodiscard]] bool rows_rest() const noexcept { return rows_rest_ || (!moments_.m && sgd_.weight_decay == 0); }
  [[nodiscard]] bool averages() const noexcept { return average_ != nullptr; }

  // Of the parameters from `offset` on that have the gradient g.
  void apply(std::span<const float> g, std::int64_t offset, bool decays, float rate) const {
    const std::int64_t end = offset + static_cast<std::int64_t>(g.size());
    const std::span<float> w = part(parameters_.all(), offset, end);
    move(w, g, offset, decays, rate);
    if (average_ != nullptr) move_towards(w, part(average_->all(), offset, end), share_);
  }

  // The rate of a tensor, by its place in the list.
  [[nodiscard]] float rate_of(std::size_t tensor) const noexcept {
    return rates_.empty() ? sgd_.rate : static_cast<float>(rate_ * rates_[tensor]);
  }

  // What happens to parameters that rest.
  void average_only(std::int64_t first, std::int64_t last) const {
    move_towards(part(parameters_.all(), first, last), part(average_->all(), first, last), share_);
  }

 private:
  void move(std::span<float> w, std::span<const float> g, std::int64_t offset, bool decays, float rate) const {
    const std::int64_t end = offset + static_cast<std::int64_t>(g.size());
    if (moments_.v) {
      AdamStep adam = adam_;
      adam.rate = rate;
      if (!decays) adam.weight_decay = 0;
      return adam_update(w, g, part(moments_.m->all(), offset, end), part(moments_.v->all(), offset, end), adam);
    }
    SgdStep sgd = sgd_;
    sgd.rate = rate;
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
  bool rows_rest_;
  double rate_;
  std::span<const double> rates_;
};

// A piece of the parameters that one task updates.
struct Tile {
  std::span<const float> gradient;
  std::int64_t first = 0;  // of the parameters
  bool decays = false;
  std::size_t tensor = 0;
};

// Of the part of dense() that is owned.
std::vector<Tile> dense_tiles(const Gradients& gradients, const ShareRange& owned) {
  std::vector<Tile> tiles;
  for (std::size_t number = 0; number < gradients.tensors().size(); ++number) {
    const ParameterTensor& tensor = gradients.tensors()[number];
    const std::span<float> all = gradients.dense(tensor);
    if (all.empty()) continue;
    const std::int64_t place = all.data() - gradients.dense().data();
    const std::int64_t end = std::min(std::ssize(all), owned.last - place);
    for (std::int64_t first = std::max<std::int64_t>(0, owned.first - place); first < end; first += kGradientTile) {
      tiles.push_back({.gradient = part(all, first, std::min(end, first + kGradientTile)),
                       .first = tensor.offset + first,
                       .decays = tensor.shape.size() > 1,
                       .tensor = number});
    }
  }
  return tiles;
}

// A matrix whose gradient is rows: the tensor that begins at `offset` of the parameters.
void update_rows(Workers& workers, const Gradients& gradients, const EmbeddingGradient& gradient, std::int64_t offset,
                 const Update& update) {
  const auto tensor = std::ranges::find(gradients.tensors(), offset, &ParameterTensor::offset);
  const float rate = update.rate_of(static_cast<std::size_t>(tensor - gradients.tensors().begin()));
  const std::int64_t V = gradient.ids_in_all();
  const std::int64_t E = gradient.rows().cols;
  const std::int64_t rows_per_task = std::max<std::int64_t>(1, kGradientTile / E);
  if (update.rows_rest() && !update.averages()) {
    const std::span<const std::int32_t> ids = gradient.ids();
    workers.run_ranges(gradient.rows().rows, rows_per_task, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t slot = first; slot < last; ++slot) {
        const std::int64_t id = ids[static_cast<std::size_t>(slot)];
        update.apply(gradient.row(id), offset + id * E, true, rate);
      }
    });
    return;
  }
  const std::vector<float> zeros(static_cast<std::size_t>(E));
  workers.run_ranges(V, rows_per_task, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t id = first; id < last; ++id) {
      const std::span<const float> row = gradient.row(id);
      const std::int64_t at = offset + id * E;
      if (row.empty() && update.rows_rest()) {
        update.average_only(at, at + E);
      } else {
        update.apply(row.empty() ? zeros : row, at, true, rate);
      }
    }
  });
}

void add_rows(const std::optional<EmbeddingGradient>& gradient, std::vector<std::span<const float>>& tiles) {
  if (gradient) add_tiles(gradient->rows().flat(), tiles);
}
}  // namespace

double gradient_norm(Workers& workers, const Gradients& gradients, const Owners& owners) {
  std::vector<std::span<const float>> tiles;
  add_tiles(gradients.dense(), tiles);
  const std::size_t dense = tiles.size();
  add_rows(gradients.embedding(), tiles);
  add_rows(gradients.decoder_rows(), tiles);
  std::vector<double> sums(tiles.size());
  const auto owned_tiles = [&](int rank) {
    const ShareRange owned = owners.part(rank);
    const auto tile_at = [](std::int64_t place) { return (place + kGradientTile - 1) / kGradientTile; };
    return ShareRange{tile_at(owned.first), tile_at(owned.last)};
  };
  const ShareRange mine = owned_tiles(owners.ranks().rank());
  workers.run(static_cast<std::int64_t>(tiles.size()), [&](std::int64_t task) {
    const auto tile = static_cast<std::size_t>(task);
    const bool has_sum = tile >= dense || (task >= mine.first && task < mine.last);
    if (has_sum) sums[tile] = sum_of_squares(tiles[tile]);
  });
  gather(owners.ranks(), std::span(sums).first(dense), owned_tiles);
  double total = 0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
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

void update_parameters(Workers& workers, const Gradients& gradients, const ShareRange& owned, const UpdateRule& rule,
                       const UpdateStep& step, const UpdatedParameters& parameters) {
  const Update update(rule, step, parameters.moments, parameters.weights, parameters.average);
  const std::vector<Tile> tiles = dense_tiles(gradients, owned);
  workers.run(std::ssize(tiles), [&](std::int64_t task) {
    const Tile& tile = tiles[static_cast<std::size_t>(task)];
    update.apply(tile.gradient, tile.first, tile.decays, update.rate_of(tile.tensor));
  });
  if (gradients.embedding()) update_rows(workers, gradients, *gradients.embedding(), 0, update);  // the first tensor
  if (gradients.decoder_rows()) {
    update_rows(workers, gradients, *gradients.decoder_rows(), gradients.decoder_offset(), update);
  }
}

}  // namespace unroll
