// One recurrent layer, forward and backward, timed on request: LIBXSMM's side of the section `layers`, its LSTM cell in
// f32. recurrent_case.h describes arguments, output and steps.
//
//   xsmm_layer --check    prints why it cannot run here; nothing if it can
//
// A step brings the weights from f32 in (gates, units, inputs) into the blocks of both directions.
#include <fmt/format.h>

#include <iostream>
#include <string_view>

#if defined(UNROLL_HAS_LIBXSMM)
#include <immintrin.h>
#include <libxsmm.h>
#include <omp.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/buffer.h"
#include "recurrent_case.h"

namespace unroll {
namespace {

std::string obstacle() { return __builtin_cpu_supports("avx512f") != 0 ? "" : "the processor has no AVX-512"; }

void require(libxsmm_dnn_err_t status, std::string_view what) {
  // Numbers from 100000 on are errors, smaller ones warnings.
  constexpr unsigned kFirstError = 100000;
  if (status >= kFirstError) {
    throw std::runtime_error(fmt::format("LIBXSMM: {}: {}", what, libxsmm_dnn_get_error(status)));
  }
}

// Our gate at each place of theirs: we have i, f, c~, o, they have i, c~, f, o.
constexpr std::int64_t kOurGates[] = {0, 2, 1, 3};
constexpr std::int64_t kGates = 4;

// The longest block of at most 64 that divides a size; if possible of whole vectors, whose code is faster.
std::int64_t block_of(std::int64_t size) {
  constexpr std::int64_t kMost = 64;
  constexpr std::int64_t kVector = 16;
  for (std::int64_t block = kMost; block > 0; block -= kVector) {
    if (size % block == 0) return block;
  }
  std::int64_t block = std::min(size, kMost);
  while (size % block != 0) --block;
  return block;
}

// A weight matrix in blocks, for x W^T (forward) and x W (backward), and its gradient, which has forward's layout.
class BlockedMatrix {
 public:
  BlockedMatrix(std::int64_t H, std::int64_t inputs)
      : forward(kGates * H * inputs),
        backward(kGates * H * inputs),
        gradient(kGates * H * inputs),
        H_(H),
        inputs_(inputs),
        unit_block_(block_of(H)),
        input_block_(block_of(inputs)) {}

  void pack(const std::vector<float>& ours) {
#pragma omp parallel for
    for (std::int64_t i = 0; i < kGates * (H_ / unit_block_); ++i) {
      for_each_in(i, [&](std::int64_t our, std::int64_t in_forward, std::int64_t in_backward) {
        forward.data()[in_forward] = ours[static_cast<std::size_t>(our)];
        backward.data()[in_backward] = ours[static_cast<std::size_t>(our)];
      });
    }
  }

  [[nodiscard]] std::vector<float> gradient_in_our_layout() const {
    std::vector<float> ours(gradient.span().size());
    for (std::int64_t i = 0; i < kGates * (H_ / unit_block_); ++i) {
      for_each_in(i, [&](std::int64_t our, std::int64_t in_forward, std::int64_t /*in_backward*/) {
        ours[static_cast<std::size_t>(our)] = gradient.data()[in_forward];
      });
    }
    return ours;
  }

  FloatBuffer forward, backward, gradient;

 private:
  // Calls at(ours, place in forward, place in backward) for each weight of one gate's block of units.
  // Forward is [gate][units][inputs][input][unit], backward [gate][inputs][units][unit][input].
  template <class At>
  void for_each_in(std::int64_t gate_and_block, const At& at) const {
    const std::int64_t gate = gate_and_block / (H_ / unit_block_);
    const std::int64_t k_block = gate_and_block % (H_ / unit_block_);
    const std::int64_t first = gate * H_ * inputs_;
    for (std::int64_t c_block = 0; c_block < inputs_ / input_block_; ++c_block) {
      const std::int64_t block = unit_block_ * input_block_;
      const std::int64_t in_forward = first + (k_block * (inputs_ / input_block_) + c_block) * block;
      const std::int64_t in_backward = first + (c_block * (H_ / unit_block_) + k_block) * block;
      for (std::int64_t c = 0; c < input_block_; ++c) {
        for (std::int64_t k = 0; k < unit_block_; ++k) {
          const std::int64_t row = kOurGates[gate] * H_ + k_block * unit_block_ + k;
          at(row * inputs_ + c_block * input_block_ + c, in_forward + c * unit_block_ + k,
             in_backward + k * input_block_ + c);
        }
      }
    }
  }

  std::int64_t H_, inputs_, unit_block_, input_block_;
};

class XsmmCell final : public RecurrentSide {
 public:
  XsmmCell(const RecurrentCase& c, const RecurrentNumbers& numbers)
      : case_(c), numbers_(numbers), U_(c.shape.H, c.shape.E), W_(c.shape.H, c.shape.H) {
    if (c.cell != Cell::kLstm || c.precision != Precision::kF32) {
      throw std::runtime_error("only lstm in f32 is compared with LIBXSMM's");
    }
    omp_set_num_threads(c.threads);
    libxsmm_init();
    create();
    bind_all();
    bind_rooms();
  }
  ~XsmmCell() override { libxsmm_dnn_destroy_rnncell(cell_); }
  XsmmCell(const XsmmCell&) = delete;
  XsmmCell& operator=(const XsmmCell&) = delete;
  XsmmCell(XsmmCell&&) = delete;
  XsmmCell& operator=(XsmmCell&&) = delete;

