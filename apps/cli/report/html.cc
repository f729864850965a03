#include "cli/report/html.h"

#include <fmt/format.h>

#include <cstdint>
#include <variant>

#include "draw/svg.h"

namespace unroll {
namespace {

std::string datum_text(const Datum& datum) {
  if (const auto* whole = std::get_if<std::int64_t>(&datum)) return std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&datum)) return fmt::format("{:.6g}", *real);
  if (const auto* words = std::get_if<std::string>(&datum)) return *words;
  return "";
}

}  // namespace

void Html::begin(std::string_view tag, std::string_view classes) {
  text_ += fmt::format("<{}", tag);
  if (!classes.empty()) text_ += fmt::format(" class=\"{}\"", xml_escaped(classes));
}

void Html::open(std::string_view tag, std::string_view classes) {
  begin(tag, classes);
  text_ += '>';
  open_.emplace_back(tag);
}

void Html::open_any_direction(std::string_view tag, std::string_view classes) {
  begin(tag, classes);
  text_ += " dir=\"auto\">";
  open_.emplace_back(tag);
}

void Html::open_table(std::string_view label, std::string_view classes) {
  begin("div", "wide");
  text_ += fmt::format(" role=\"group\" tabindex=\"0\" aria-label=\"{}\">", xml_escaped(label));
  open_.emplace_back("div");
  open("table", classes);
}

void Html::close() {
  text_ += fmt::format("</{}>\n", open_.back());
  open_.pop_back();
}

void Html::words(std::string_view text) { text_ += xml_escaped(text); }

void Html::put(std::string_view tag, std::string_view text, std::string_view classes) {
  open(tag, classes);
  words(text);
  text_ += fmt::format("</{}>", open_.back());
  open_.pop_back();
}

void Html::put_hinted(std::string_view tag, std::string_view text, std::string_view classes, std::string_view hint) {
  begin(tag, classes);
  text_ += fmt::format(" title=\"{}\">{}</{}>", xml_escaped(hint), xml_escaped(text), tag);
}

void Html::figure(const Picture& picture) {
  open("figure");
  text_ += picture.svg;
  if (!picture.table.rows.empty()) {
    open("details");
    put("summary", "The numbers");
    table(picture.title, picture.table);
    close();
  }
  close();
}

void Html::table(std::string_view label, const PictureTable& table) {
  open_table(label);
  heading_row(table.columns);
  for (const std::vector<Datum>& datums : table.rows) {
    std::vector<std::string> cells;
    for (const Datum& datum : datums) cells.push_back(datum_text(datum));
    row(cells);
  }
  close();
  close();
}

void Html::row(const std::vector<std::string>& cells, std::string_view classes) {
  open("tr", classes);
  row_heading(cells.front());
  for (std::size_t i = 1; i < cells.size(); ++i) put("td", cells[i]);
  close();
}

void Html::heading_row(const std::vector<std::string>& cells) {
  open("tr", "heading");
  for (const std::string& cell : cells) {
    text_ += cell.empty() ? "<td></td>" : fmt::format("<th scope=\"col\">{}</th>", xml_escaped(cell));
  }
  close();
}

void Html::row_heading(std::string_view text) { text_ += fmt::format("<th scope=\"row\">{}</th>", xml_escaped(text)); }

}  // namespace unroll
