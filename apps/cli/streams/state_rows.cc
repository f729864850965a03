#include "cli/streams/state_rows.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/streams/escaped.h"
#include "json/json_text.h"
#include "unroll/data/float_matrix.h"
#include "unroll/error.h"
#include "unroll/output_file.h"

namespace unroll {
namespace {

std::string names_of_columns(const StateRowShape& shape, bool with_numbers) {
  std::string line = shape.per_text ? "text" : "text\tplace\tsymbol";
  for (std::int64_t i = 1; with_numbers && i <= shape.columns; ++i) line += fmt::format("\th{}", i);
  return line + '\n';
}

std::string fields_of(const NumberedRow& row, bool per_text) {
  if (per_text) return fmt::format("{}", row.text);
  return fmt::format("{}\t{}\t{}", row.text, row.row.symbol + 1, escaped(row.row.name));
}

std::string line_of(const NumberedRow& row, bool per_text) {
  std::string line = fields_of(row, per_text);
  for (const float value : row.row.values) fmt::format_to(std::back_inserter(line), "\t{}", value);
  return line + '\n';
}

class PrintedTable final : public StateRowWriter {
 public:
  PrintedTable(const StateRowShape& shape, Output& out) : per_text_(shape.per_text), out_(out) {
    out_.write(names_of_columns(shape, true));
  }
  void write(const NumberedRow& row) override { out_.write(line_of(row, per_text_)); }
  void flush() override { out_.flush(); }
  void finish() override { out_.flush(); }

 private:
  bool per_text_;
  Output& out_;
};

class PrintedJson final : public StateRowWriter {
 public:
  PrintedJson(const StateRowShape& shape, Output& out) : per_text_(shape.per_text), out_(out) {}
  void write(const NumberedRow& row) override {
    nlohmann::ordered_json object{{"text", row.text}};
    if (!per_text_) {
      object["place"] = row.row.symbol + 1;
      object["symbol"] = row.row.name;
    }
    std::vector<nlohmann::ordered_json> numbers;
    // As the float's shortest digits.
    for (const float value : row.row.values) numbers.push_back(nlohmann::ordered_json::parse(fmt::format("{}", value)));
    object["state"] = std::move(numbers);
    out_.write(json_line(object));
  }
  void flush() override { out_.flush(); }
  void finish() override { out_.flush(); }

 private:
  bool per_text_;
  Output& out_;
};

class PrintedArray final : public StateRowWriter {
 public:
  PrintedArray(const StateRowShape& shape, Output& out)
      : columns_(shape.columns), out_(out), held_(std::tmpfile(), std::fclose) {
    if (!held_) fail();
  }
  void write(const NumberedRow& row) override {
    const std::string_view bytes = npy_bytes(row.row.values);
    if (std::fwrite(bytes.data(), 1, bytes.size(), held_.get()) != bytes.size()) fail();
    ++rows_;
  }
  void finish() override {
    if (std::fflush(held_.get()) != 0 || std::fseek(held_.get(), 0, SEEK_SET) != 0) fail();
    out_.write(npy_header(rows_, columns_));
    std::string part(std::size_t{1} << 16, '\0');
    for (std::size_t got = 0; (got = std::fread(part.data(), 1, part.size(), held_.get())) > 0;) {
      out_.write(std::string_view(part).substr(0, got));
    }
    if (std::ferror(held_.get()) != 0) fail();
    out_.flush();
  }

 private:
  [[noreturn]] static void fail() {
    throw Error(ErrorCode::kFile,
                fmt::format("cannot hold the array in a temporary file: {}: save it to a file", std::strerror(errno)));
  }

  std::int64_t columns_;
  Output& out_;
  std::int64_t rows_ = 0;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> held_;
};

class SavedTable final : public StateRowWriter {
 public:
  SavedTable(const StateRowShape& shape, const std::string& path, bool with_numbers)
      : per_text_(shape.per_text), with_numbers_(with_numbers), file_(path) {
    file_.write(names_of_columns(shape, with_numbers));
  }
  void write(const NumberedRow& row) override {
    file_.write(with_numbers_ ? line_of(row, per_text_) : fields_of(row, per_text_) + '\n');
  }
  void finish() override { file_.finish(); }

 private:
  bool per_text_;
  bool with_numbers_;
  OutputFile file_;
};

class SavedArray final : public StateRowWriter {
 public:
  SavedArray(const StateRowShape& shape, const std::string& path) : columns_(shape.columns), file_(path) {
    file_.write(npy_header(0, columns_));
  }
  void write(const NumberedRow& row) override {
    file_.write(npy_bytes(row.row.values));
    ++rows_;
  }
  void finish() override {
    file_.rewrite_start(npy_header(rows_, columns_));
    file_.finish();
  }

 private:
  std::int64_t columns_;
  OutputFile file_;
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<StateRowWriter> printed_table(const StateRowShape& shape, Output& out) {
  return std::make_unique<PrintedTable>(shape, out);
}

std::unique_ptr<StateRowWriter> printed_json(const StateRowShape& shape, Output& out) {
  return std::make_unique<PrintedJson>(shape, out);
}

std::unique_ptr<StateRowWriter> printed_array(const StateRowShape& shape, Output& out) {
  return std::make_unique<PrintedArray>(shape, out);
}

std::unique_ptr<StateRowWriter> saved_rows(const StateRowShape& shape, const std::string& path) {
  if (path.ends_with(".tsv")) return std::make_unique<SavedTable>(shape, path, true);
  return std::make_unique<SavedArray>(shape, path);
}

std::unique_ptr<StateRowWriter> saved_row_names(const StateRowShape& shape, const std::string& path) {
  return std::make_unique<SavedTable>(shape, path, false);
}

}  // namespace unroll
