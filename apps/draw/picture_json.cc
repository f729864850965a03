#include "draw/picture_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>

#include "unroll/character.h"

namespace unroll {
namespace {

// The text; of what is no UTF-8 in it, as of symbols of a byte model, each byte as \xcc.
std::string readable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
    if (character.well_formed) {
      out += bytes;
    } else {
      for (const char byte : bytes) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
  }
  return out;
}

nlohmann::ordered_json json_of(const Datum& datum) {
  return std::visit(
      [](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
          return nlohmann::ordered_json();
        } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
          return nlohmann::ordered_json(readable(value));
        } else {
          return nlohmann::ordered_json(value);
        }
      },
      datum);
}

// As RFC 4180; a text that a spreadsheet would compute gets an apostrophe, as in what the page saves.
std::string csv_field(const std::string& field) {
  constexpr std::string_view kFormulas = "=+-@\t";
  const bool computes = !field.empty() && kFormulas.find(field.front()) != std::string_view::npos;
  const std::string text = (computes ? "'" : "") + readable(field);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

struct CsvText {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return fmt::format("{}", number); }
  std::string operator()(const std::string& text) const { return csv_field(text); }
};

}  // namespace

nlohmann::ordered_json picture_json(const Picture& picture) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const std::vector<Datum>& row : picture.table.rows) {
    nlohmann::ordered_json cells = nlohmann::ordered_json::array();
    for (const Datum& datum : row) cells.push_back(json_of(datum));
    rows.push_back(std::move(cells));
  }
  nlohmann::ordered_json facts = nlohmann::ordered_json::object();
  for (const auto& [name, datum] : picture.facts) facts[name] = json_of(datum);
  return {{"title", picture.title},
          {"sentence", picture.sentence},
          {"svg", picture.svg},
          {"table", {{"columns", picture.table.columns}, {"rows", std::move(rows)}}},
          {"facts", std::move(facts)}};
}

std::string picture_csv(const PictureTable& table) {
  std::string text;
  for (std::size_t i = 0; i < table.columns.size(); ++i) text += (i == 0 ? "" : ",") + csv_field(table.columns[i]);
  text += '\n';
  for (const std::vector<Datum>& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : ",") + std::visit(CsvText{}, row[i]);
    text += '\n';
  }
  return text;
}

}  // namespace unroll
