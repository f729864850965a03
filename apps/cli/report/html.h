// Writes HTML: elements, and text that is never markup.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "draw/picture.h"

namespace unroll {

// Elements in their order. Tags and classes are ours; words may be anything. What is not UTF-8 reads as U+FFFD.
class Html {
 public:
  void open(std::string_view tag, std::string_view classes = {});
  // Of text that may be written from right to left.
  void open_any_direction(std::string_view tag, std::string_view classes = {});
  // A table in a box that scrolls sideways where it must, also by the keys; `label` is its name. Two close() end it.
  void open_table(std::string_view label, std::string_view classes = {});
  void close();
  void words(std::string_view text);

  // An element with words alone.
  void put(std::string_view tag, std::string_view text, std::string_view classes = {});

  // An element with words and a hint that a pointer over it is shown.
  void put_hinted(std::string_view tag, std::string_view text, std::string_view classes, std::string_view hint);

  // The picture, and its numbers in a table that can be unfolded.
  void figure(const Picture& picture);

  // Numbers in such a table.
  void table(std::string_view label, const PictureTable& table);

  void append(const Html& other) { text_ += other.text_; }

  // A row of a table; the first cell is its heading.
  void row(const std::vector<std::string>& cells, std::string_view classes = {});
  // Empty cells are no headings.
  void heading_row(const std::vector<std::string>& cells);
  void row_heading(std::string_view text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  void begin(std::string_view tag, std::string_view classes);

  std::string text_;
  std::vector<std::string> open_;
};

}  // namespace unroll
