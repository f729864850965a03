// A second opinion: oneDNN's recurrent primitives, forward and backward, share nothing with ours. The only test that
// uses oneDNN.
#include <gtest/gtest.h>

#include <algorithm>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "support/recurrent_layer.h"

namespace unroll {
namespace {

using Memory = dnnl::memory;
using Tag = Memory::format_tag;
using Descriptor = Memory::desc;

constexpr double kTolerance = 1e-5;

const dnnl::engine& engine() {
  static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
  return instance;
}

// Our gate at each of theirs: LSTM i,f,c~,o is our order; GRU u,r,o is our z,r,n.
std::vector<std::int64_t> our_gates(Cell cell) {
  switch (cell) {
    case Cell::kRnnTanh:
    case Cell::kRnnRelu:
      return {0};
    case Cell::kLstm:
      return {0, 1, 2, 3};
    case Cell::kGru:
    case Cell::kGruResetBefore:
      return {1, 0, 2};
    case Cell::kMinGru:
    case Cell::kMinLstm:
      break;  // not in oneDNN
  }
  return {};
}

// (G*H, inputs) as PyTorch keeps it, to and from (inputs, G, H) as oneDNN's ldigo does: calls at(ours, theirs).
template <class At>
void for_each_weight(const RecurrentPoint& point, std::int64_t inputs, const At& at) {
  const std::vector<std::int64_t> gates = our_gates(point.cell);
  const std::int64_t H = point.shape.H;
  for (std::int64_t i = 0; i < inputs; ++i) {
    for (std::size_t g = 0; g < gates.size(); ++g) {
      for (std::int64_t o = 0; o < H; ++o) {
        const auto theirs = static_cast<std::size_t>(
            (i * static_cast<std::int64_t>(gates.size()) + static_cast<std::int64_t>(g)) * H + o);
        at(static_cast<std::size_t>((gates[g] * H + o) * inputs + i), theirs);
      }
    }
  }
}

// Our biases that are summed in the bias of each of their gates. Reset after the product has a fourth, the b' of n.
struct BiasGate {
  std::int64_t gate;  // ours
  bool input;
  bool hidden;
};
std::vector<BiasGate> bias_gates(Cell cell) {
  if (cell == Cell::kGru) return {{1, true, true}, {0, true, true}, {2, true, false}, {2, false, true}};
  std::vector<BiasGate> both;
  for (const std::int64_t gate : our_gates(cell)) both.push_back({gate, true, true});
  return both;
}

// The shapes of everything, with weights as our loops write them.
struct Descriptors {
  Descriptor src_layer, src_iter, weights_layer, weights_iter, bias, dst_layer;

