// One recurrent layer, forward and backward, timed on request: oneDNN's side of the section `layers`, its RNN
// primitive. recurrent_case.h describes arguments, output and steps.
//
// The primitive chooses the layouts of its weights. A step brings the weights into those of both directions from f32
// in (inputs, gates, units), which is the layout of their gradients, so that an update would need no other. In bf16
// the layer's inputs and outputs are bf16 already and all gradients f32.
#include <immintrin.h>
#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "recurrent_case.h"

namespace unroll {
namespace {

using Memory = dnnl::memory;
using Type = Memory::data_type;
using Tag = Memory::format_tag;
using Descriptor = Memory::desc;

// As our workers do, and PyTorch on request.
void flush_subnormals_in_all_threads(int threads) {
  constexpr unsigned kFlushToZeroAndDenormalsAreZero = 0x8040;
  omp_set_num_threads(threads);
#pragma omp parallel
  _mm_setcsr(_mm_getcsr() | kFlushToZeroAndDenormalsAreZero);
}

// Our gate at each place of theirs: LSTM i,f,c~,o is our order; GRU u,r,o is our z,r,n.
std::vector<std::int64_t> our_gates(Cell cell) {
  return cell == Cell::kLstm ? std::vector<std::int64_t>{0, 1, 2, 3} : std::vector<std::int64_t>{1, 0, 2};
}

// Our biases that are summed in each of theirs. The GRU has a fourth, the b' of n.
struct BiasGate {
  std::int64_t gate;
  bool input, hidden;
};
std::vector<BiasGate> bias_gates(Cell cell) {
  if (cell == Cell::kGru) return {{1, true, true}, {0, true, true}, {2, true, false}, {2, false, true}};
  return {{0, true, true}, {1, true, true}, {2, true, true}, {3, true, true}};
}

// Calls at(ours, theirs) for each number of a weight matrix: (G*H, inputs) here, (inputs, G, H) there.
template <class At>
void for_each_weight(const RecurrentCase& c, std::int64_t inputs, const At& at) {
  const std::vector<std::int64_t> gates = our_gates(c.cell);
  const std::int64_t H = c.shape.H;
  std::size_t theirs = 0;
  for (std::int64_t i = 0; i < inputs; ++i) {
    for (const std::int64_t gate : gates) {
      for (std::int64_t o = 0; o < H; ++o) at(static_cast<std::size_t>((gate * H + o) * inputs + i), theirs++);
    }
  }
}

// Inputs and outputs in plain layouts, and weights in the primitive's own layout.
struct Descriptors {
  Descriptor src, state, c_state, dst, U, W, any_U, any_W, bias;
  Descriptor dsrc, dstate, ddst, any_dU, any_dW;  // gradients are f32

  explicit Descriptors(const RecurrentCase& c) {
    const RecurrentShape& s = c.shape;
    const Type type = c.precision == Precision::kBf16 ? Type::bf16 : Type::f32;
    const std::int64_t G = gate_count(c.cell);
    const Memory::dims U_sizes{1, 1, s.E, G, s.H};
    const Memory::dims W_sizes{1, 1, s.H, G, s.H};
    src = Descriptor({s.T, s.B, s.E}, type, Tag::tnc);
    state = Descriptor({1, 1, s.B, s.H}, type, Tag::ldnc);
    c_state = Descriptor({1, 1, s.B, s.H}, Type::f32, Tag::ldnc);
    dst = Descriptor({s.T, s.B, s.H}, type, Tag::tnc);
    U = Descriptor(U_sizes, Type::f32, Tag::ldigo);
    W = Descriptor(W_sizes, Type::f32, Tag::ldigo);
    any_U = Descriptor(U_sizes, type, Tag::any);
    any_W = Descriptor(W_sizes, type, Tag::any);
    bias = Descriptor({1, 1, static_cast<std::int64_t>(bias_gates(c.cell).size()), s.H}, Type::f32, Tag::ldgo);
    dsrc = Descriptor(src.dims(), Type::f32, Tag::tnc);
    dstate = c_state;
    ddst = Descriptor(dst.dims(), Type::f32, Tag::tnc);
    any_dU = Descriptor(U_sizes, Type::f32, Tag::any);
    any_dW = Descriptor(W_sizes, Type::f32, Tag::any);
  }
};

struct Primitives {
  dnnl::primitive_desc_base forward_description, backward_description;
  dnnl::primitive forward, backward;
};

template <class Forward, class Backward>
Primitives make_primitives(const dnnl::engine& engine, const typename Forward::desc& forward,
                           const typename Backward::desc& backward) {
  const typename Forward::primitive_desc forward_description(forward, engine);
  const typename Backward::primitive_desc backward_description(backward, engine, forward_description);
  return {forward_description, backward_description, Forward(forward_description), Backward(backward_description)};
}

Primitives make_primitives(const dnnl::engine& engine, Cell cell, const Descriptors& d) {
  constexpr auto kTraining = dnnl::prop_kind::forward_training;
  constexpr auto kBackward = dnnl::prop_kind::backward;
  constexpr auto kOneWay = dnnl::rnn_direction::unidirectional_left2right;
  if (cell == Cell::kLstm) {
    return make_primitives<dnnl::lstm_forward, dnnl::lstm_backward>(
        engine, {kTraining, kOneWay, d.src, d.state, d.c_state, d.any_U, d.any_W, d.bias, d.dst, d.state, d.c_state},
        {kBackward, kOneWay, d.src,    d.state,  d.c_state, d.any_U,  d.any_W, d.bias, d.dst,    d.state,
         d.c_state, d.dsrc,  d.dstate, d.dstate, d.any_dU,  d.any_dW, d.bias,  d.ddst, d.dstate, d.dstate});
  }
  return make_primitives<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(
      engine, {kTraining, kOneWay, d.src, d.state, d.any_U, d.any_W, d.bias, d.dst, d.state},
      {kBackward, kOneWay, d.src, d.state, d.any_U, d.any_W, d.bias, d.dst, d.state, d.dsrc, d.dstate, d.any_dU,
       d.any_dW, d.bias, d.ddst, d.dstate});
}

class Primitive final : public RecurrentSide {
 public:
  Primitive(const RecurrentCase& c, const RecurrentNumbers& numbers)
      : case_(c),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_),
        plain_(c),
        primitives_(make_primitives(engine_, c.cell, plain_)),
        U_(weights(numbers.U, plain_.U, c.shape.E)),
        W_(weights(numbers.W, plain_.W, c.shape.H)) {
    prepare_forward(numbers);
    prepare_backward(numbers);
    prepare_packing();
  }

