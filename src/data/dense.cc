#include "unroll/data/dense.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/names.h"
#include "base/quote.h"
#include "data/dense_collector.h"
#include "data/label_numbers.h"
#include "data/number_array.h"
#include "data/text_file.h"
#include "data/trainable.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::string_view name_of_dense_format(DenseFormat format) noexcept {
  switch (format) {
    case DenseFormat::kCsv:
      return "csv";
    case DenseFormat::kTsv:
      return "tsv";
    case DenseFormat::kNpy:
      return "npy";
    case DenseFormat::kIdx:
      return "idx";
  }
  return {};
}

constexpr std::pair<std::string_view, DenseFormat> kDenseEndings[] = {
    {".csv", DenseFormat::kCsv}, {".tsv", DenseFormat::kTsv}, {".tab", DenseFormat::kTsv},
    {".npy", DenseFormat::kNpy}, {".idx", DenseFormat::kIdx}, {"-ubyte", DenseFormat::kIdx}};

constexpr std::string_view name_of_dense_scale(DenseScale scale) noexcept {
  switch (scale) {
    case DenseScale::kNone:
      return "none";
    case DenseScale::kStandard:
      return "standard";
    case DenseScale::kBytes:
      return "bytes";
  }
  return {};
}

bool is_array(DenseFormat format) noexcept { return format == DenseFormat::kNpy || format == DenseFormat::kIdx; }

DenseFormat format_of_content(const std::string& path) {
  const std::string bytes = read_text(path, TextCoding::kBytes);
  if (is_npy(bytes)) return DenseFormat::kNpy;
  if (is_idx(bytes)) return DenseFormat::kIdx;
  return std::string_view(bytes).substr(0, bytes.find('\n')).find('\t') == std::string_view::npos ? DenseFormat::kCsv
                                                                                                  : DenseFormat::kTsv;
}

DenseFormat dense_format_of(const std::string& path, const DenseOptions& options) {
  if (options.format) return *options.format;
  std::string name = path;
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const auto& [ending, format] : kDenseEndings) {
    if (name.ends_with(ending)) return format;
  }
  // Standard input can be read only once.
  return path == "-" ? DenseFormat::kCsv : format_of_content(path);
}

[[noreturn]] void refuse_options(std::string_view field, const std::string& why) {
  throw Error(ErrorCode::kUsage, why, std::string(field));
}

// Each format has its targets in one place.
void expect_targets_of_format(const std::string& path, DenseFormat format, const DenseOptions& options) {
  if (is_array(format)) {
    const std::string expected =
        fmt::format("{} is an array, whose targets are in a file of their own (`target_paths`)", text_name(path));
    if (!options.target_columns.empty()) refuse_options("target_columns", expected);
    if (!options.sequence_column.empty() || !options.columns.empty()) {
      refuse_options("columns", fmt::format("{} is an array, which has no columns", text_name(path)));
    }
    if (options.target != DenseTarget::kNone && options.targets_needed && options.target_paths.empty()) {
      refuse_options("target_paths", expected);
    }
    return;
  }
  const std::string expected =
      fmt::format("{} is a table, whose targets are in columns of it (`target_columns`)", text_name(path));
  if (!options.target_paths.empty()) refuse_options("target_paths", expected);
  if (options.target != DenseTarget::kNone && options.targets_needed && options.target_columns.empty()) {
    refuse_options("target_columns", expected);
  }
  if (options.target != DenseTarget::kNone && options.target_per_step && options.sequence_column.empty()) {
    refuse_options(
        "sequence_column",
        fmt::format("{} has one row per sequence, which has no target for each step: `sequence_column` names "
                    "the sequence of rows that are steps",
                    text_name(path)));
  }
}

void expect_all_once(std::string_view field, std::vector<std::string> names) {
  if (std::ranges::find(names, "") != names.end()) refuse_options(field, fmt::format("`{}` has an empty name", field));
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) refuse_options(field, fmt::format("`{}` has {} twice", field, quote(*twice)));
}

