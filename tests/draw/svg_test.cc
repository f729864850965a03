#include "draw/svg.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "draw/drawn.h"
#include "draw/picture_json.h"
#include "draw/shown.h"
#include "draw/text_flow.h"

namespace unroll {
namespace {

TEST(Svg, TextIsNeverMarkup) {
  Svg svg;
  svg.open_group("a\"b", {{"data-symbol", "<img onerror=\"x\">&"}});
  svg.text({1, 2}, "", "</text><script>&amp;");
  svg.hint("a < b");
  svg.close();
  EXPECT_TRUE(is_well_formed(svg.body()));
  EXPECT_EQ(svg.body().find("<img"), std::string::npos);
  EXPECT_EQ(svg.body().find("<script"), std::string::npos);
}

TEST(Svg, CharactersThatXmlDoesNotAllowAreReplaced) {
  EXPECT_EQ(xml_escaped(std::string("a\0b\x1b\xff", 5)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(xml_escaped("a\nb"), "a&#10;b");
}

TEST(Svg, NumbersAreShort) {
  EXPECT_EQ(svg_number(2), "2");
  EXPECT_EQ(svg_number(-0.001), "0");
  EXPECT_EQ(svg_number(1.5), "1.5");
  EXPECT_EQ(svg_number(NAN), "0");
}

TEST(Shown, WhatCannotBeSeenIsWritten) {
  EXPECT_EQ(shown_symbol("\n"), "\\n");
  EXPECT_EQ(shown_symbol(" "), "\xE2\x90\xA3");
  EXPECT_EQ(shown_symbol("\x1b"), "\\x1b");
  EXPECT_EQ(shown_symbol("\xff"), "\\xff");
  EXPECT_EQ(shown_symbol("\xE2\x80\xAE"), "\\xe2\\x80\\xae");   // turns the order of what follows
  EXPECT_EQ(shown_symbol("\xCC\x81"), "\xE2\x97\x8C\xCC\x81");  // a combining acute
}

TEST(Shown, ALongSymbolIsCutBetweenCharacters) {
  EXPECT_EQ(shown_symbol("abcdef", 6), "abcdef");
  EXPECT_EQ(shown_symbol("abcdefg", 6), "abcde\xE2\x80\xA6");
  EXPECT_EQ(columns_of("e\xCC\x81\xE6\xBC\xA2"), 3);  // e, acute, a wide character
}

TEST(Shown, SharesArePercent) {
  EXPECT_EQ(percent(0), "0%");
  EXPECT_EQ(percent(0.42), "42%");
  EXPECT_EQ(percent(0.0312), "3.1%");
  EXPECT_EQ(percent(1e-9), "<0.01%");
  EXPECT_EQ(percent(1), "100%");
}

// Hebrew from the right, the Latin word within it from the left.
TEST(TextFlow, RunsOfEachDirectionAreReadAsTheyAre) {
  std::vector<SymbolCell> cells = cells_of({"\xD7\x90", "\xD7\x91", "x", "y", "\xD7\x92"});
  place(cells, {.corner = {0, 0}, .width = 100});
  EXPECT_GT(cells[0].corner.x, cells[1].corner.x);
  EXPECT_GT(cells[1].corner.x, cells[3].corner.x);
  EXPECT_LT(cells[2].corner.x, cells[3].corner.x);
  EXPECT_GT(cells[2].corner.x, cells[4].corner.x);
}

// An escape is shown with letters of its own, which are none of the text.
TEST(TextFlow, AnEscapeHasNoDirection) {
  std::vector<SymbolCell> cells = cells_of({"\n", "\xD7\x90", "\xD7\x91"});
  cells.front().ends_line = false;
  place(cells, {.corner = {0, 0}, .width = 100});
  EXPECT_GT(cells[0].corner.x, cells[1].corner.x);
  EXPECT_GT(cells[1].corner.x, cells[2].corner.x);
}

TEST(TextFlow, LinesBreakAtTheirEndAndWhereTheyAreFull) {
  std::vector<SymbolCell> cells = cells_of({"a", "\n", "b", "c"});
  place(cells, {.corner = {0, 0}, .width = 40, .line_height = 10});
  EXPECT_EQ(cells[1].corner.y, 0);
  EXPECT_EQ(cells[2].corner.y, 10);
  place(cells, {.corner = {0, 0}, .width = 13, .line_height = 10});
  EXPECT_EQ(cells[3].corner.y, 30);
}

TEST(PictureCsv, FieldsAreQuotedWhereTheyMustBe) {
  EXPECT_EQ(picture_csv({.columns = {"a", "b,c"}, .rows = {{std::string("x\"y"), std::int64_t{3}}, {Datum(), 0.5}}}),
            "a,\"b,c\"\n\"x\"\"y\",3\n,0.5\n");
}

TEST(PictureCsv, NothingIsComputedBySpreadsheets) {
  PictureTable table{.columns = {"=a"}, .rows = {}};
  for (const char* const text : {"=1+1", "+1", "-x", "@sum", "\tx", "-", "a=b", ""})
    table.rows.push_back({std::string(text)});
  table.rows.push_back({-0.5});
  EXPECT_EQ(picture_csv(table), "'=a\n'=1+1\n'+1\n'-x\n'@sum\n'\tx\n'-\na=b\n\n-0.5\n");
}

TEST(PictureCsv, BytesThatAreNoTextAreWrittenAsThePicturesShowThem) {
  const PictureTable table{.columns = {"a"}, .rows = {{std::string("\xCC")}, {std::string("\xC3\xA9\xFFz")}}};
  EXPECT_EQ(picture_csv(table), "a\n\\xcc\n\xC3\xA9\\xffz\n");
  EXPECT_EQ(picture_json({.table = table})["table"]["rows"].dump(), "[[\"\\\\xcc\"],[\"\xC3\xA9\\\\xffz\"]]");
}

}  // namespace
}  // namespace unroll
