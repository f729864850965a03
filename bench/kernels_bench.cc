// One kernel at a time, on one thread: kernels_bench [--benchmark_filter=REGEX], and Google Benchmark's other options.
//
// Products report operations (FLOP/s; in int8 operations on integers) and are named by their precision; packing,
// gates and loops over arrays report elements as items.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/view.h"
#include "base/workers.h"
#include "kernels/activations.h"
#include "kernels/arrays.h"
#include "kernels/gates.h"
#include "kernels/matmul.h"
#include "kernels/softmax.h"
#include "nn/softmax_loss.h"

namespace unroll {
namespace {

using benchmark::State;

// A matrix of its own, of random numbers in [-1, 1).
struct Matrix {
  FloatBuffer memory;
  MatView<float> view;

  Matrix(std::int64_t rows, std::int64_t cols) : memory(rows * cols), view(memory.data(), rows, cols) {
    std::mt19937 generator(1);
    for (float& value : memory.span()) value = static_cast<float>(generator() >> 8) * 0x1p-23F - 1.0F;
  }
  [[nodiscard]] float* data() const { return memory.data(); }
  [[nodiscard]] std::span<float> span() const { return memory.span(); }
};

// Runs `once` as often as the benchmark asks, on a thread set up like a worker's. The first call, which touches memory
// for the first time and may choose kernels, does not count.
void run_repeatedly(State& state, const std::function<void()>& once) {
  Workers(1).run(1, [&](std::int64_t) {
    once();
    for ([[maybe_unused]] auto _ : state) {
      once();
      benchmark::ClobberMemory();
    }
  });
}

void repeat(State& state, std::int64_t items, const std::function<void()>& once) {
  run_repeatedly(state, once);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * items);
}

void count_operations(State& state, std::int64_t operations) {
  using benchmark::Counter;
  state.counters["FLOP/s"] = Counter(static_cast<double>(operations), Counter::kIsIterationInvariantRate);
}

void repeat_product(State& state, std::int64_t operations, const std::function<void()>& once) {
  run_repeatedly(state, once);
  count_operations(state, operations);
}

void packed_product(State& state, Precision precision) {
  const std::int64_t M = state.range(0);
  const std::int64_t N = state.range(1);
  const std::int64_t K = state.range(2);
  const Matrix x(M, K);
  const Matrix weights(N, K);
  const Matrix y(M, N);
  PackedMatrix packed(K, N, precision);
  packed.pack_transposed(weights.view);
  repeat_product(state, 2 * M * N * K, [&] { packed.multiply(x.view, {}, y.view); });
}
// One token at a time; a step of a shard of rows; a block of all steps; the output layer forward and backward.
void product_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"M", "N", "K"});
  b->Args({1, 2048, 512});
  b->Args({10, 800, 200})->Args({10, 2600, 650})->Args({25, 2048, 512})->Args({25, 512, 2048})->Args({25, 512, 128});
  b->Args({128, 2048, 512});
  b->Args({700, 10000, 650})->Args({48, 200, 10000});
  b->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(packed_product, f32, Precision::kF32)->Apply(product_sizes);
BENCHMARK_CAPTURE(packed_product, bf16, Precision::kBf16)->Apply(product_sizes);
BENCHMARK_CAPTURE(packed_product, int8, Precision::kInt8)->Apply(product_sizes);

// A weight gradient (M, N) over R rows with its column sums, one task of the workers after another.
void weight_gradient(State& state, Precision precision) {
  const std::int64_t R = state.range(0);
  const std::int64_t M = state.range(1);
  const std::int64_t N = state.range(2);
  const Matrix a(R, M);
  const Matrix b(R, N);
  const Matrix c(M, N);
  const Matrix sums(1, M);
  repeat_product(state, 2 * R * M * N, [&] {
    for (std::int64_t first = 0; first < M; first += kTypicalGradientColumns) {
      const std::int64_t count = std::min(kTypicalGradientColumns, M - first);
      const TransposedProduct product{b.view, c.view.row_range(first, count)};
      add_transposed_products(precision, a.view.col_range(first, count), {&product, 1},
                              sums.span().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    }
  });
}
void gradient_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"R", "M", "N"});
  b->Args({2500, 2048, 512})->Args({2500, 512, 128})->Args({2500, 65, 512});
  b->Args({700, 2600, 650})->Args({700, 10000, 650})->Args({400, 10000, 200});
  b->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(weight_gradient, f32, Precision::kF32)->Apply(gradient_sizes);
