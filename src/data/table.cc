#include "data/table.h"

#include <algorithm>
#include <string_view>

namespace unroll {
namespace {

// What a field between tabs says if it is quoted: it ends with the quote that closes, and others are doubled.
bool unquote(std::string_view field, std::string& inside) {
  if (field.size() < 2 || !field.ends_with('"')) return false;
  field = field.substr(1, field.size() - 2);
  inside.clear();
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '"') {
      if (i + 1 == field.size() || field[i + 1] != '"') return false;
      ++i;
    }
    inside += field[i];
  }
  return true;
}

}  // namespace

bool TableReader::at_line_end() const noexcept {
  const std::string_view text = file_.text();
  if (next_ == text.size() || text[next_] == '\n') return true;
  return text[next_] == '\r' && (next_ + 1 == text.size() || text[next_ + 1] == '\n');
}

void TableReader::take_line_end() noexcept {
  const std::string_view text = file_.text();
  if (next_ < text.size() && text[next_] == '\r') ++next_;
  if (next_ < text.size()) ++next_;
  ++next_line_;
}

bool TableReader::next(std::vector<std::string>& fields) {
  if (next_ == file_.text().size()) return false;
  row_ = next_;
  line_ = next_line_;
  blank_ = at_line_end();
  std::size_t count = 0;
  while (true) {
    if (count == fields.size()) fields.emplace_back();
    std::string& field = fields[count++];
    field.clear();
    if (format_ == TextFormat::kCsv) {
      read_comma_field(field);
    } else {
      read_tab_field(field);
    }
    if (at_line_end()) break;
    ++next_;  // the comma or tab
  }
  fields.resize(count);
  take_line_end();
  return true;
}

void TableReader::read_comma_field(std::string& field) {
  const std::string_view text = file_.text();
  if (next_ < text.size() && text[next_] == '"') {
    read_quoted(field);
    if (at_line_end() || text[next_] == ',') return;
    file_.refuse(next_,
                 "after the quote that closes a field a comma or the end of the line is expected; within quotes, "
                 "quotes are doubled");
  }
  const std::size_t first = next_;
  next_ = std::min(text.find_first_of(",\n", first), text.size());
  if (next_ > first && (next_ == text.size() || text[next_] == '\n') && text[next_ - 1] == '\r') --next_;
  field.assign(text, first, next_ - first);
}

void TableReader::read_quoted(std::string& field) {
  const std::string_view text = file_.text();
  const std::size_t opened = next_++;
  while (true) {
    const std::size_t quote = text.find('"', next_);
    if (quote == std::string_view::npos) file_.refuse(opened, "the quote that opens here is never closed");
    field += text.substr(next_, quote - next_);
    next_ = quote + 1;
    if (next_ == text.size() || text[next_] != '"') break;
    field += '"';
    ++next_;
  }
  next_line_ += std::count(text.begin() + static_cast<std::ptrdiff_t>(opened),
                           text.begin() + static_cast<std::ptrdiff_t>(next_), '\n');
}

void TableReader::read_tab_field(std::string& field) {
  const std::string_view text = file_.text();
  const std::size_t first = next_;
  next_ = std::min(text.find_first_of("\t\n", first), text.size());
  if (next_ > first && (next_ == text.size() || text[next_] == '\n') && text[next_ - 1] == '\r') --next_;
  const std::string_view raw = text.substr(first, next_ - first);
  if (raw.starts_with('"')) {
    if (unquote(raw, field)) return;
    if (std::ranges::count(raw, '"') % 2 == 1) open_quote_line_ = line_;
  }
  field = raw;
}

}  // namespace unroll
