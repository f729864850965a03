#include "unroll/data/dense.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "data/arrays.h"
#include "data/dense_scaling.h"
#include "data/hold_out.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Reads a file of this name and content.
DenseData dense_of(const std::string& name, const std::string& bytes, DenseOptions options = {}) {
  const TemporaryFolder folder;
  write_bytes(folder.path(name), bytes);
  options.paths = {folder.path(name)};
  return read_dense(options);
}

// The same with a file of targets.
DenseData dense_with_targets(const std::string& inputs, const std::string& targets, DenseOptions options) {
  const TemporaryFolder folder;
  write_bytes(folder.path("x"), inputs);
  write_bytes(folder.path("y"), targets);
  options.paths = {folder.path("x")};
  options.target_paths = {folder.path("y")};
  return read_dense(options);
}

// Whether reading it is refused as an input, with these words.
testing::AssertionResult is_refused(const std::string& name, const std::string& bytes, const std::string& part,
                                    const DenseOptions& options = {}) {
  return fails_with(ErrorCode::kInput, part, [&] { static_cast<void>(dense_of(name, bytes, options)); });
}

DenseOptions labels_in(const std::string& column) {
  return {.target = DenseTarget::kLabels, .target_columns = {column}};
}
DenseOptions numbers_in(const std::vector<std::string>& columns) {
  return {.target = DenseTarget::kNumbers, .target_columns = columns};
}

std::vector<std::string> label_names(const DenseData& data) {
  std::vector<std::string> names;
  for (const std::int32_t label : data.label_of) names.push_back(data.labels[static_cast<std::size_t>(label)]);
  return names;
}

// TABLES

TEST(DenseTable, ARowIsASequenceOfStepsOfOneNumber) {
  const DenseData data = dense_of("a.csv", "1,2.5,-3\n4e1,+5,6\n");
  EXPECT_EQ(data.D, 1);
  EXPECT_THAT(data.values, ElementsAre(1, 2.5F, -3, 40, 5, 6));
  EXPECT_THAT(data.starts, ElementsAre(0, 3, 6));
  EXPECT_THAT(data.inputs, IsEmpty());
  EXPECT_FALSE(data.all_bytes);
  EXPECT_THAT(data.place(1), HasSubstr("a.csv', line 2"));
}

TEST(DenseTable, StepsOfSeveralNumbersAreCutFromARow) {
  const DenseData data = dense_of("a.csv", "1,2,3,4\n5,6,7,8\n", {.step = 2});
  EXPECT_EQ(data.D, 2);
  EXPECT_THAT(data.starts, ElementsAre(0, 2, 4));
  EXPECT_TRUE(is_refused("a.csv", "1,2,3\n", "line 1: 3 numbers, which steps of 2 do not divide", {.step = 2}));
}

TEST(DenseTable, TheFirstRowNamesTheColumnsIfNoneOfItsInputsIsANumber) {
  EXPECT_THAT(dense_of("a.csv", "a,b\n1,2\n").values, ElementsAre(1, 2));
  EXPECT_THAT(dense_of("a.csv", "3,4\n1,2\n").values, ElementsAre(3, 4, 1, 2));
  // A missing number does not make it one of names.
  EXPECT_TRUE(
      is_refused("a.csv", "1,,2\n3,4,5\n", "line 1, column 2: expected a number, found \"\"; fill or leave out"));
  EXPECT_TRUE(is_refused("a.csv", "1,x,2\n", "line 1, column 2: expected a number, found \"x\""));
}

TEST(DenseTable, FieldsAtTheEndOfARowThatAreEmptyOrNaNAreNoSteps) {
  const DenseData data = dense_of("a.csv", "1,2,3\n4,,\n5,6,NaN\n");
  EXPECT_THAT(data.starts, ElementsAre(0, 3, 4, 6));
  EXPECT_TRUE(is_refused("a.csv", "1,2\n,\n", "line 2: a sequence without numbers"));
  EXPECT_TRUE(is_refused("a.csv", "1,nan,2\n", "line 1, column 2 is nan: expected a finite number; fill or leave out"));
}