  explicit Descriptors(const RecurrentPoint& point) {
    const RecurrentShape& s = point.shape;
    const auto gates = static_cast<std::int64_t>(our_gates(point.cell).size());
    const auto biases = static_cast<std::int64_t>(bias_gates(point.cell).size());
    const auto f32 = Memory::data_type::f32;
    src_layer = Descriptor({s.T, s.B, s.E}, f32, Tag::tnc);
    src_iter = Descriptor({1, 1, s.B, s.H}, f32, Tag::ldnc);
    weights_layer = Descriptor({1, 1, s.E, gates, s.H}, f32, Tag::ldigo);
    weights_iter = Descriptor({1, 1, s.H, gates, s.H}, f32, Tag::ldigo);
    bias = Descriptor({1, 1, biases, s.H}, f32, Tag::ldgo);
    dst_layer = Descriptor({s.T, s.B, s.H}, f32, Tag::tnc);
  }
  // Weights in the primitive's own layout.
  [[nodiscard]] static Descriptor any(const Descriptor& plain) {
    return {plain.dims(), Memory::data_type::f32, Tag::any};
  }
};

// Forward and backward of one cell.
struct Primitives {
  dnnl::primitive_desc_base forward_description;
  dnnl::primitive_desc_base backward_description;
  dnnl::primitive forward;
  dnnl::primitive backward;
};

template <class Forward, class Backward>
Primitives primitives_of(const typename Forward::desc& forward, const typename Backward::desc& backward) {
  const typename Forward::primitive_desc forward_description(forward, engine());
  const typename Backward::primitive_desc backward_description(backward, engine(), forward_description);
  return {forward_description, backward_description, Forward(forward_description), Backward(backward_description)};
}

constexpr auto kTraining = dnnl::prop_kind::forward_training;
constexpr auto kBackward = dnnl::prop_kind::backward;
constexpr auto kOneWay = dnnl::rnn_direction::unidirectional_left2right;

// Both forms of the GRU, whose constructors have the same parameters.
template <class Forward, class Backward>
Primitives gru_primitives(const Descriptors& d) {
  const Descriptor U = Descriptors::any(d.weights_layer);
  const Descriptor W = Descriptors::any(d.weights_iter);
  return primitives_of<Forward, Backward>(
      typename Forward::desc(kTraining, kOneWay, d.src_layer, d.src_iter, U, W, d.bias, d.dst_layer, d.src_iter),
      typename Backward::desc(kBackward, kOneWay, d.src_layer, d.src_iter, U, W, d.bias, d.dst_layer, d.src_iter,
                              d.src_layer, d.src_iter, U, W, d.bias, d.dst_layer, d.src_iter));
}

Primitives rnn_primitives(const Descriptors& d, dnnl::algorithm f) {
  const Descriptor U = Descriptors::any(d.weights_layer);
  const Descriptor W = Descriptors::any(d.weights_iter);
  return primitives_of<dnnl::vanilla_rnn_forward, dnnl::vanilla_rnn_backward>(
      {kTraining, f, kOneWay, d.src_layer, d.src_iter, U, W, d.bias, d.dst_layer, d.src_iter},
      {kBackward, f, kOneWay, d.src_layer, d.src_iter, U, W, d.bias, d.dst_layer, d.src_iter, d.src_layer, d.src_iter,
       U, W, d.bias, d.dst_layer, d.src_iter});
}

Primitives lstm_primitives(const Descriptors& d) {
  const Descriptor U = Descriptors::any(d.weights_layer);
  const Descriptor W = Descriptors::any(d.weights_iter);
  return primitives_of<dnnl::lstm_forward, dnnl::lstm_backward>(
      {kTraining, kOneWay, d.src_layer, d.src_iter, d.src_iter, U, W, d.bias, d.dst_layer, d.src_iter, d.src_iter},
      {kBackward,  kOneWay,     d.src_layer, d.src_iter, d.src_iter, U, W,      d.bias,      d.dst_layer, d.src_iter,
       d.src_iter, d.src_layer, d.src_iter,  d.src_iter, U,          W, d.bias, d.dst_layer, d.src_iter,  d.src_iter});
}

Primitives primitives_of(Cell cell, const Descriptors& d) {
  switch (cell) {
    case Cell::kRnnTanh:
      return rnn_primitives(d, dnnl::algorithm::eltwise_tanh);
    case Cell::kRnnRelu:
      return rnn_primitives(d, dnnl::algorithm::eltwise_relu);
    case Cell::kLstm:
      return lstm_primitives(d);
    case Cell::kGru:
      return gru_primitives<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(d);
    case Cell::kGruResetBefore:
      return gru_primitives<dnnl::gru_forward, dnnl::gru_backward>(d);
    case Cell::kMinGru:
    case Cell::kMinLstm:
      break;
  }
  throw std::logic_error("no such cell");
}

// oneDNN's run at a point.
class Opinion {
 public:
  explicit Opinion(const RecurrentPoint& point)
      : point_(point), plain_(point), primitives_(primitives_of(point.cell, plain_)), stream_(engine()) {
    run_forward();
    run_backward();
  }

  [[nodiscard]] std::vector<double> outputs() { return numbers_of(DNNL_ARG_DST_LAYER, plain_.dst_layer); }
  [[nodiscard]] std::vector<double> last_c() { return numbers_of(DNNL_ARG_DST_ITER_C, plain_.src_iter); }

  // In the order of point.slices.
  std::vector<double> gradient() {
    std::vector<double> all(point_.values.size());
    take_weights("U", DNNL_ARG_DIFF_WEIGHTS_LAYER, plain_.weights_layer, point_.shape.E, all);
    take_weights("W", DNNL_ARG_DIFF_WEIGHTS_ITER, plain_.weights_iter, point_.shape.H, all);
    take_biases(all);
    const auto take = [&](const char* name, int argument, const Descriptor& plain) {
      std::ranges::copy(numbers_of(argument, plain), all.begin() + point_.slice(name).offset);
    };
    take("x", DNNL_ARG_DIFF_SRC_LAYER, plain_.src_layer);
    take("h0", DNNL_ARG_DIFF_SRC_ITER, plain_.src_iter);
    if (is_lstm()) take("c0", DNNL_ARG_DIFF_SRC_ITER_C, plain_.src_iter);
    return all;
  }

