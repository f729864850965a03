// Rows of states as people and programs read them: TSV, JSON lines, NumPy's .npy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cli/streams/output.h"
#include "unroll/probe/text_states.h"

namespace unroll {

// A row, and the number of its text among all, from 1.
struct NumberedRow {
  std::int64_t text = 0;
  const StateRow& row;
};

// What the rows have in common.
struct StateRowShape {
  bool per_text = false;
  std::int64_t columns = 0;
};

// Writes rows one after another.
class StateRowWriter {
 public:
  StateRowWriter() = default;
  StateRowWriter(const StateRowWriter&) = delete;
  StateRowWriter& operator=(const StateRowWriter&) = delete;
  virtual ~StateRowWriter() = default;

  virtual void write(const NumberedRow& row) = 0;
  // Passes on what is complete, where a reader waits for it.
  virtual void flush() {}
  // Writes what follows the last row; a file is in its place then, and not before.
  virtual void finish() {}
};

// To standard output.
[[nodiscard]] std::unique_ptr<StateRowWriter> printed_table(const StateRowShape& shape, Output& out);
[[nodiscard]] std::unique_ptr<StateRowWriter> printed_json(const StateRowShape& shape, Output& out);
// Held in a temporary file until the number of rows is known.
[[nodiscard]] std::unique_ptr<StateRowWriter> printed_array(const StateRowShape& shape, Output& out);

// To a file: a table if its name ends in .tsv, else an array.
[[nodiscard]] std::unique_ptr<StateRowWriter> saved_rows(const StateRowShape& shape, const std::string& path);

// A table of what rows are about, without their numbers.
[[nodiscard]] std::unique_ptr<StateRowWriter> saved_row_names(const StateRowShape& shape, const std::string& path);

}  // namespace unroll