  void pack() override {
    U_.pack(numbers_.U);
    W_.pack(numbers_.W);
  }

  void forward_backward() override {
#pragma omp parallel
    {
      constexpr unsigned kFlushToZeroAndDenormalsAreZero = 0x8040;  // as our workers do
      _mm_setcsr(_mm_getcsr() | kFlushToZeroAndDenormalsAreZero);
      const int thread = omp_get_thread_num();
      libxsmm_dnn_rnncell_execute_st(cell_, LIBXSMM_DNN_COMPUTE_KIND_FWD, 0, thread);
#pragma omp barrier
      libxsmm_dnn_rnncell_execute_st(cell_, LIBXSMM_DNN_COMPUTE_KIND_BWDUPD, 0, thread);
    }
  }

  std::vector<NamedResult> results() override {
    const std::vector<float> bias = bias_in_our_order(numbers_of(LIBXSMM_DNN_RNN_GRADIENT_BIAS));
    return {{"h", numbers_of(LIBXSMM_DNN_RNN_REGULAR_HIDDEN_STATE)},
            {"dx", numbers_of(LIBXSMM_DNN_RNN_GRADIENT_INPUT)},
            {"dh0", numbers_of(LIBXSMM_DNN_RNN_GRADIENT_HIDDEN_STATE_PREV)},
            {"dU", U_.gradient_in_our_layout()},
            {"dW", W_.gradient_in_our_layout()},
            {"db_input", bias},
            {"db_hidden", bias}};
  }

  [[nodiscard]] std::string about() const override {
    return fmt::format("LIBXSMM {}: {}, blocks of {} units, {} inputs, {} rows", LIBXSMM_VERSION,
                       libxsmm_get_target_arch(), description_.bk, description_.bc, description_.bn);
  }

 private:
  void create() {
    const RecurrentShape& s = case_.shape;
    description_.threads = case_.threads;
    description_.K = static_cast<libxsmm_blasint>(s.H);
    description_.N = static_cast<libxsmm_blasint>(s.B);
    description_.C = static_cast<libxsmm_blasint>(s.E);
    description_.max_T = static_cast<libxsmm_blasint>(s.T);
    description_.bk = static_cast<libxsmm_blasint>(block_of(s.H));
    description_.bn = static_cast<libxsmm_blasint>(block_of(s.B));
    description_.bc = static_cast<libxsmm_blasint>(block_of(s.E));
    description_.cell_type = LIBXSMM_DNN_RNNCELL_LSTM;
    description_.datatype_in = LIBXSMM_DNN_DATATYPE_F32;
    description_.datatype_out = LIBXSMM_DNN_DATATYPE_F32;
    description_.buffer_format = LIBXSMM_DNN_TENSOR_FORMAT_NC;
    description_.filter_format = LIBXSMM_DNN_TENSOR_FORMAT_CKPACKED;
    libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
    cell_ = libxsmm_dnn_create_rnncell(description_, &status);
    require(status, "creating the cell");
  }

  void bind(libxsmm_dnn_tensor_type type, const FloatBuffer& values) {
    libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
    libxsmm_dnn_tensor_datalayout* const layout = libxsmm_dnn_rnncell_create_tensor_datalayout(cell_, type, &status);
    require(status, "a layout");
    libxsmm_dnn_tensor* const tensor = libxsmm_dnn_link_tensor(layout, values.data(), &status);
    require(status, "a tensor");
    libxsmm_dnn_destroy_tensor_datalayout(layout);
    require(libxsmm_dnn_rnncell_bind_tensor(cell_, tensor, type), "binding a tensor");
  }

  // Binds a buffer of this size, zero or with these numbers.
  void bind_room(libxsmm_dnn_tensor_type type, std::int64_t size) {
    bind(type, buffers_.insert_or_assign(type, FloatBuffer(size)).first->second);
  }
  void bind_numbers(libxsmm_dnn_tensor_type type, const std::vector<float>& values) {
    bind_room(type, std::ssize(values));
    std::ranges::copy(values, buffers_.at(type).data());
  }

  [[nodiscard]] std::vector<float> numbers_of(libxsmm_dnn_tensor_type type) const {
    const std::span<float> values = buffers_.at(type).span();
    return {values.begin(), values.end()};
  }

  [[nodiscard]] std::vector<float> bias_in_our_order(const std::vector<float>& theirs) const {
    std::vector<float> ours(theirs.size());
    for (std::int64_t j = 0; j < case_.gate_rows(); ++j) ours[our_place(j)] = theirs[static_cast<std::size_t>(j)];
    return ours;
  }
  [[nodiscard]] std::size_t our_place(std::int64_t theirs) const {
    const std::int64_t H = case_.shape.H;
    return static_cast<std::size_t>(kOurGates[theirs / H] * H + theirs % H);
  }

