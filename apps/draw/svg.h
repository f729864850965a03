// Writes SVG: elements, attributes and text that is never markup.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// A number with at most two decimals, in any locale.
[[nodiscard]] std::string svg_number(double number);

struct Attribute {
  std::string_view name;
  std::string value;

  Attribute(std::string_view the_name, std::string_view text) : name(the_name), value(text) {}
  Attribute(std::string_view the_name, const std::string& text) : name(the_name), value(text) {}
  Attribute(std::string_view the_name, const char* text) : name(the_name), value(text) {}
  Attribute(std::string_view the_name, double number) : name(the_name), value(svg_number(number)) {}
  Attribute(std::string_view the_name, std::integral auto number) : name(the_name), value(std::to_string(number)) {}
};
using Attributes = std::initializer_list<Attribute>;

struct Point {
  double x = 0;
  double y = 0;
};

// Elements in their order. Names of tags and attributes are ours; values and words may be anything.
class Svg {
 public:
  // Begins an element; what follows stands in it until close().
  void open(std::string_view tag, Attributes attributes = {});
  void open_group(std::string_view classes, Attributes more = {});
  void close();

  // An element of its own.
  void put(std::string_view tag, Attributes attributes);
  void line(Point from, Point to, std::string_view classes);
  void rect(Point corner, double width, double height, std::string_view classes, Attributes more = {});
  void path(const std::string& data, std::string_view classes, Attributes more = {}, std::string_view hint = {});

  // Words that start at a point, or are centred there or end there as their classes say.
  void text(Point at, std::string_view classes, std::string_view words, Attributes more = {});

  // The words that a pointer over the open element is shown.
  void hint(std::string_view words);

  [[nodiscard]] const std::string& body() const noexcept { return body_; }

 private:
  void begin(std::string_view tag, Attributes attributes, Attributes more = {});

  std::string body_;
  std::vector<std::string> open_;
};

struct Sheet {
  std::string_view picture;  // its name, which is a class
  double width = 0;
  double height = 0;
  std::string_view title;
  std::string_view description;
  bool standalone = false;
};

// The whole element <svg> around what was drawn.
[[nodiscard]] std::string svg_document(const Sheet& sheet, const Svg& drawn);

// Text as XML has it between tags and in attributes. Characters that XML does not allow are U+FFFD.
[[nodiscard]] std::string xml_escaped(std::string_view text);

}  // namespace unroll