void check_dense_options(const DenseOptions& options) {
  if (options.paths.empty()) refuse_options("paths", "`paths` is empty: expected at least one file");
  if (options.format) expect_enumerator("format", *options.format, name_of_dense_format(*options.format));
  if (!options.target_paths.empty() && options.target_paths.size() != options.paths.size()) {
    refuse_options("target_paths",
                   fmt::format("`target_paths` has {} files, `paths` {}: expected targets for each file",
                               options.target_paths.size(), options.paths.size()));
  }
  if (options.target == DenseTarget::kLabels && options.target_columns.size() > 1) {
    refuse_options("target_columns", "`target_columns` has several columns: expected one, with labels");
  }
  if (options.step < 0) {
    refuse_options("step", fmt::format("`step` is {}: expected at least 1, or 0 for what the file has", options.step));
  }
  if (options.step > 0 && !options.sequence_column.empty()) {
    refuse_options("step", "`step` cuts rows into steps, but with a `sequence_column` each row is a step");
  }
  expect_all_once("target_columns", options.target_columns);
  expect_all_once("columns", options.columns);
}

void expect_learnable_labels(const DenseData& data) {
  const std::string name = text_name(data.files);
  if (data.labels.size() < 2) {
    throw Error(ErrorCode::kInput, fmt::format("{}: every target is {}: expected at least two labels to choose from",
                                               name, quote(data.labels.front())));
  }
  const std::string doubt = doubt_about_labels(std::ssize(data.labels), std::ssize(data.label_of));
  if (!doubt.empty()) throw Error(ErrorCode::kInput, fmt::format("{}: {}", name, doubt));
}

}  // namespace

std::string_view dense_format_name(DenseFormat format) noexcept { return name_of_dense_format(format); }
DenseFormat parse_dense_format(std::string_view name) {
  return parse_name<DenseFormat, name_of_dense_format>("format of numbers", name);
}

std::string_view dense_scale_name(DenseScale scale) noexcept { return name_of_dense_scale(scale); }
DenseScale parse_dense_scale(std::string_view name) {
  return parse_name<DenseScale, name_of_dense_scale>("scale of inputs", name);
}
DenseScale default_scale(const DenseData& data) noexcept {
  return data.all_bytes ? DenseScale::kBytes : DenseScale::kStandard;
}

std::string DenseData::place(std::size_t sequence) const {
  const std::string& path = files[static_cast<std::size_t>(file_of[sequence])];
  const std::int64_t line = line_of[sequence];
  return line > 0 ? line_place(path, line) : fmt::format("{}, element [{}]", text_name(path), -1 - line);
}

DenseData read_dense(const DenseOptions& options) {
  check_dense_options(options);
  DenseCollector collector(options);
  for (std::size_t i = 0; i < options.paths.size(); ++i) {
    const std::string& path = options.paths[i];
    const DenseFormat format = dense_format_of(path, options);
    expect_targets_of_format(path, format, options);
    if (is_array(format)) {
      read_dense_array(path, format, options.target_paths.empty() ? "" : options.target_paths[i], collector);
    } else {
      read_dense_table(path, format, collector);
    }
  }
  return collector.finish();
}

void expect_trainable(const DenseData& data) {
  if (!data.label_of.empty()) expect_learnable_labels(data);
  const std::size_t K = data.outputs.size();
  for (std::size_t k = 0; k < K; ++k) {
    bool varies = false;
    for (std::size_t i = k; i < data.numbers.size(); i += K) varies = varies || data.numbers[i] != data.numbers[k];
    if (varies) continue;
    throw Error(ErrorCode::kInput, fmt::format("{}: the target {} is {} everywhere: there is nothing to learn",
                                               text_name(data.files), quote(data.outputs[k]), data.numbers[k]));
  }
}

void renumber_labels(DenseData& data, std::span<const std::string> labels) {
  LabelNumbers renumbered = label_numbers(data.labels, labels);
  for (std::int32_t& label : data.label_of) label = renumbered.numbers[static_cast<std::size_t>(label)];
  data.labels = std::move(renumbered.labels);
}

}  // namespace unroll