TEST(DenseTable, LabelsStandInAColumnByNameOrByNumber) {
  const DenseData named = dense_of("a.csv", "x1,kind,x2\n1, b ,2\n3,a,4\n5,b,6\n", labels_in("kind"));
  EXPECT_THAT(named.labels, ElementsAre("a", "b"));
  EXPECT_THAT(named.label_of, ElementsAre(1, 0, 1));
  EXPECT_THAT(named.values, ElementsAre(1, 2, 3, 4, 5, 6));
  const DenseData numbered = dense_of("a.tsv", "10\t1\t2\n9\t3\t4\n", labels_in("1"));
  EXPECT_THAT(numbered.labels, ElementsAre("9", "10"));
  EXPECT_THAT(label_names(numbered), ElementsAre("10", "9"));
}

TEST(DenseTable, SeveralNumbersMayBeTargets) {
  const DenseData data = dense_of("a.csv", "a,y,z\n1,2,3\n4,5,6\n", numbers_in({"y"}));
  EXPECT_THAT(data.outputs, ElementsAre("y"));
  EXPECT_THAT(data.numbers, ElementsAre(2, 5));
  EXPECT_EQ(data.length(0), 2);
  const DenseData both = dense_of("a.csv", "1,2,3\n4,5,6\n", numbers_in({"3", "1"}));
  EXPECT_THAT(both.outputs, ElementsAre("1", "2"));
  EXPECT_THAT(both.numbers, ElementsAre(3, 1, 6, 4));
  EXPECT_TRUE(is_refused("a.csv", "a,y\n1,?\n", "line 2, column 2 (\"y\"): expected a number", numbers_in({"y"})));
}

TEST(DenseTable, NamesThatDoNotTellColumnsApartAreNone) {
  DenseOptions options = numbers_in({"2", "3"});
  options.sequence_column = "1";
  const DenseData data = dense_of("a.csv", "id,y,y,x,x\n1,2,3,4,5\n", options);
  EXPECT_THAT(data.outputs, ElementsAre("1", "2"));
  EXPECT_THAT(data.inputs, IsEmpty());
  EXPECT_THAT(data.values, ElementsAre(4, 5));
}

TEST(DenseTable, RowsWithTheSameSequenceAreItsSteps) {
  DenseOptions options = labels_in("kind");
  options.sequence_column = "id";
  const DenseData data =
      dense_of("a.csv", "id,u,v,kind\r\nx,1,2,good\r\nx,3,4,good\r\ny,5,6,bad\r\n\r\nz,7,8,good", options);
  EXPECT_EQ(data.D, 2);
  EXPECT_THAT(data.inputs, ElementsAre("u", "v"));
  EXPECT_THAT(data.values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(data.starts, ElementsAre(0, 2, 3, 4));
  EXPECT_THAT(label_names(data), ElementsAre("good", "bad", "good"));
  EXPECT_THAT(data.line_of, ElementsAre(2, 4, 6));
}

TEST(DenseTable, ATargetPerStepIsOneOfEachRow) {
  DenseOptions options = numbers_in({"y"});
  options.sequence_column = "id";
  options.target_per_step = true;
  EXPECT_THAT(dense_of("a.csv", "id,x,y\na,1,2\na,3,4\nb,5,6\n", options).numbers, ElementsAre(2, 4, 6));
  options.target_per_step = false;
  EXPECT_TRUE(is_refused("a.csv", "id,x,y\na,1,2\na,3,4\n",
                         "line 3: the target of the sequence \"a\" is \"4\", but \"2\" in line 2: `target_per_step`",
                         options));
}

TEST(DenseTable, RowsOfASequenceThatDoNotFollowOneAnotherAreRefused) {
  EXPECT_TRUE(is_refused("a.csv", "1,5\n2,5\n1,5\n", "line 3: the sequence \"1\" goes on after another",
                         {.sequence_column = "1"}));
}

TEST(DenseTable, ColumnsThatAreNoInputsAreLeftOut) {
  const DenseData data = dense_of("a.csv", ",a,note,b\n0,1,text,2\n", {.columns = {"b", "a"}});
  EXPECT_THAT(data.values, ElementsAre(2, 1));
  EXPECT_TRUE(is_refused("a.csv", ",a,b\n0,1,2\n", "line 1: column 1 has no name: if it counts the rows"));
}

TEST(DenseTable, FilesWithoutTargetsNeedNotHaveTheirColumn) {
  DenseOptions options = numbers_in({"y"});
  options.targets_needed = false;
  EXPECT_THAT(dense_of("a.csv", "a,b\n1,2\n", options).values, ElementsAre(1, 2));
  EXPECT_THAT(dense_of("a.csv", "1,2\n", options).values, ElementsAre(1, 2));
  const DenseData with = dense_of("a.csv", "a,b,y\n1,2,3\n", options);
  EXPECT_THAT(with.values, ElementsAre(1, 2));
  EXPECT_THAT(with.numbers, ElementsAre(3));
  // Nor are targets inputs where they are not asked for.
  options.target = DenseTarget::kNone;
  EXPECT_THAT(dense_of("a.csv", "a,b,y\n1,2,3\n", options).values, ElementsAre(1, 2));
}

TEST(DenseTable, WhatATableLacksIsNamed) {
  EXPECT_TRUE(is_refused("a.csv", "a,b\n1,2\n",
                         "there is no column \"y\" (`target_columns`): the first row has \"a\", ", labels_in("y")));
  EXPECT_TRUE(is_refused("a.csv", "1;2\n3;4\n", "there are semicolons in it", labels_in("2")));
  EXPECT_TRUE(is_refused("a.csv", "1,2\n1\n", "line 2: 1 column, expected 2 as in the first row"));
  EXPECT_TRUE(is_refused("a.csv", "", "no sequence of numbers"));
  EXPECT_TRUE(is_refused("a.csv", "a,b\n", "no sequence of numbers"));
  EXPECT_TRUE(is_refused("a.csv", "y\n1\n", "no column is left for inputs", labels_in("y")));
  EXPECT_TRUE(is_refused("a.csv", "x,y\n1,\n", "the label \"\" is empty", labels_in("y")));
  EXPECT_TRUE(is_refused("a.csv", "1,1e39\n", "line 1, column 2 is 1e+39: expected a finite number, at most"));
  EXPECT_TRUE(is_refused("a.csv", "1,\"2\n", "the quote that opens here is never closed"));
}

TEST(DenseTable, ColumnsMayBePartOfOneThingOnly) {
  DenseOptions options = labels_in("y");
  options.columns = {"x", "2"};
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "column 2 is given twice",
                         [&] { static_cast<void>(dense_of("a.csv", "x,y\n1,2\n", options)); }));
}

