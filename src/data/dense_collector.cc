#include "data/dense_collector.h"

#include <fmt/format.h>

#include <cassert>
#include <cmath>
#include <utility>

#include "data/label_numbers.h"
#include "data/message_parts.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {

bool DenseCollector::is_finite(float value) noexcept { return std::isfinite(value); }

void DenseCollector::refuse(const std::string& place, double value) {
  throw Error(ErrorCode::kInput,
              fmt::format("{} is {}: expected a finite number{}", place, value,
                          std::isnan(value) ? "; fill or leave out what is missing" : ", at most that of a float"));
}

void DenseCollector::begin_file(const std::string& path, DenseFileShape shape) {
  const auto differs = [&](std::string_view how) {
    const std::string& first = found_.files.front();
    return Error(ErrorCode::kInput, fmt::format("{} and {} differ: {}", text_name(first), text_name(path), how));
  };
  if (found_.files.empty()) {
    found_.D = shape.D;
    found_.inputs = std::move(shape.inputs);
    found_.outputs = std::move(shape.outputs);
    found_.all_bytes = shape.all_bytes;
    has_targets_ = shape.has_targets;
  } else if (found_.D != shape.D) {
    throw differs(fmt::format("{} and {} numbers per step", found_.D, shape.D));
  } else if (found_.inputs != shape.inputs) {
    throw differs(fmt::format("their inputs are {} and {}", quoted_list(found_.inputs), quoted_list(shape.inputs)));
  } else if (has_targets_ != shape.has_targets) {
    throw differs("one has targets, the other has none");
  } else if (found_.outputs != shape.outputs) {
    throw differs(fmt::format("their targets are {} and {}", quoted_list(found_.outputs), quoted_list(shape.outputs)));
  }
  found_.all_bytes = found_.all_bytes && shape.all_bytes;
  found_.files.push_back(path);
}

void DenseCollector::add_label(const std::string& label) {
  const auto [entry, is_new] = numbers_.try_emplace(label, static_cast<std::int32_t>(found_.labels.size()));
  if (is_new) found_.labels.push_back(label);
  found_.label_of.push_back(entry->second);
}

std::int64_t DenseCollector::pending() const noexcept {
  return std::ssize(found_.values) - found_.starts.back() * found_.D;
}

void DenseCollector::end_sequence(std::int64_t line) {
  assert(pending() > 0 && pending() % found_.D == 0);
  found_.starts.push_back(std::ssize(found_.values) / found_.D);
  found_.file_of.push_back(static_cast<std::int32_t>(found_.files.size()) - 1);
  found_.line_of.push_back(line);
}

DenseData DenseCollector::finish() {
  if (found_.file_of.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("{}: no sequence of numbers", text_name(options_.paths)));
  }
  std::vector<std::string> labels = found_.labels;
  sort_labels(labels);
  renumber_labels(found_, labels);
  return std::move(found_);
}

}  // namespace unroll
