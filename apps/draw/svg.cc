#include "draw/svg.h"

#include <fmt/format.h>

#include <cmath>

#include "draw/picture_style.h"
#include "unroll/character.h"

namespace unroll {
namespace {

// Production 2 of XML 1.0.
bool is_xml_character(char32_t value) noexcept {
  if (value < 0x20) return value == '\t' || value == '\n' || value == '\r';
  return value != 0xFFFE && value != 0xFFFF;
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
    if (!character.well_formed || !is_xml_character(character.value)) {
      out += "\xEF\xBF\xBD";
    } else if (character.value == '<') {
      out += "&lt;";
    } else if (character.value == '>') {
      out += "&gt;";
    } else if (character.value == '&') {
      out += "&amp;";
    } else if (character.value == '"') {
      out += "&quot;";
    } else if (character.value < 0x20) {
      out += fmt::format("&#{};", static_cast<unsigned>(character.value));
    } else {
      out += bytes;
    }
  }
}

}  // namespace

std::string svg_number(double number) {
  if (!std::isfinite(number)) return "0";
  std::string text = fmt::format("{:.2f}", number);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

void Svg::begin(std::string_view tag, Attributes attributes, Attributes more) {
  body_ += '<';
  body_ += tag;
  for (const Attributes& list : {attributes, more}) {
    for (const Attribute& attribute : list) {
      if (attribute.name == "class" && attribute.value.empty()) continue;
      body_ += ' ';
      body_ += attribute.name;
      body_ += "=\"";
      append_escaped(body_, attribute.value);
      body_ += '"';
    }
  }
}

void Svg::open(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  body_ += ">\n";
  open_.emplace_back(tag);
}

void Svg::open_group(std::string_view classes, Attributes more) {
  begin("g", {{"class", classes}}, more);
  body_ += ">\n";
  open_.emplace_back("g");
}

void Svg::close() {
  body_ += "</" + open_.back() + ">\n";
  open_.pop_back();
}

void Svg::put(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  body_ += "/>\n";
}

void Svg::line(Point from, Point to, std::string_view classes) {
  put("line", {{"x1", from.x}, {"y1", from.y}, {"x2", to.x}, {"y2", to.y}, {"class", classes}});
}

void Svg::rect(Point corner, double width, double height, std::string_view classes, Attributes more) {
  begin("rect", {{"x", corner.x}, {"y", corner.y}, {"width", width}, {"height", height}, {"class", classes}}, more);
  body_ += "/>\n";
}

void Svg::path(const std::string& data, std::string_view classes, Attributes more, std::string_view words) {
  begin("path", {{"d", data}, {"class", classes}}, more);
  if (words.empty()) {
    body_ += "/>\n";
    return;
  }
  body_ += '>';
  hint(words);
  body_ += "</path>\n";
}

void Svg::text(Point at, std::string_view classes, std::string_view words, Attributes more) {
  begin("text", {{"x", at.x}, {"y", at.y}, {"class", classes}}, more);
  body_ += '>';
  append_escaped(body_, words);
  body_ += "</text>\n";
}

void Svg::hint(std::string_view words) {
  body_ += "<title>";
  append_escaped(body_, words);
  body_ += "</title>\n";
}

std::string svg_document(const Sheet& sheet, const Svg& drawn) {
  Svg head;
  head.hint(sheet.title);
  std::string style;
  if (sheet.standalone) style = "<style>\n" + std::string(picture_style()) + "</style>\n";
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture {0}\" role=\"img\" width=\"{1}\" height=\"{2}\" "
      "viewBox=\"0 0 {1} {2}\">\n{3}<desc>{4}</desc>\n{5}<rect width=\"{1}\" height=\"{2}\" "
      "class=\"paper\"/>\n{6}</svg>\n",
      sheet.picture, svg_number(sheet.width), svg_number(sheet.height), head.body(), xml_escaped(sheet.description),
      style, drawn.body());
}

}  // namespace unroll