BENCHMARK_CAPTURE(weight_gradient, bf16, Precision::kBf16)->Apply(gradient_sizes);

// Packs stored weights (N, K) for y = x W^T or, for backward, for y = x W.
void pack_weights(State& state, Precision precision, bool transposed) {
  const std::int64_t N = state.range(0);
  const std::int64_t K = state.range(1);
  const Matrix weights(N, K);
  PackedMatrix packed = transposed ? PackedMatrix(K, N, precision) : PackedMatrix(N, K, precision);
  repeat(state, N * K, [&] {
    if (transposed) {
      packed.pack_transposed(weights.view);
    } else {
      packed.pack(weights.view);
    }
  });
}
void weight_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"N", "K"})->Args({800, 200})->Args({2048, 512})->Args({10000, 650});
  b->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(pack_weights, f32_transposed, Precision::kF32, true)->Apply(weight_sizes);
BENCHMARK_CAPTURE(pack_weights, f32_straight, Precision::kF32, false)->Apply(weight_sizes);
BENCHMARK_CAPTURE(pack_weights, bf16_transposed, Precision::kBf16, true)->Apply(weight_sizes);
BENCHMARK_CAPTURE(pack_weights, bf16_straight, Precision::kBf16, false)->Apply(weight_sizes);
BENCHMARK_CAPTURE(pack_weights, int8_transposed, Precision::kInt8, true)->Apply(weight_sizes);

// The buffers of one step of `rows` rows and H units, large enough for every cell.
struct GateBuffers {
  GateShape shape;
  Matrix gates, products, candidate, h_before, h, c_before, c, dout, dh, dc;

  explicit GateBuffers(const State& state)
      : shape{.rows = state.range(0), .H = state.range(1), .reset = nullptr},
        gates(shape.rows, 4 * shape.H),
        products(shape.rows, 4 * shape.H),
        candidate(shape.rows, shape.H),
        h_before(shape.rows, shape.H),
        h(shape.rows, shape.H),
        c_before(shape.rows, shape.H),
        c(shape.rows, shape.H),
        dout(shape.rows, shape.H),
        dh(shape.rows, shape.H),
        dc(shape.rows, shape.H) {}
};

void gates(State& state, void (*once)(const GateBuffers&)) {
  const GateBuffers b(state);
  repeat(state, b.shape.rows * b.shape.H, [&] { once(b); });
}
void step_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "H"})->Args({10, 200})->Args({25, 128})->Args({25, 512});
}