// ARRAYS

TEST(DenseArray, ThreeDimensionsAreSequencesStepsAndNumbers) {
  const DenseData data = dense_of("a.npy", npy_of<float>("<f4", "(2, 3, 2)", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(data.D, 2);
  EXPECT_THAT(data.starts, ElementsAre(0, 3, 6));
  EXPECT_THAT(data.values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  EXPECT_THAT(data.place(1), HasSubstr("a.npy', element [1]"));
}

TEST(DenseArray, TwoDimensionsAreSequencesAndStepsOfOneNumber) {
  EXPECT_EQ(dense_of("a.npy", npy_of<double>("<f8", "(1, 3)", {1, 2, 3})).D, 1);
  EXPECT_EQ(dense_of("a.npy", npy_of<double>("<f8", "(1, 4)", {1, 2, 3, 4}), {.step = 2}).D, 2);
  EXPECT_EQ(dense_of("a.npy", npy_of<double>("<f8", "(1, 2, 2, 1)", {1, 2, 3, 4})).D, 2);
  EXPECT_TRUE(is_refused("a.npy", npy_of<double>("<f8", "(3,)", {1, 2, 3}), "an array of shape (3,): expected (N, T)"));
}

TEST(DenseArray, EveryTypeAndOrderOfBytesIsReadAsItsNumbers) {
  const auto read = [](const std::string& file) { return dense_of("a.npy", file).values; };
  EXPECT_THAT(read(npy_of<double>(">f8", "(1, 2)", {-1.5, 2})), ElementsAre(-1.5F, 2));
  EXPECT_THAT(read(npy_of<float>(">f4", "(1, 2)", {-1.5F, 2})), ElementsAre(-1.5F, 2));
  EXPECT_THAT(read(npy_of<std::int8_t>("|i1", "(1, 2)", {-128, 127})), ElementsAre(-128, 127));
  EXPECT_THAT(read(npy_of<std::uint8_t>("|u1", "(1, 2)", {0, 255})), ElementsAre(0, 255));
  EXPECT_THAT(read(npy_of<std::int16_t>("<i2", "(1, 2)", {-300, 300})), ElementsAre(-300, 300));
  EXPECT_THAT(read(npy_of<std::uint16_t>(">u2", "(1, 2)", {1, 65535})), ElementsAre(1, 65535));
  EXPECT_THAT(read(npy_of<std::int32_t>(">i4", "(1, 2)", {-70000, 5})), ElementsAre(-70000, 5));
  EXPECT_THAT(read(npy_of<std::uint32_t>("<u4", "(1, 1)", {4294967295U})), ElementsAre(4294967295.0F));
  EXPECT_THAT(read(npy_of<std::int64_t>("<i8", "(1, 2)", {-5, 1LL << 40})), ElementsAre(-5, 1099511627776.0F));
  EXPECT_THAT(read(npy_of<std::uint64_t>(">u8", "(1, 1)", {7})), ElementsAre(7));
  EXPECT_THAT(read(npy_of<std::uint8_t>("|b1", "(1, 2)", {0, 1})), ElementsAre(0, 1));
}

TEST(DenseArray, FortransOrderIsTurned) {
  // [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]] with the first index fastest.
  const DenseData data =
      dense_of("a.npy", npy_of<float>("<f4", "(2, 3, 2)", {1, 7, 3, 9, 5, 11, 2, 8, 4, 10, 6, 12}, true));
  EXPECT_THAT(data.values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
}

TEST(DenseArray, AllVersionsOfTheHeaderAreRead) {
  const std::string elements = bytes_of_number(1.0F) + bytes_of_number(2.0F);
  for (const int version : {1, 2, 3}) {
    const std::string file =
        npy_with_header("{\"shape\": (1L, 2L), 'fortran_order': False,'descr': '<f4'}\n", elements, version);
    EXPECT_THAT(dense_of("a.npy", file).values, ElementsAre(1, 2)) << version;
  }
}

TEST(DenseArray, IdxImagesAreSequencesOfRows) {
  const std::string images = idx_of<std::uint8_t>(0x08, {2, 2, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255});
  const DenseData rows = dense_of("images-idx3-ubyte", images);
  EXPECT_EQ(rows.D, 3);
  EXPECT_THAT(rows.starts, ElementsAre(0, 2, 4));
  EXPECT_TRUE(rows.all_bytes);
  EXPECT_EQ(default_scale(rows), DenseScale::kBytes);
  const DenseData pixels = dense_of("images", images, {.step = 1});
  EXPECT_EQ(pixels.D, 1);
  EXPECT_EQ(pixels.length(0), 6);
  EXPECT_THAT(dense_of("a.idx", idx_of<float>(0x0D, {1, 2}, {0.5F, -2})).values, ElementsAre(0.5F, -2));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`step` is 4",
                         [&] { static_cast<void>(dense_of("images", images, {.step = 4})); }));
}

TEST(DenseArray, TargetsStandInAFileOfTheirOwn) {
  const std::string inputs = npy_of<float>("<f4", "(3, 2)", {1, 2, 3, 4, 5, 6});
  const DenseOptions labels{.target = DenseTarget::kLabels};
  const DenseOptions numbers{.target = DenseTarget::kNumbers};
  const DenseData digits = dense_with_targets(inputs, idx_of<std::uint8_t>(0x08, {3}, {10, 9, 10}), labels);
  EXPECT_THAT(digits.labels, ElementsAre("9", "10"));
  EXPECT_THAT(label_names(digits), ElementsAre("10", "9", "10"));
  EXPECT_THAT(label_names(dense_with_targets(inputs, npy_of<double>("<f8", "(3, 1)", {1, 0, -1}), labels)),
              ElementsAre("1", "0", "-1"));
  const DenseData one = dense_with_targets(inputs, npy_of<double>("<f8", "(3,)", {1.5, 2, 3}), numbers);
  EXPECT_THAT(one.outputs, ElementsAre("1"));
  EXPECT_THAT(one.numbers, ElementsAre(1.5, 2, 3));
  const DenseData two = dense_with_targets(inputs, npy_of<float>("<f4", "(3, 2)", {1, 2, 3, 4, 5, 6}), numbers);
  EXPECT_THAT(two.outputs, ElementsAre("1", "2"));
  EXPECT_THAT(two.numbers, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(DenseArray, LabelsMayBeText) {
  const std::string inputs = npy_of<float>("<f4", "(2, 1)", {1, 2});
  const std::string header = "{'descr': '<U3', 'fortran_order': False, 'shape': (2,), }";
  std::string characters;
  for (const char32_t c :
       U"ca\u00E9"
       U"\U0001F40E\0\0")
    characters += bytes_of_number(static_cast<std::uint32_t>(c));
  characters.resize(24);
  const DenseOptions labels{.target = DenseTarget::kLabels};
  EXPECT_THAT(label_names(dense_with_targets(inputs, npy_with_header(header, characters), labels)),
              ElementsAre("ca\u00E9", "\U0001F40E"));
  const std::string bytes_header = "{'descr': '|S3', 'fortran_order': False, 'shape': (2,), }";
  EXPECT_THAT(label_names(dense_with_targets(inputs, npy_with_header(bytes_header, std::string("yesno\0", 6)), labels)),
              ElementsAre("yes", "no"));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "text, where numbers are expected", [&] {
    static_cast<void>(
        dense_with_targets(inputs, npy_with_header(bytes_header, "yesyes"), {.target = DenseTarget::kNumbers}));
  }));
}

TEST(DenseArray, TargetsPerStepHaveTheShapeOfTheSteps) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::string inputs = npy_of<float>("<f4", "(2, 3, 1)", {1, 2, 3, 4, nan, nan});
  DenseOptions options{.target = DenseTarget::kNumbers, .target_per_step = true};
  const DenseData data = dense_with_targets(inputs, npy_of<float>("<f4", "(2, 3)", {1, 2, 3, 4, nan, nan}), options);
  EXPECT_THAT(data.starts, ElementsAre(0, 3, 4));
  EXPECT_THAT(data.numbers, ElementsAre(1, 2, 3, 4));
  options.target = DenseTarget::kLabels;
  const DenseData labels =
      dense_with_targets(inputs, npy_of<std::int8_t>("|i1", "(2, 3)", {1, 2, 1, 2, 0, 0}), options);
  EXPECT_THAT(label_names(labels), ElementsAre("1", "2", "1", "2"));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "an array of shape (2,): expected (2, 3) targets", [&] {
    static_cast<void>(dense_with_targets(inputs, npy_of<std::int8_t>("|i1", "(2,)", {1, 2}), options));
  }));
}