  void bind_all() {
    const std::int64_t state = case_.shape.B * case_.shape.H;
    const std::int64_t states = case_.shape.T * state;
    std::vector<float> bias;
    for (std::int64_t j = 0; j < case_.gate_rows(); ++j) {
      bias.push_back(numbers_.b_input[our_place(j)] + numbers_.b_hidden[our_place(j)]);
    }
    bind_numbers(LIBXSMM_DNN_RNN_REGULAR_INPUT, numbers_.x);
    bind_numbers(LIBXSMM_DNN_RNN_REGULAR_CS_PREV, numbers_.c0);
    bind_numbers(LIBXSMM_DNN_RNN_REGULAR_HIDDEN_STATE_PREV, numbers_.h0);
    bind_numbers(LIBXSMM_DNN_RNN_REGULAR_BIAS, bias);
    bind_numbers(LIBXSMM_DNN_RNN_GRADIENT_HIDDEN_STATE, numbers_.dout);
    bind(LIBXSMM_DNN_RNN_REGULAR_WEIGHT, U_.forward);
    bind(LIBXSMM_DNN_RNN_REGULAR_WEIGHT_TRANS, U_.backward);
    bind(LIBXSMM_DNN_RNN_GRADIENT_WEIGHT, U_.gradient);
    bind(LIBXSMM_DNN_RNN_REGULAR_RECUR_WEIGHT, W_.forward);
    bind(LIBXSMM_DNN_RNN_REGULAR_RECUR_WEIGHT_TRANS, W_.backward);
    bind(LIBXSMM_DNN_RNN_GRADIENT_RECUR_WEIGHT, W_.gradient);
    for (const auto type : {LIBXSMM_DNN_RNN_REGULAR_CS, LIBXSMM_DNN_RNN_REGULAR_HIDDEN_STATE,
                            LIBXSMM_DNN_RNN_INTERNAL_I, LIBXSMM_DNN_RNN_INTERNAL_F, LIBXSMM_DNN_RNN_INTERNAL_O,
                            LIBXSMM_DNN_RNN_INTERNAL_CI, LIBXSMM_DNN_RNN_INTERNAL_CO}) {
      bind_room(type, states);
    }
    for (const auto type :
         {LIBXSMM_DNN_RNN_GRADIENT_CS_PREV, LIBXSMM_DNN_RNN_GRADIENT_HIDDEN_STATE_PREV, LIBXSMM_DNN_RNN_GRADIENT_CS}) {
      bind_room(type, state);
    }
    bind_room(LIBXSMM_DNN_RNN_GRADIENT_INPUT, case_.shape.T * case_.shape.B * case_.shape.E);
    bind_room(LIBXSMM_DNN_RNN_GRADIENT_BIAS, case_.gate_rows());
  }

  static FloatBuffer room_of(std::size_t bytes) {
    return FloatBuffer(static_cast<std::int64_t>(bytes / sizeof(float) + 1));
  }

  void bind_rooms() {
    constexpr auto kAll = LIBXSMM_DNN_COMPUTE_KIND_ALL;
    libxsmm_dnn_err_t status = LIBXSMM_DNN_SUCCESS;
    scratch_ = room_of(libxsmm_dnn_rnncell_get_scratch_size(cell_, kAll, &status));
    require(status, "the size of its scratch");
    require(libxsmm_dnn_rnncell_bind_scratch(cell_, kAll, scratch_.data()), "binding its scratch");
    internal_ = room_of(libxsmm_dnn_rnncell_get_internalstate_size(cell_, kAll, &status));
    require(status, "the size of its state");
    require(libxsmm_dnn_rnncell_bind_internalstate(cell_, kAll, internal_.data()), "binding its state");
  }

  RecurrentCase case_;
  RecurrentNumbers numbers_;
  libxsmm_dnn_rnncell_desc description_{};
  libxsmm_dnn_rnncell* cell_ = nullptr;
  BlockedMatrix U_, W_;
  std::map<libxsmm_dnn_tensor_type, FloatBuffer> buffers_;
  FloatBuffer scratch_, internal_;
};

int run(const std::vector<std::string>& arguments) {
  return run_recurrent_side("xsmm_layer", arguments, [](const RecurrentCase& c, const RecurrentNumbers& numbers) {
    return std::make_unique<XsmmCell>(c, numbers);
  });
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string obstacle = unroll::obstacle();
  if (arguments == std::vector<std::string>{"--check"}) {
    std::cout << obstacle << '\n';
    return 0;
  }
  if (obstacle.empty()) return unroll::run(arguments);
  std::cerr << "xsmm_layer: " << obstacle << '\n';
  return 1;
}

#else

int main() {
  std::cout << "the benchmarks were built without it (package libxsmm-dev)\n";
  return 1;
}

#endif
