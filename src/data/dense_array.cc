#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "data/dense_collector.h"
#include "data/number_array.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// How an array is cut into sequences.
struct SequenceShape {
  std::int64_t N = 0;
  std::int64_t T = 0;
  std::int64_t D = 0;
};

[[noreturn]] void refuse_array(const NumberArray& array, std::string_view expected) {
  throw Error(ErrorCode::kInput, fmt::format("{}: an array of shape {}: expected {}", text_name(array.path),
                                             array.shape_name(), expected));
}

SequenceShape sequences_of(const NumberArray& array, std::int64_t step) {
  if (array.is_text()) {
    throw Error(ErrorCode::kInput, fmt::format("{}: text, where numbers are expected", text_name(array.path)));
  }
  if (array.shape.size() < 2) refuse_array(array, "(N, T) or (N, T, D), for N sequences of T steps of D numbers");
  SequenceShape shape{.N = array.shape[0], .T = array.shape[1], .D = 1};
  for (std::size_t i = 2; i < array.shape.size(); ++i) shape.D *= array.shape[i];
  if (step == 0) return shape;
  const std::int64_t numbers = shape.T * shape.D;
  if (numbers % step != 0) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`step` is {}: {} has sequences of {} numbers, which it does not divide", step,
                            text_name(array.path), numbers),
                "step");
  }
  return {.N = shape.N, .T = numbers / step, .D = step};
}

// K of an array of targets whose dimensions but the last are (N), or (N, T) with targets per step.
std::int64_t targets_of(const NumberArray& array, const SequenceShape& shape, const DenseOptions& options) {
  std::vector<std::int64_t> wanted{shape.N};
  if (options.target_per_step) wanted.push_back(shape.T);
  const bool begins =
      array.shape.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), array.shape.begin());
  const std::size_t rest = array.shape.size() - wanted.size();
  const std::int64_t K = begins && rest == 1 ? array.shape.back() : 1;
  const bool labels = options.target == DenseTarget::kLabels;
  if (begins && rest <= 1 && (!labels || K == 1)) return K;
  refuse_array(array, fmt::format("({}{}) targets{}", fmt::join(wanted, ", "), wanted.size() == 1 ? "," : "",
                                  labels ? ", whole numbers or text; of one number per label, the largest's place "
                                           "(numpy.argmax)"
                                         : fmt::format(", or ({}, K)", fmt::join(wanted, ", "))));
}

NumberArray read_array(const std::string& path, DenseFormat format) {
  std::string bytes = read_text(path, TextCoding::kBytes);
  return format == DenseFormat::kNpy ? npy_array(path, std::move(bytes)) : idx_array(path, std::move(bytes));
}

// Whichever of the two formats it has.
NumberArray read_targets(const std::string& path) {
  std::string bytes = read_text(path, TextCoding::kBytes);
  if (is_npy(bytes)) return npy_array(path, std::move(bytes));
  if (is_idx(bytes)) return idx_array(path, std::move(bytes));
  throw Error(ErrorCode::kInput,
              fmt::format("{}: expected an array of targets, in the format npy or idx", text_name(path)));
}

std::vector<std::string> names_of_targets(std::int64_t K) {
  std::vector<std::string> names;
  for (std::int64_t k = 1; k <= K; ++k) names.push_back(fmt::format("{}", k));
  return names;
}

// The steps of sequence n: those after the last that has a number are padding.
std::int64_t steps_before_padding(const NumberArray& array, const SequenceShape& shape, std::int64_t n) {
  if (array.kind != NumberArray::Kind::kFloat) return shape.T;
  const std::int64_t first = n * shape.T * shape.D;
  for (std::int64_t i = first + shape.T * shape.D; i > first; --i) {
    if (!std::isnan(array.number(i - 1))) return (i - 1 - first) / shape.D + 1;
  }
  throw Error(ErrorCode::kInput, fmt::format("{}, element [{}]: a sequence without numbers", text_name(array.path), n));
}

void add_array_targets(const NumberArray& targets, std::int64_t first, std::int64_t count, DenseCollector& collector) {
  for (std::int64_t i = first; i < first + count; ++i) {
    if (collector.options().target == DenseTarget::kLabels) {
      collector.add_label(targets.label(i));
    } else {
      collector.add_target(targets.number(i), [&] { return targets.place(i); });
    }
  }
}

}  // namespace

void read_dense_array(const std::string& path, DenseFormat format, const std::string& target_path,
                      DenseCollector& collector) {
  const DenseOptions& options = collector.options();
  const NumberArray array = read_array(path, format);
  const SequenceShape shape = sequences_of(array, options.step);
  const bool has_targets = options.target != DenseTarget::kNone && !target_path.empty();
  std::optional<NumberArray> targets;
  std::int64_t K = 0;
  if (has_targets) {
    targets = read_targets(target_path);
    K = targets_of(*targets, shape, options);
    if (options.target == DenseTarget::kNumbers && targets->is_text()) {
      throw Error(ErrorCode::kInput, fmt::format("{}: text, where numbers are expected", text_name(target_path)));
    }
  }
  const bool bytes = array.kind == NumberArray::Kind::kUnsigned && array.size == 1;
  collector.begin_file(path, {.D = shape.D,
                              .outputs = names_of_targets(options.target == DenseTarget::kNumbers ? K : 0),
                              .has_targets = has_targets,
                              .all_bytes = bytes});
  for (std::int64_t n = 0; n < shape.N; ++n) {
    const std::int64_t first = n * shape.T * shape.D;
    const std::int64_t steps = steps_before_padding(array, shape, n);
    for (std::int64_t i = first; i < first + steps * shape.D; ++i) {
      collector.add(array.number(i), [&] { return array.place(i); });
    }
    collector.end_sequence(-1 - n);
    if (!targets) continue;
    const std::int64_t per_target = options.target_per_step ? shape.T * K : K;
    add_array_targets(*targets, n * per_target, options.target_per_step ? steps * K : K, collector);
  }
}

}  // namespace unroll