TEST(DenseArray, WhatIsNoNumberIsNamedByItsPlace) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(is_refused("a.npy", npy_of<float>("<f4", "(2, 2, 2)", {1, 2, 3, 4, 5, nan, 7, 8}),
                         "a.npy', element [1, 0, 1] is nan: expected a finite number; fill or leave out"));
  EXPECT_TRUE(is_refused("a.npy", npy_of<double>("<f8", "(1, 2)", {1, 1e200}), "element [0, 1] is 1e+200"));
  EXPECT_TRUE(is_refused("a.npy", npy_of<float>("<f4", "(2, 1)", {1, nan}), "element [1]: a sequence without numbers"));
  const std::string inputs = npy_of<float>("<f4", "(2, 1)", {1, 2});
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "element [1] is 0.5: expected labels", [&] {
    static_cast<void>(
        dense_with_targets(inputs, npy_of<double>("<f8", "(2,)", {1, 0.5}), {.target = DenseTarget::kLabels}));
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "an array of shape (3,): expected (2,) targets", [&] {
    static_cast<void>(
        dense_with_targets(inputs, npy_of<double>("<f8", "(3,)", {1, 2, 3}), {.target = DenseTarget::kNumbers}));
  }));
}

TEST(DenseArray, DamagedAndHostileFilesAreRefused) {
  const std::string good = npy_of<float>("<f4", "(1, 2)", {1, 2});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_TRUE(error_of([&] { static_cast<void>(dense_of("a.npy", good.substr(0, size))); }).has_value()) << size;
  }
  EXPECT_TRUE(is_refused("a.npy", good.substr(0, good.size() - 1), "is the file whole?"));
  EXPECT_TRUE(is_refused("a.npy", good + "x", "expected fewer"));
  const auto with_header = [](const std::string& header) { return npy_with_header(header, "12345678"); };
  const std::string rest = "'fortran_order': False, 'shape': (1, 2)}";
  for (const char* const type : {"<f2", "<c8", "|O", "<M8[s]", "f4", "<f", "<f04x", "<i3", "<U99999999999", ""}) {
    EXPECT_TRUE(is_refused("a.npy", with_header("{'descr': '" + std::string(type) + "', " + rest), "of the type \""))
        << type;
  }
  EXPECT_TRUE(is_refused("a.npy", with_header("{'descr': [('a', '<f4')], " + rest), "records of several numbers"));
  for (const char* const shape :
       {"(9223372036854775807, 9223372036854775807)", "(4294967296, 4294967296)", "(3, 1)", "(1, 1)"}) {
    EXPECT_TRUE(is_refused("a.npy",
                           with_header("{'descr': '<f4', 'fortran_order': True, 'shape': " + std::string(shape) + "}"),
                           "8 bytes of elements"))
        << shape;
  }
  EXPECT_TRUE(is_refused("a.npy",
                         with_header("{'descr': '<f4', 'fortran_order': True, 'shape': (9223372036854775807, 0)}"),
                         "has no elements"));
  for (const char* const header : {"", "{", "{'descr'", "{'descr': '<f4', 'descr': '<f4'}", "{}", "{'shape': (-1,)}",
                                   "{'shape': (1 2)}", "{'fortran_order': 1}", "{'x': 1}", "{'descr': '<f4}"}) {
    EXPECT_TRUE(is_refused("a.npy", with_header(header), "the header of the array holds")) << header;
  }
  EXPECT_TRUE(is_refused("a.npy", npy_with_header("{}", "", 4), "version 4"));
  EXPECT_TRUE(is_refused("a.npy", "PK\x03\x04", "save each array by itself"));
  EXPECT_TRUE(is_refused("a.idx", "abcd", "is no IDX file"));
  EXPECT_TRUE(is_refused("a.idx", std::string("\0\0\x08\xFF", 4), "ends within the header"));
  EXPECT_TRUE(is_refused("a.idx", idx_of<std::uint8_t>(0x08, {4000000000U, 4000000000U}, {1}), "is the file whole?"));
}