void lstm_forward_step(const GateBuffers& b) {
  lstm_gates_forward(b.shape, b.gates.data(), b.products.data(), b.c_before.data(), b.c.data(), b.h.data());
}
void lstm_backward_step(const GateBuffers& b) {
  lstm_gates_backward(b.shape, b.gates.data(), b.c_before.data(), b.c.data(), b.dout.data(), b.dh.data(), b.dc.data());
}
void gru_forward_step(const GateBuffers& b) {
  gru_gates_forward(b.shape, b.gates.data(), b.products.data(), b.dc.data(), b.h_before.data(), b.candidate.data(),
                    b.h.data());
}
void gru_backward_step(const GateBuffers& b) {
  gru_gates_backward(b.shape, b.gates.data(), b.candidate.data(), b.h_before.data(), b.dout.data(), b.dh.data(),
                     b.products.data());
}
void gru_reset_before_forward_step(const GateBuffers& b) {
  gru_reset_before_gates_forward(b.shape, b.gates.data(), b.products.data(), b.h_before.data(), b.candidate.data());
  gru_reset_before_output_forward(b.shape, b.gates.data(), b.products.data(), b.h_before.data(), b.h.data());
}
void gru_reset_before_backward_step(const GateBuffers& b) {
  gru_reset_before_output_backward(b.shape, b.gates.data(), b.h_before.data(), b.dout.data(), b.dh.data(), b.c.data());
  gru_reset_before_gates_backward(b.shape, b.gates.data(), b.h_before.data(), b.dc.data(), b.dh.data(),
                                  b.products.data());
}
void rnn_tanh_forward_step(const GateBuffers& b) {
  rnn_tanh_gates_forward(b.shape, b.gates.data(), b.products.data(), b.h.data());
}
void rnn_tanh_backward_step(const GateBuffers& b) {
  rnn_tanh_gates_backward(b.shape, b.h.data(), b.dout.data(), b.dh.data(), b.gates.data());
}
void rnn_relu_forward_step(const GateBuffers& b) {
  rnn_relu_gates_forward(b.shape, b.gates.data(), b.products.data(), b.h.data());
}
void rnn_relu_backward_step(const GateBuffers& b) {
  rnn_relu_gates_backward(b.shape, b.h.data(), b.dout.data(), b.dh.data(), b.gates.data());
}
BENCHMARK_CAPTURE(gates, lstm_forward, lstm_forward_step)->Apply(step_sizes);
BENCHMARK_CAPTURE(gates, lstm_backward, lstm_backward_step)->Apply(step_sizes);
BENCHMARK_CAPTURE(gates, gru_forward, gru_forward_step)->Apply(step_sizes);
BENCHMARK_CAPTURE(gates, gru_backward, gru_backward_step)->Apply(step_sizes);
BENCHMARK_CAPTURE(gates, gru_reset_before_forward, gru_reset_before_forward_step)->Apply(step_sizes);
BENCHMARK_CAPTURE(gates, gru_reset_before_backward, gru_reset_before_backward_step)->Apply(step_sizes);
BENCHMARK_CAPTURE(gates, rnn_tanh_forward, rnn_tanh_forward_step)->Apply(step_sizes);
BENCHMARK_CAPTURE(gates, rnn_tanh_backward, rnn_tanh_backward_step)->Apply(step_sizes);
BENCHMARK_CAPTURE(gates, rnn_relu_forward, rnn_relu_forward_step)->Apply(step_sizes);
BENCHMARK_CAPTURE(gates, rnn_relu_backward, rnn_relu_backward_step)->Apply(step_sizes);

void activation(State& state, void (*function)(std::span<const float>, std::span<float>)) {
  const Matrix x(1, 4096);
  const Matrix y(1, 4096);
  repeat(state, x.view.size(), [&] { function(x.span(), y.span()); });
}
BENCHMARK_CAPTURE(activation, exponential, exponentials);
BENCHMARK_CAPTURE(activation, sigmoid, sigmoids);
BENCHMARK_CAPTURE(activation, tanh, hyperbolic_tangents);

void softmax_row(State& state) {
  const Matrix logits(1, state.range(0));
  repeat(state, logits.view.size(), [&] { benchmark::DoNotOptimize(log_softmax_at(logits.span(), 1)); });
}
void softmax_row_and_gradient(State& state) {
  const Matrix logits(1, state.range(0));
  repeat(state, logits.view.size(),
         [&] { benchmark::DoNotOptimize(log_softmax_and_gradient_at(logits.span(), 1, 1.0F)); });
}
void softmax_row_prediction(State& state) {
  const Matrix logits(1, state.range(0));
  repeat(state, logits.view.size(), [&] { benchmark::DoNotOptimize(predict_symbol(logits.span(), 1)); });
}
BENCHMARK(softmax_row)->ArgName("V")->Arg(65)->Arg(10000);
BENCHMARK(softmax_row_and_gradient)->ArgName("V")->Arg(65)->Arg(10000);
BENCHMARK(softmax_row_prediction)->ArgName("V")->Arg(65)->Arg(10000);