 private:
  [[nodiscard]] bool is_lstm() const { return point_.cell == Cell::kLstm; }

  [[nodiscard]] std::span<const float> values(const char* name) const {
    const Slice& slice = point_.slice(name);
    return std::span(point_.values)
        .subspan(static_cast<std::size_t>(slice.offset), static_cast<std::size_t>(slice.size));
  }

  Memory memory_of(const Descriptor& plain, std::span<const float> numbers) {
    Memory memory(plain, engine());
    std::ranges::copy(numbers, static_cast<float*>(memory.get_data_handle()));
    return memory;
  }
  // `from` in the layout of a primitive's argument.
  Memory in_layout(Memory from, const Descriptor& wanted) {
    if (from.get_desc() == wanted) return from;
    Memory to(wanted, engine());
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return to;
  }
  Memory zeros(const Descriptor& wanted) {
    Memory memory(wanted, engine());
    std::fill_n(static_cast<std::byte*>(memory.get_data_handle()), wanted.get_size(), std::byte{0});
    return memory;
  }
  static Descriptor wanted_by(const dnnl::primitive_desc_base& primitive, int argument) {
    return primitive.query_md(dnnl::query::exec_arg_md, argument);
  }
  std::vector<double> numbers_of(int argument, const Descriptor& plain) {
    const Memory memory = in_layout(arguments_.at(argument), plain);
    const auto* const first = static_cast<const float*>(memory.get_data_handle());
    return {first, first + plain.get_size() / sizeof(float)};
  }

  Memory weights_memory(const char* name, const Descriptor& plain, std::int64_t inputs) {
    std::vector<float> theirs(values(name).size());
    for_each_weight(point_, inputs, [&](std::size_t ours, std::size_t at) { theirs[at] = values(name)[ours]; });
    return memory_of(plain, theirs);
  }

  Memory bias_memory() {
    std::vector<float> theirs;
    for (const BiasGate& bias : bias_gates(point_.cell)) {
      for (std::int64_t j = 0; j < point_.shape.H; ++j) {
        const auto at = static_cast<std::size_t>(bias.gate * point_.shape.H + j);
        theirs.push_back((bias.input ? values("b_input")[at] : 0) + (bias.hidden ? values("b_hidden")[at] : 0));
      }
    }
    return memory_of(plain_.bias, theirs);
  }

  void run_forward() {
    const auto& description = primitives_.forward_description;
    U_ = weights_memory("U", plain_.weights_layer, point_.shape.E);
    W_ = weights_memory("W", plain_.weights_iter, point_.shape.H);
    arguments_ = {{DNNL_ARG_SRC_LAYER, memory_of(plain_.src_layer, values("x"))},
                  {DNNL_ARG_SRC_ITER, memory_of(plain_.src_iter, values("h0"))},
                  {DNNL_ARG_WEIGHTS_LAYER, in_layout(U_, wanted_by(description, DNNL_ARG_WEIGHTS_LAYER))},
                  {DNNL_ARG_WEIGHTS_ITER, in_layout(W_, wanted_by(description, DNNL_ARG_WEIGHTS_ITER))},
                  {DNNL_ARG_BIAS, bias_memory()},
                  {DNNL_ARG_DST_LAYER, zeros(plain_.dst_layer)},
                  {DNNL_ARG_DST_ITER, zeros(plain_.src_iter)},
                  {DNNL_ARG_WORKSPACE, zeros(wanted_by(description, DNNL_ARG_WORKSPACE))}};
    if (is_lstm()) {
      arguments_[DNNL_ARG_SRC_ITER_C] = memory_of(plain_.src_iter, values("c0"));
      arguments_[DNNL_ARG_DST_ITER_C] = zeros(plain_.src_iter);
    }
    primitives_.forward.execute(stream_, arguments_);
    stream_.wait();
  }