  void pack() override {
    for (Packing& packing : packings_) packing.reorder.execute(stream_, packing.from, packing.to);
    stream_.wait();
  }

  void forward_backward() override {
    for (const int gradient : {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS}) {
      clear(backward_.at(gradient));
    }
    primitives_.forward.execute(stream_, forward_);
    primitives_.backward.execute(stream_, backward_);
    stream_.wait();
  }

  std::vector<NamedResult> results() override {
    return {{"h", numbers_of(forward_.at(DNNL_ARG_DST_LAYER))},
            {"dx", numbers_of(backward_.at(DNNL_ARG_DIFF_SRC_LAYER))},
            {"dh0", numbers_of(backward_.at(DNNL_ARG_DIFF_SRC_ITER))},
            {"dU", weights_gradient(DNNL_ARG_DIFF_WEIGHTS_LAYER, plain_.U, case_.shape.E)},
            {"dW", weights_gradient(DNNL_ARG_DIFF_WEIGHTS_ITER, plain_.W, case_.shape.H)},
            {"db_input", bias_gradient(&BiasGate::input)},
            {"db_hidden", bias_gradient(&BiasGate::hidden)}};
  }

  [[nodiscard]] std::string about() const override {
    const dnnl_version_t* const v = dnnl_version();
    return fmt::format("oneDNN {}.{}.{}: forward {}, backward {}", v->major, v->minor, v->patch,
                       primitives_.forward_description.impl_info_str(),
                       primitives_.backward_description.impl_info_str());
  }

 private:
  // Conversions of weights from one layout to another.
  struct Packing {
    dnnl::reorder reorder;
    Memory from, to;
  };

  [[nodiscard]] bool is_lstm() const { return case_.cell == Cell::kLstm; }

  static void clear(Memory& memory) { std::memset(memory.get_data_handle(), 0, memory.get_desc().get_size()); }

  Memory zeros(const Descriptor& descriptor) {
    Memory memory(descriptor, engine_);
    clear(memory);
    return memory;
  }

  Memory converted(Memory from, const Descriptor& to_descriptor) {
    Memory to(to_descriptor, engine_);
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return to;
  }

  // f32 numbers as a memory of that descriptor, whatever its type.
  Memory memory_of(const std::vector<float>& values, const Descriptor& descriptor, Tag tag) {
    Memory plain(Descriptor(descriptor.dims(), Type::f32, tag), engine_);
    std::ranges::copy(values, static_cast<float*>(plain.get_data_handle()));
    return converted(plain, descriptor);
  }

  std::vector<float> numbers_of(const Memory& memory, Tag tag) {
    const Descriptor descriptor(memory.get_desc().dims(), Type::f32, tag);
    const Memory plain = converted(memory, descriptor);
    const auto* const first = static_cast<const float*>(plain.get_data_handle());
    return {first, first + descriptor.get_size() / sizeof(float)};
  }
  std::vector<float> numbers_of(const Memory& memory) {
    return numbers_of(memory, memory.get_desc().dims().size() == 3 ? Tag::tnc : Tag::ldnc);
  }

  Memory weights(const std::vector<float>& ours, const Descriptor& plain, std::int64_t inputs) {
    std::vector<float> theirs(ours.size());
    for_each_weight(case_, inputs, [&](std::size_t our, std::size_t their) { theirs[their] = ours[our]; });
    return memory_of(theirs, plain, Tag::ldigo);
  }

