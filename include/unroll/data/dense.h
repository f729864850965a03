// Sequences of vectors of numbers, with what is to be learned about them: series of measurements, images row by row.
//
//   DenseData digits = read_dense({.paths = {"train-images-idx3-ubyte.gz"},
//                                  .target_paths = {"train-labels-idx1-ubyte.gz"},
//                                  .target = DenseTarget::kLabels});
//   DenseData sales = read_dense({.paths = {"sales.csv"},
//                                 .target = DenseTarget::kNumbers,
//                                 .target_columns = {"next_week"},
//                                 .sequence_column = "shop"});
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// How numbers stand in a file. All may be packed with gzip.
enum class DenseFormat {
  // Tables, as of labelled texts (unroll/data/labelled_texts.h). With a sequence column, each row is a step, its
  // columns are the D numbers of the step, and rows that follow one another with the same value in that column are a
  // sequence. Without it, each row is a sequence, its columns are the numbers of all steps, and fields at its end that
  // are empty or NaN are no part of it. The first row names the columns if a column is given by name, or if none of the
  // fields that would be inputs is a number.
  kCsv,
  kTsv,
  // NumPy's array files: integers, bool, and floats of 4 or 8 bytes, in either byte order and either order of elements.
  // (N, T, D) are N sequences of T steps of D numbers, (N, T) is (N, T, 1), and dimensions beyond the third are part of
  // D. Steps at the end of a sequence that have no number but NaN are no part of it. Targets are (N) or, K numbers per
  // sequence, (N, K); per step (N, T) or (N, T, K). Labels may be text as well.
  kNpy,
  // The files of MNIST, of the same shapes and meaning: images (N, rows, columns) are sequences of rows.
  kIdx,
};

// "csv", "tsv", "npy", "idx".
[[nodiscard]] std::string_view dense_format_name(DenseFormat format) noexcept;

// The format with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] DenseFormat parse_dense_format(std::string_view name);

// What is to be learned: nothing, one of several labels, or K numbers.
enum class DenseTarget { kNone, kLabels, kNumbers };

struct DenseOptions {
  std::vector<std::string> paths = {};         // all files are read, one after the other
  std::vector<std::string> target_paths = {};  // kNpy, kIdx: the targets of each path, in either of these formats

  // Unset: what the name says that ends in .csv, .tsv, .tab, .npy, .idx or -ubyte (before .gz); else kNpy or kIdx, if
  // the first bytes say so; else kTsv, if the first line has a tab; else kCsv.
  std::optional<DenseFormat> format = {};

  DenseTarget target = DenseTarget::kNone;
  bool target_per_step = false;  // a target for each step; else one for each sequence
  bool targets_needed = true;    // if not, files without targets have none

  // Columns of tables, by name or by number from 1. Targets of a sequence that stand in several rows must be equal in
  // all of them. kLabels has one target column. Columns that are targets are no inputs, whatever `target` is.
  std::vector<std::string> target_columns = {};
  std::string sequence_column = {};
  std::vector<std::string> columns = {};  // inputs; empty: all others

  // Numbers per step, D, into which the numbers of a sequence are cut: 1 reads an image pixel by pixel. 0: as the file
  // has them; in a table without sequence column, 1.
  std::int64_t step = 0;
};

// N sequences. With targets per step the number of targets is that of steps, else N.
struct DenseData {
  std::int64_t D = 0;
  std::vector<float> values = {};          // (steps, D); finite
  std::vector<std::int64_t> starts = {0};  // sequence i is steps [starts[i], starts[i + 1]), at least one
  std::vector<std::string> inputs = {};    // (D) names of the columns; empty: they have none
  bool all_bytes = false;                  // all inputs were unsigned bytes, as in images

  bool target_per_step = false;
  std::vector<std::string> labels = {};  // kLabels: each once, by value if all are whole numbers, else by their bytes
  std::vector<std::int32_t> label_of = {};  // kLabels: of each target, its place in `labels`
  std::vector<std::string> outputs = {};    // kNumbers: (K) names of the columns, or "1" to K
  std::vector<double> numbers = {};         // kNumbers: (targets, K); finite

  std::vector<std::string> files = {};
  std::vector<std::int32_t> file_of = {};  // (N) place in `files`
  std::vector<std::int64_t> line_of = {};  // (N) the line of its first row, from 1; of arrays -1 - its index

  [[nodiscard]] std::size_t sequences() const noexcept { return file_of.size(); }
  [[nodiscard]] std::int64_t steps() const noexcept { return starts.back(); }
  [[nodiscard]] std::int64_t length(std::size_t sequence) const noexcept {
    return starts[sequence + 1] - starts[sequence];
  }
  // What messages call the place of a sequence: "'sales.csv', line 3", "'x.npy', element [17]".
  [[nodiscard]] std::string place(std::size_t sequence) const;
};

// Reads the sequences of all paths; "-" is standard input. Linear time.
//
// Throws Error{kUsage} naming the field: no path, another number of target paths, targets that are nowhere, more than
// one column of labels, a column that is given twice, `step` below 0, with a sequence column, or no divisor of the
// numbers of a sequence. Throws Error{kFile} as read_text() (unroll/text.h). Throws Error{kInput}, naming file, line
// and column, or the element of an array: a file that is not of the format, or ends early; elements of another type; a
// shape that is not one of those above, or not that of the targets; a column that does not exist; rows of different
// length; a field that is empty or no finite number; numbers beyond those of a float; rows of a sequence that do not
// follow one another, or whose targets differ; files of different D; labels that are no whole numbers; no sequence.
[[nodiscard]] DenseData read_dense(const DenseOptions& options);

// How inputs are scaled before a network reads them: each of the D numbers of a step in its own way.
//
//   kNone      x
//   kStandard  (x - mean) / standard deviation, over all steps that are trained on; what never varies becomes 0
//   kBytes     x / 255
enum class DenseScale { kNone, kStandard, kBytes };

// "none", "standard", "bytes".
[[nodiscard]] std::string_view dense_scale_name(DenseScale scale) noexcept;
[[nodiscard]] DenseScale parse_dense_scale(std::string_view name);

// kBytes where all inputs were unsigned bytes, else kStandard.
[[nodiscard]] DenseScale default_scale(const DenseData& data) noexcept;

// Throws Error{kInput} if nothing can be learned from targets: one label, more than 10,000 labels, or more than ten and
// more than half as many as targets; numbers that are all equal.
void expect_trainable(const DenseData& data);

// Makes data.labels begin with `labels`, all of them and in their order; labels that are not among them come after
// these.
void renumber_labels(DenseData& data, std::span<const std::string> labels);

}  // namespace unroll