  void run_backward() {
    const auto& description = primitives_.backward_description;
    arguments_[DNNL_ARG_WEIGHTS_LAYER] = in_layout(U_, wanted_by(description, DNNL_ARG_WEIGHTS_LAYER));
    arguments_[DNNL_ARG_WEIGHTS_ITER] = in_layout(W_, wanted_by(description, DNNL_ARG_WEIGHTS_ITER));
    arguments_[DNNL_ARG_DIFF_DST_LAYER] = memory_of(plain_.dst_layer, point_.dout);
    arguments_[DNNL_ARG_DIFF_DST_ITER] = memory_of(plain_.src_iter, point_.dh1);
    arguments_[DNNL_ARG_DIFF_SRC_LAYER] = zeros(plain_.src_layer);
    arguments_[DNNL_ARG_DIFF_SRC_ITER] = zeros(plain_.src_iter);
    // These are added to, as ours are.
    arguments_[DNNL_ARG_DIFF_WEIGHTS_LAYER] = zeros(wanted_by(description, DNNL_ARG_DIFF_WEIGHTS_LAYER));
    arguments_[DNNL_ARG_DIFF_WEIGHTS_ITER] = zeros(wanted_by(description, DNNL_ARG_DIFF_WEIGHTS_ITER));
    arguments_[DNNL_ARG_DIFF_BIAS] = zeros(plain_.bias);
    if (is_lstm()) {
      arguments_[DNNL_ARG_DIFF_DST_ITER_C] = memory_of(plain_.src_iter, point_.dc1);
      arguments_[DNNL_ARG_DIFF_SRC_ITER_C] = zeros(plain_.src_iter);
    }
    primitives_.backward.execute(stream_, arguments_);
    stream_.wait();
  }

  void take_weights(const char* name, int argument, const Descriptor& plain, std::int64_t inputs,
                    std::vector<double>& all) {
    const std::vector<double> theirs = numbers_of(argument, plain);
    const auto first = static_cast<std::size_t>(point_.slice(name).offset);
    for_each_weight(point_, inputs, [&](std::size_t ours, std::size_t at) { all[first + ours] = theirs[at]; });
  }

  void take_biases(std::vector<double>& all) {
    const std::vector<double> theirs = numbers_of(DNNL_ARG_DIFF_BIAS, plain_.bias);
    const auto H = static_cast<std::size_t>(point_.shape.H);
    std::size_t first = 0;
    for (const BiasGate& bias : bias_gates(point_.cell)) {
      for (const auto& [name, takes_part] : {std::pair("b_input", bias.input), std::pair("b_hidden", bias.hidden)}) {
        if (!takes_part) continue;
        const std::int64_t at = point_.slice(name).offset + bias.gate * point_.shape.H;
        std::copy_n(theirs.begin() + static_cast<std::ptrdiff_t>(first), H, all.begin() + at);
      }
      first += H;
    }
  }

  const RecurrentPoint& point_;
  Descriptors plain_;
  Primitives primitives_;
  dnnl::stream stream_;
  Memory U_;
  Memory W_;
  std::unordered_map<int, Memory> arguments_;
};

void expect_agreement(Cell cell) {
  Workers workers(1);
  std::uint64_t seed = 9000;
  for (const RecurrentShape& shape : {RecurrentShape{1, 1, 2, 3}, RecurrentShape{4, 3, 5, 6},
                                      RecurrentShape{7, 5, 13, 17}, RecurrentShape{3, 9, 31, 65}}) {
    const RecurrentPoint point = random_point(cell, shape, seed++, Resets::kNone);
    SCOPED_TRACE(describe(point));
    LayerRun run(point, workers);
    run.forward();
    Opinion opinion(point);
    const std::vector<float> h = run.outputs();
    EXPECT_LE(ref::relative_error(std::span(h), std::span<const double>(opinion.outputs())), kTolerance);
    if (has_cell_state(cell)) {
      const std::vector<float> c = run.cells();
      const auto last = std::span(c).last(static_cast<std::size_t>(shape.B * shape.H));
      EXPECT_LE(ref::relative_error(last, std::span<const double>(opinion.last_c())), kTolerance);
    }
    EXPECT_TRUE(agree(point.slices, run.backward(), opinion.gradient(), kTolerance));
  }
}

TEST(OnednnSecondOpinion, AgreesOnTheSimpleNetworkWithTanh) { expect_agreement(Cell::kRnnTanh); }
TEST(OnednnSecondOpinion, AgreesOnTheSimpleNetworkWithRelu) { expect_agreement(Cell::kRnnRelu); }
TEST(OnednnSecondOpinion, AgreesOnLstm) { expect_agreement(Cell::kLstm); }
TEST(OnednnSecondOpinion, AgreesOnGru) { expect_agreement(Cell::kGru); }
TEST(OnednnSecondOpinion, AgreesOnGruWithResetBefore) { expect_agreement(Cell::kGruResetBefore); }

}  // namespace
}  // namespace unroll