  std::vector<float> weights_gradient(int argument, const Descriptor& plain, std::int64_t inputs) {
    const std::vector<float> theirs = numbers_of(converted(backward_.at(argument), plain), Tag::ldigo);
    std::vector<float> ours(theirs.size());
    for_each_weight(case_, inputs, [&](std::size_t our, std::size_t their) { ours[our] = theirs[their]; });
    return ours;
  }

  Memory bias(const RecurrentNumbers& numbers) {
    std::vector<float> theirs;
    for (const BiasGate& gate : bias_gates(case_.cell)) {
      for (std::int64_t j = 0; j < case_.shape.H; ++j) {
        const auto at = static_cast<std::size_t>(gate.gate * case_.shape.H + j);
        theirs.push_back((gate.input ? numbers.b_input[at] : 0) + (gate.hidden ? numbers.b_hidden[at] : 0));
      }
    }
    return memory_of(theirs, plain_.bias, Tag::ldgo);
  }

  std::vector<float> bias_gradient(bool BiasGate::*takes_part) {
    const std::vector<float> theirs = numbers_of(backward_.at(DNNL_ARG_DIFF_BIAS), Tag::ldgo);
    std::vector<float> ours(static_cast<std::size_t>(case_.gate_rows()));
    auto from = theirs.begin();
    for (const BiasGate& gate : bias_gates(case_.cell)) {
      if (gate.*takes_part) std::copy_n(from, case_.shape.H, ours.begin() + gate.gate * case_.shape.H);
      from += case_.shape.H;
    }
    return ours;
  }

  void prepare_forward(const RecurrentNumbers& numbers) {
    const auto wanted = [&](int argument) {
      return primitives_.forward_description.query_md(dnnl::query::exec_arg_md, argument);
    };
    forward_ = {{DNNL_ARG_SRC_LAYER, memory_of(numbers.x, plain_.src, Tag::tnc)},
                {DNNL_ARG_SRC_ITER, memory_of(numbers.h0, plain_.state, Tag::ldnc)},
                {DNNL_ARG_WEIGHTS_LAYER, zeros(wanted(DNNL_ARG_WEIGHTS_LAYER))},
                {DNNL_ARG_WEIGHTS_ITER, zeros(wanted(DNNL_ARG_WEIGHTS_ITER))},
                {DNNL_ARG_BIAS, bias(numbers)},
                {DNNL_ARG_DST_LAYER, zeros(plain_.dst)},
                {DNNL_ARG_DST_ITER, zeros(plain_.state)},
                {DNNL_ARG_WORKSPACE, zeros(wanted(DNNL_ARG_WORKSPACE))}};
    if (is_lstm()) {
      forward_[DNNL_ARG_SRC_ITER_C] = memory_of(numbers.c0, plain_.c_state, Tag::ldnc);
      forward_[DNNL_ARG_DST_ITER_C] = zeros(plain_.c_state);
    }
  }

  void prepare_backward(const RecurrentNumbers& numbers) {
    const auto wanted = [&](int argument) {
      return primitives_.backward_description.query_md(dnnl::query::exec_arg_md, argument);
    };
    backward_ = forward_;
    for (const int argument :
         {DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER}) {
      backward_[argument] = zeros(wanted(argument));
    }
    backward_[DNNL_ARG_DIFF_BIAS] = zeros(plain_.bias);
    backward_[DNNL_ARG_DIFF_DST_LAYER] = memory_of(numbers.dout, plain_.ddst, Tag::tnc);
    backward_[DNNL_ARG_DIFF_DST_ITER] = zeros(plain_.dstate);
    backward_[DNNL_ARG_DIFF_SRC_LAYER] = zeros(plain_.dsrc);
    backward_[DNNL_ARG_DIFF_SRC_ITER] = zeros(plain_.dstate);
    if (is_lstm()) {
      backward_[DNNL_ARG_DIFF_DST_ITER_C] = zeros(plain_.dstate);
      backward_[DNNL_ARG_DIFF_SRC_ITER_C] = zeros(plain_.dstate);
    }
  }

  void prepare_packing() {
    for (const auto& [from, argument] : {std::pair(U_, DNNL_ARG_WEIGHTS_LAYER), std::pair(W_, DNNL_ARG_WEIGHTS_ITER)}) {
      for (const Memory& to : {forward_.at(argument), backward_.at(argument)}) {
        packings_.push_back({dnnl::reorder(from, to), from, to});
      }
    }
  }

  RecurrentCase case_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  Descriptors plain_;
  Primitives primitives_;
  Memory U_, W_;
  std::unordered_map<int, Memory> forward_, backward_;
  std::vector<Packing> packings_;
};

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) {
  return unroll::run_recurrent_side("rnn_primitive", {argv + 1, argv + argc},
                                    [](const unroll::RecurrentCase& c, const unroll::RecurrentNumbers& numbers) {
                                      unroll::flush_subnormals_in_all_threads(c.threads);
                                      return std::make_unique<unroll::Primitive>(c, numbers);
                                    });
}