// SEVERAL FILES, OPTIONS

TEST(Dense, FilesOfTheSameShapeAreReadOneAfterTheOther) {
  const TemporaryFolder folder;
  write_bytes(folder.path("a.csv"), "id,u,v\nx,1,2\n");
  write_bytes(folder.path("b.csv"), "id,u,v\nx,3,4\nx,5,6\n");
  write_bytes(folder.path("c.csv"), "id,v,u\nx,3,4\n");
  write_bytes(folder.path("d.csv"), "id,u\nx,3\n");
  const auto read = [&](const std::string& second) {
    return read_dense({.paths = {folder.path("a.csv"), folder.path(second)}, .sequence_column = "id"});
  };
  EXPECT_THAT(read("b.csv").starts, ElementsAre(0, 1, 3));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "their inputs are \"u\", \"v\" and \"v\", \"u\"",
                         [&] { static_cast<void>(read("c.csv")); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "2 and 1 numbers per step", [&] { static_cast<void>(read("d.csv")); }));
}

TEST(Dense, OptionsThatContradictTheFormatAreRefused) {
  const auto refused = [](const std::string& name, const DenseOptions& options) {
    const auto error = error_of([&] { static_cast<void>(dense_of(name, "1,2\n", options)); });
    return error && error->code() == ErrorCode::kUsage ? error->field() : "";
  };
  EXPECT_EQ(refused("a.csv", {.target_paths = {"y.npy"}}), "target_paths");
  EXPECT_EQ(refused("a.csv", {.target = DenseTarget::kLabels}), "target_columns");
  EXPECT_EQ(refused("a.npy", {.target = DenseTarget::kLabels}), "target_paths");
  EXPECT_EQ(refused("a.npy", labels_in("y")), "target_columns");
  EXPECT_EQ(refused("a.npy", {.columns = {"y"}}), "columns");
  EXPECT_EQ(refused("a.csv", {.target = DenseTarget::kNumbers, .target_per_step = true, .target_columns = {"2"}}),
            "sequence_column");
  EXPECT_EQ(refused("a.csv", {.step = -1}), "step");
  EXPECT_EQ(refused("a.csv", {.sequence_column = "1", .step = 1}), "step");
  EXPECT_EQ(refused("a.csv", {.columns = {"1", "1"}}), "columns");
  EXPECT_EQ(refused("a.csv", {.target = DenseTarget::kLabels, .target_columns = {"1", "2"}}), "target_columns");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`paths` is empty", [] { static_cast<void>(read_dense({})); }));
}