// The output layer of R rows with its loss and all gradients, one worker.
void softmax_block(State& state, Precision precision) {
  const SoftmaxShape shape{.rows = state.range(0), .H = state.range(2), .V = state.range(1)};
  const Matrix h(shape.rows, shape.H);
  const Matrix dh(shape.rows, shape.H);
  const Matrix weights(shape.V, shape.H);
  const Matrix dweights(shape.V, shape.H);
  const Matrix bias(1, shape.V);
  const Matrix dbias(1, shape.V);
  const Matrix logits(softmax_block_rows(shape), shape.V);
  const std::vector<std::int32_t> targets(static_cast<std::size_t>(shape.rows), 1);
  std::vector<double> log_probs(targets.size());
  SoftmaxWeights head{.V_out = PackedMatrix(shape.H, shape.V, precision),
                      .V_out_back = PackedMatrix(shape.V, shape.H, precision),
                      .bias = bias.span()};
  head.V_out.pack_transposed(weights.view);
  head.V_out_back.pack(weights.view);
  Workers workers(1);
  const auto once = [&] {
    softmax_loss_and_gradient(workers, shape, head, h.view, targets, 1e-3F, logits.view, log_probs, dweights.view,
                              dbias.span(), dh.view);
  };
  once();
  for ([[maybe_unused]] auto _ : state) once();
  count_operations(state, 6 * shape.rows * shape.V * shape.H);
}
void softmax_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"R", "V", "H"})->Args({400, 10000, 200})->Args({700, 10000, 650})->Args({2500, 65, 512});
  b->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(softmax_block, f32, Precision::kF32)->Apply(softmax_sizes);
BENCHMARK_CAPTURE(softmax_block, bf16, Precision::kBf16)->Apply(softmax_sizes);

// A tile that stays in the cache, and parameters that do not.
void array_sizes(benchmark::internal::Benchmark* b) { b->ArgName("size")->Arg(1 << 14)->Arg(1 << 23); }

void sgd(State& state) {
  const Matrix w(1, state.range(0));
  const Matrix g(1, state.range(0));
  repeat(state, w.view.size(), [&] { sgd_update(w.span(), g.span(), {.scale = 0.5F, .rate = 1e-6F}); });
}
void adam(State& state) {
  const Matrix w(1, state.range(0));
  const Matrix g(1, state.range(0));
  const Matrix m(1, state.range(0));
  const Matrix v(1, state.range(0));
  for (float& square : v.span()) square *= square;
  const AdamStep step{.scale = 0.5F, .rate = 1e-6F};
  repeat(state, w.view.size(), [&] { adam_update(w.span(), g.span(), m.span(), v.span(), step); });
}
void squares(State& state) {
  const Matrix g(1, state.range(0));
  repeat(state, g.view.size(), [&] { benchmark::DoNotOptimize(sum_of_squares(g.span())); });
}
BENCHMARK(sgd)->Apply(array_sizes);
BENCHMARK(adam)->Apply(array_sizes);
BENCHMARK(squares)->Apply(array_sizes);

void column_sums(State& state) {
  constexpr std::int64_t kColumns = 128;
  const Matrix x(state.range(0), state.range(1));
  const Matrix sums(1, kColumns);
  repeat(state, x.view.rows * kColumns, [&] { add_column_sums(x.view.col_range(0, kColumns), sums.span()); });
}
BENCHMARK(column_sums)->ArgNames({"rows", "stride"})->Args({400, 800})->Args({2500, 2048})->Args({384, 10000});

void dropout_row(State& state) {
  const Matrix x(1, state.range(0));
  const Matrix y(1, state.range(0));
  std::uint32_t row = 0;
  repeat(state, x.view.size(), [&] { drop_units(x.span(), y.span(), {1, 2, row++}, 3, 1U << 31, 2.0F); });
}
BENCHMARK(dropout_row)->ArgName("H")->Arg(200)->Arg(512);

}  // namespace
}  // namespace unroll

BENCHMARK_MAIN();
