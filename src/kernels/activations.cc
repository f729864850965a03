#include "kernels/activations.h"

#include "kernels/processor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activations.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "kernels/activations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll {
namespace HWY_NAMESPACE {

void exponentials_kernel(const float* x, float* y, std::size_t size) {
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR { io.store(exp_of(io.load(x + j)), y + j); });
}

void sigmoids_kernel(const float* x, float* y, std::size_t size) {
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR { io.store(sigmoid_of(io.load(x + j)), y + j); });
}

void hyperbolic_tangents_kernel(const float* x, float* y, std::size_t size) {
  for_each_vector(size, [&](auto io, std::size_t j) HWY_ATTR { io.store(tanh_of(io.load(x + j)), y + j); });
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll {

HWY_EXPORT(exponentials_kernel);
HWY_EXPORT(sigmoids_kernel);
HWY_EXPORT(hyperbolic_tangents_kernel);

void exponentials(std::span<const float> x, std::span<float> y) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(exponentials_kernel)(x.data(), y.data(), x.size());
}

void sigmoids(std::span<const float> x, std::span<float> y) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(sigmoids_kernel)(x.data(), y.data(), x.size());
}

void hyperbolic_tangents(std::span<const float> x, std::span<float> y) {
  prepare_processor();
  HWY_DYNAMIC_DISPATCH(hyperbolic_tangents_kernel)(x.data(), y.data(), x.size());
}

}  // namespace unroll
#endif
