#include <cmath>
#include <string>

#include "data/dense_scaling.h"
#include "target.h"
#include "targets.h"
#include "unroll/data/dense.h"

namespace unroll {
namespace {

// Two sequences of two steps, whose targets the input may be.
constexpr std::string_view kTwoSequences{"\0\0\x08\x02\0\0\0\x02\0\0\0\x02\x01\x02\x03\x04", 16};

// r, t: tables of rows, t with labels; s: a table of steps; n, i: arrays; l, k: labels and numbers of an array.
DenseOptions dense_options_of(char choice, const std::string& path) {
  switch (choice) {
    case 't':
      return {.paths = {path},
              .format = DenseFormat::kTsv,
              .target = DenseTarget::kLabels,
              .targets_needed = false,
              .target_columns = {"label"}};
    case 's':
      return {.paths = {path},
              .format = DenseFormat::kCsv,
              .target = DenseTarget::kNumbers,
              .target_per_step = true,
              .target_columns = {"2"},
              .sequence_column = "1"};
    case 'n':
      return {.paths = {path}, .format = DenseFormat::kNpy};
    case 'i':
      return {.paths = {path}, .format = DenseFormat::kIdx, .step = 1};
    case 'l':
    case 'k':
      return {.paths = {file_of(kTwoSequences, "two.idx")},
              .target_paths = {path},
              .target = choice == 'l' ? DenseTarget::kLabels : DenseTarget::kNumbers};
    default:
      return {.paths = {path}, .format = DenseFormat::kCsv};
  }
}

bool all_finite(const auto& numbers) {
  for (const auto number : numbers) {
    if (!std::isfinite(number)) return false;
  }
  return true;
}

void check_sequences(const DenseData& data) {
  expect(data.sequences() > 0 && data.starts.size() == data.sequences() + 1, "there is a sequence");
  for (std::size_t i = 0; i < data.sequences(); ++i) {
    expect(data.length(i) > 0, "a sequence has a step");
    expect(!data.place(i).empty(), "a sequence has a place");
  }
  expect(std::ssize(data.values) == data.steps() * data.D, "steps have D numbers");
  expect(all_finite(data.values) && all_finite(data.numbers), "numbers are finite");
  const std::size_t targets = data.target_per_step ? static_cast<std::size_t>(data.steps()) : data.sequences();
  expect(data.label_of.empty() || data.label_of.size() == targets, "targets have labels");
  expect(data.numbers.size() % targets == 0 && data.numbers.size() / targets == data.outputs.size(),
         "targets have numbers");
  for (const std::int32_t label : data.label_of) {
    expect(label >= 0 && label < std::ssize(data.labels), "labels have names");
  }
}

}  // namespace

std::string fuzz_dense(std::string_view input) {
  const char choice = take_choice(input, "rtsnilk");
  const std::string path = file_of(input, "dense");
  return refusal_of([&] {
    DenseData data = read_dense(dense_options_of(choice, path));
    check_sequences(data);
    const std::vector<std::size_t> first = {0};
    scale_inputs(input_scaling(data, DenseScale::kStandard, first), data.values);
  });
}

}  // namespace unroll