TEST(Dense, TargetsThatTeachNothingAreRefused) {
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "every target is \"a\"",
                         [] { expect_trainable(dense_of("a.csv", "1,a\n2,a\n", labels_in("2"))); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "the target \"1\" is 3 everywhere",
                         [] { expect_trainable(dense_of("a.csv", "1,3\n2,3\n", numbers_in({"2"}))); }));
  std::string ids;
  for (int i = 0; i < 30; ++i) ids += "1," + std::to_string(i) + "\n";
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "30 labels in 30",
                         [&] { expect_trainable(dense_of("a.csv", ids, labels_in("2"))); }));
  expect_trainable(dense_of("a.csv", "1,3\n2,4\n", numbers_in({"2"})));
}

TEST(Dense, LabelsOfAModelKeepTheirPlaces) {
  DenseData data = dense_of("a.csv", "1,b\n2,c\n", labels_in("2"));
  renumber_labels(data, std::vector<std::string>{"c", "a"});
  EXPECT_THAT(data.labels, ElementsAre("c", "a", "b"));
  EXPECT_THAT(data.label_of, ElementsAre(2, 0));
}

// SCALING, PARTS

TEST(DenseScaling, StandardInputsHaveMeanZeroAndVarianceOneOverWhatIsTrainedOn) {
  DenseData data = dense_of("a.csv", "id,u,v\na,1,5\na,3,5\nb,100,7\n", {.sequence_column = "id"});
  const std::vector<std::size_t> trained = {0};
  const DenseScaling scaling = input_scaling(data, DenseScale::kStandard, trained);
  EXPECT_THAT(scaling.shift, ElementsAre(2, 5));
  EXPECT_THAT(scaling.factor, ElementsAre(1, 1));
  scale_inputs(scaling, data.values);
  EXPECT_THAT(data.values, ElementsAre(-1, 0, 1, 0, 98, 2));
}

