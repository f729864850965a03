// Pictures of small models, and what their SVG holds.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "draw/picture.h"
#include "support/tiny_model.h"

namespace unroll {

inline PictureRequest picture_of(const std::string& name, Model model, const std::string& text) {
  return {.picture = name, .models = {{.name = "a model", .model = std::move(model)}}, .text = text};
}

// The numbers of a column; of cells without one NaN.
inline std::vector<double> column_of(const Picture& picture, const std::string& name) {
  std::vector<double> numbers;
  for (std::size_t c = 0; c < picture.table.columns.size(); ++c) {
    if (picture.table.columns[c] != name) continue;
    for (const std::vector<Datum>& row : picture.table.rows) {
      const double* const real = std::get_if<double>(&row.at(c));
      const std::int64_t* const whole = std::get_if<std::int64_t>(&row.at(c));
      numbers.push_back(real != nullptr ? *real : (whole != nullptr ? static_cast<double>(*whole) : NAN));
    }
  }
  return numbers;
}

inline Datum fact_of(const Picture& picture, const std::string& name) {
  for (const auto& [fact, value] : picture.facts) {
    if (fact == name) return value;
  }
  ADD_FAILURE() << "no fact " << name;
  return {};
}

// How often `part` is in `text`.
inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Whether the text is one XML element whose tags are balanced, whose attributes are quoted and occur once, and whose
// text has entities for what would be markup.
inline testing::AssertionResult is_well_formed(std::string_view xml) {
  std::vector<std::string> open;
  std::size_t elements = 0;
  const auto wrong = [&](const std::string& why) {
    return testing::AssertionFailure() << why << " before: " << xml.substr(0, 120);
  };
  while (!xml.empty()) {
    if (xml.front() != '<') {
      const std::string_view text = xml.substr(0, xml.find('<'));
      if (text.find('>') != text.npos) return wrong("a > in text");
      for (std::size_t at = text.find('&'); at != text.npos; at = text.find('&', at + 1)) {
        const std::string_view entity = text.substr(at, text.find(';', at) - at);
        if (entity != "&lt" && entity != "&gt" && entity != "&amp" && entity != "&quot" && !entity.starts_with("&#")) {
          return wrong("an unknown entity");
        }
      }
      if (open.empty() && text.find_first_not_of("\n") != text.npos) return wrong("text outside");
      xml.remove_prefix(text.size());
      continue;
    }
    const std::size_t end = xml.find('>');
    if (end == xml.npos) return wrong("a tag without an end");
    std::string_view tag = xml.substr(1, end - 1);
    if (count_of(tag, "<") > 0 || count_of(tag, "\"") % 2 != 0) return wrong("a broken tag");
    xml.remove_prefix(end + 1);
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return wrong("tags that do not match");
      open.pop_back();
      continue;
    }
    if (open.empty() && elements++ > 0) return wrong("a second element");
    if (!tag.ends_with('/')) open.emplace_back(tag.substr(0, tag.find(' ')));
  }
  if (!open.empty()) return testing::AssertionFailure() << "unclosed " << open.back();
  return testing::AssertionSuccess();
}

}  // namespace unroll