TEST(DenseScaling, LargeMeansLoseNoDigits) {
  DenseData data = dense_of("a.csv", "1000001,1000003\n", {});
  const std::vector<std::size_t> all = {0};
  scale_inputs(input_scaling(data, DenseScale::kStandard, all), data.values);
  EXPECT_THAT(data.values, ElementsAre(-1, 1));
}

TEST(DenseScaling, BytesBecomeNumbersUpToOneAndNoneStaysAsItIs) {
  DenseData data = dense_of("a.npy", npy_of<std::uint8_t>("|u1", "(1, 2)", {0, 255}));
  const std::vector<std::size_t> all = {0};
  scale_inputs(input_scaling(data, DenseScale::kNone, all), data.values);
  EXPECT_THAT(data.values, ElementsAre(0, 255));
  scale_inputs(input_scaling(data, default_scale(data), all), data.values);
  EXPECT_THAT(data.values, ElementsAre(0, 1));
}

TEST(DenseScaling, AnswersOfANetworkAreTurnedBackIntoTargets) {
  const DenseData data = dense_of("a.csv", "0,10,7\n0,30,7\n0,500,8\n", numbers_in({"2", "3"}));
  const std::vector<std::size_t> trained = {0, 1};
  const DenseScaling scaling = target_scaling(data, trained);
  EXPECT_THAT(scaling.shift, ElementsAre(20, 7));
  EXPECT_THAT(scaling.factor, ElementsAre(10, 1));
  EXPECT_THAT(scaled_targets(scaling, data.numbers), ElementsAre(-1, 0, 1, 0, 48, 1));
}

TEST(DenseHoldOut, EachLabelGivesItsShareAndEqualSequencesStayTogether) {
  std::string rows;
  for (int i = 0; i < 40; ++i) rows += std::to_string(i / 2) + ",5," + (i < 20 ? "a" : "b") + "\n";
  const DenseData data = dense_of("a.csv", rows, labels_in("3"));
  const TextSplit split = hold_out(data, 0.2, 1);
  EXPECT_EQ(split.valid.size(), 8U);
  EXPECT_EQ(std::ranges::count_if(split.valid, [](std::size_t i) { return i < 20; }), 4);
  for (std::size_t i = 0; i < split.valid.size(); i += 2) {
    EXPECT_EQ(split.valid[i] / 2, split.valid[i + 1] / 2);
  }
  EXPECT_NE(hold_out(data, 0.2, 2).valid, split.valid);
}

}  // namespace
}  // namespace unroll
