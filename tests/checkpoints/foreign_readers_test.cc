#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "checkpoints/describe.h"
#include "checkpoints/read_checkpoint.h"
#include "support/foreign_files.h"
#include "support/temporary_folder.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ForeignReaders : public testing::Test {
 protected:
  [[nodiscard]] ForeignFile read(const std::string& bytes, const std::string& name = "x") {
    write_bytes(folder_.path(name), bytes);
    return read_checkpoint(folder_.path(name));
  }

  // The numbers of a tensor of the root dict.
  std::vector<double> numbers(const std::string& bytes, const std::string& tensor) {
    const ForeignFile file = read(bytes);
    const ValueId id = file.values.find(file.root, tensor);
    return read_numbers(file.values, file.values.tensor(id), tensor);
  }

  std::string refusal(const std::string& bytes, const std::string& name = "x") {
    try {
      static_cast<void>(describe(read(bytes, name)));
      return "";
    } catch (const Error& error) {
      return error.code() == ErrorCode::kFormat ? error.what() : "another code";
    }
  }

  // Every prefix of the file is refused.
  void expect_no_prefix_is_read(const std::string& bytes, const std::string& name = "x") {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_NE(refusal(bytes.substr(0, size), name), "") << size;
    }
  }

  TemporaryFolder folder_;
};

std::string array_of(const std::string& descr, const std::string& rest, const std::string& elements) {
  return zip_of({{"a.npy", npy_of("{'descr': '" + descr + "', " + rest + "}\n", elements)}});
}

TEST_F(ForeignReaders, ArraysHaveAnyOrderAndByteOrder) {
  const std::string c = "'fortran_order': False, 'shape': (2, 3)";
  const std::string six = float_bytes({1, 2, 3, 4, 5, 6});
  EXPECT_THAT(numbers(array_of("<f4", c, six), "a"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(numbers(array_of("<f4", "'fortran_order': True, 'shape': (2, 3)", six), "a"),
              ElementsAre(1, 3, 5, 2, 4, 6));
  const std::string big("\x3f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0", 16);
  EXPECT_THAT(numbers(array_of(">f8", "'fortran_order': False, 'shape': (2,)", big), "a"), ElementsAre(1, 2));
  EXPECT_THAT(numbers(array_of("|i1", "'fortran_order': False, 'shape': ()", "\x07"), "a"), ElementsAre(7));
}

TEST_F(ForeignReaders, ArraysThatAreNoNumbersOrLieAreRefused) {
  const std::string c = "'fortran_order': False, 'shape': ";
  EXPECT_THAT(refusal(array_of("|O", c + "(1,)", "\x80\x02N.")), HasSubstr("Python objects"));
  EXPECT_THAT(refusal(array_of("<U3", c + "(1,)", std::string(12, 'a'))), HasSubstr("expected numbers"));
  EXPECT_THAT(refusal(array_of("<f4", c + "(3,)", float_bytes({1, 2}))), HasSubstr("does not fit"));
  EXPECT_THAT(refusal(array_of("<f4", c + "(1,)", float_bytes({1, 2}))), HasSubstr("expected [1]"));
  EXPECT_THAT(refusal(array_of("<f4", c + "(4611686018427387904, 4611686018427387904)", float_bytes({1}))),
              HasSubstr("does not fit"));
  EXPECT_THAT(refusal(array_of("<f4", c + "(__import__('os').system('x'),)", "")), HasSubstr("holds"));
  EXPECT_THAT(refusal(zip_of({{"a.npy", "x"}})), HasSubstr("does not begin"));
  EXPECT_THAT(refusal(zip_of({{"a.npy", npy_of("{}", "")}, {"b.txt", ""}})), HasSubstr("header"));
}

TEST_F(ForeignReaders, TablesOfTorch7KeepWhatTheyShare) {
  using namespace torch7;
  const std::string file = table(1, {{string("a"), tensor(2, {2, 2}, 3, storage(3, {9, 9, 1, 2, 3, 4}))},
                                     {string("b"), tensor(4, {2}, 1, reference(4, 3))},
                                     {string("itself"), reference(3, 1)},
                                     {string("f"), whole(8) + whole(5) + text("bytes \x1b of Lua") + table(6, {})},
                                     {number(2), string("two")},
                                     {string("empty"), tensor(7, {}, 1, nil())},
                                     {string("cuda"), tensor(8, {1}, 1, storage(9, {5}, "Cuda"), "Cuda")}});
  EXPECT_THAT(numbers(file, "a"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(numbers(file, "b"), ElementsAre(9, 9));
  EXPECT_THAT(numbers(file, "cuda"), ElementsAre(5));
  EXPECT_THAT(describe(read(file)), HasSubstr("object of function"));
  expect_no_prefix_is_read(file);
}

TEST_F(ForeignReaders, FilesOfTorch7ThatLieAreRefused) {
  using namespace torch7;
  const auto of = [&](const std::string& value) { return refusal(table(1, {{string("a"), value}})); };
  EXPECT_THAT(of(tensor(2, {2, 2}, 4, storage(3, {1, 2, 3, 4, 5, 6}))), HasSubstr("does not fit"));
  EXPECT_THAT(of(tensor(2, {2}, INT64_MIN, storage(3, {1, 2}))), HasSubstr("begins at"));
  EXPECT_THAT(of(tensor(2, {2}, 1, reference(4, 9))), testing::Not(""));
  EXPECT_THAT(of(tensor(2, {2}, 1, storage(3, {1, 2}, "Int"))), HasSubstr("does not view a storage of its type"));
  EXPECT_THAT(of(object(2, "torch.FloatStorage", number_bytes(std::int64_t{1} << 62))), HasSubstr("numbers"));
  EXPECT_THAT(of(object(2, "torch.FloatStorage", number_bytes(std::int64_t{-4}))), HasSubstr("-4"));
  EXPECT_THAT(of(object(2, "torch.FloatTensor", whole(1000000))), HasSubstr("dimensions"));
  EXPECT_THAT(of(reference(4, 1)), HasSubstr("two kinds"));
  EXPECT_THAT(of(whole(99)), HasSubstr("kind 99"));
  EXPECT_THAT(of(whole(2) + whole(-1)), HasSubstr("-1"));
  EXPECT_THAT(of(whole(3) + whole(2) + whole(2000000000)), testing::Not(""));
  EXPECT_THAT(refusal(table(1, {}) + "x"), HasSubstr("1 bytes follow"));
  EXPECT_THAT(refusal("4\n1\n3\nV 1\n"), HasSubstr("ASCII"));
  std::string deep;
  for (std::int32_t i = 1; i <= 100'000; ++i) deep += whole(3) + whole(i) + whole(1) + number(1);
  EXPECT_THAT(refusal(deep), HasSubstr("nested"));
}

class Bundles : public ForeignReaders {
 protected:
  void write_numbers(const std::string& bytes) { write_bytes(folder_.path("m.data-00000-of-00001"), bytes); }
  std::string index_refusal(const std::string& index) { return refusal(index, "m.index"); }
};

TEST_F(Bundles, TensorsAreReadByTheNameOfTheIndexOrOfTheCheckpoint) {
  const std::string numbers = float_bytes({7, 1, 2, 3, 4, 5, 6});
  write_numbers(numbers);
  const std::string text_type = "\x08\x07";
  const std::string index =
      bundle::index({{"", bundle::header()}, {"a", bundle::entry({2, 3}, 4, numbers.substr(4))}, {"b", text_type}});
  write_bytes(folder_.path("m.index"), index);
  for (const char* name : {"m", "m.index"}) {
    const ForeignFile file = read_checkpoint(folder_.path(name));
    const ValueId a = file.values.find(file.root, "a");
    EXPECT_THAT(read_numbers(file.values, file.values.tensor(a), "a"), ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_THAT(file.notes, ElementsAre(HasSubstr("not read: b")));
  }
  expect_no_prefix_is_read(index, "m.index");
}

TEST_F(Bundles, WhatIsDamagedOrNotReadIsRefused) {
  const std::string numbers = float_bytes({1, 2});
  write_numbers(numbers);
  const auto of = [&](const std::string& entry) {
    return index_refusal(bundle::index({{"", bundle::header()}, {"a", entry}}));
  };
  const std::string good = bundle::entry({2}, 0, numbers);
  EXPECT_EQ(of(good), "");
  EXPECT_THAT(of(bundle::entry({3}, 0, numbers)), HasSubstr("does not fit"));
  EXPECT_THAT(of(bundle::entry({1}, 0, numbers)), HasSubstr("does not fit"));
  EXPECT_THAT(of(bundle::entry({2}, 4, numbers)), HasSubstr("not within"));
  EXPECT_THAT(of(bundle::entry({1}, 0, numbers.substr(4))), HasSubstr("checksum"));
  EXPECT_THAT(of(good + std::string("\x3a\x00", 2)), HasSubstr("slices"));
  EXPECT_THAT(of(good + "\x18\x01"), HasSubstr("another file"));
  EXPECT_THAT(of("\xff"), testing::Not(""));
  EXPECT_THAT(index_refusal(bundle::index({{"", bundle::header(2)}})), HasSubstr("2 files"));
  EXPECT_THAT(index_refusal(bundle::index({{"", bundle::header() + "\x10\x01"}})), HasSubstr("big-endian"));
  EXPECT_THAT(index_refusal(bundle::index({{"a", good}})), HasSubstr("no header"));
  EXPECT_THAT(index_refusal(bundle::index({{"", bundle::header()}, {"a", good}, {"a", good}})), HasSubstr("order"));
  EXPECT_THAT(index_refusal(bundle::index({{"", bundle::header()}}, 1)), HasSubstr("snappy"));
  std::string damaged = bundle::index({{"", bundle::header()}, {"a", good}});
  damaged[5] ^= 1;
  EXPECT_THAT(index_refusal(damaged), HasSubstr("checksum"));
}

TEST_F(ForeignReaders, FoldersOfMl5AreRefusedWhereTheyLie) {
  std::filesystem::create_directory(folder_.path("ml5"));
  write_bytes(folder_.path("ml5/w"), float_bytes({1, 2}));
  const auto of = [&](const std::string& manifest) {
    write_bytes(folder_.path("ml5/manifest.json"), manifest);
    try {
      const ForeignFile file = read_checkpoint(folder_.path("ml5"));
      return std::to_string(file.values.tensor(file.values.find(file.root, "a")).size());
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(of(R"({"a":{"filename":"w","shape":[2,1]}})"), "2");
  EXPECT_THAT(of(R"({"a":{"filename":"w","shape":[3]}})"), HasSubstr("does not fit"));
  EXPECT_THAT(of(R"({"a":{"filename":"w","shape":[1]}})"), HasSubstr("expected [1]"));
  EXPECT_THAT(of(R"({"a":{"filename":"w","shape":[-2]}})"), HasSubstr("negative"));
  EXPECT_THAT(of(R"({"a":{"filename":"../ml5/w","shape":[2]}})"), HasSubstr("not one in the folder"));
  EXPECT_THAT(of(R"({"a":{"filename":"no","shape":[2]}})"), HasSubstr("no"));
  EXPECT_THAT(of(R"({"a":{"filename":"w"}})"), HasSubstr("no shape"));
  EXPECT_THAT(of(R"({"a":3})"), HasSubstr("no filename"));
  EXPECT_THAT(of(R"({"a":{"filename":"w","shape":[2]},"a":{"filename":"w","shape":[2]}})"), HasSubstr("twice"));
  EXPECT_THAT(of("[]"), HasSubstr("not an object"));
}

TEST_F(ForeignReaders, MessagesSayWhatKindOfFileIsWrong) {
  const auto safetensors = [](std::uint64_t length, const std::string& rest) { return number_bytes(length) + rest; };
  EXPECT_THAT(refusal(safetensors(std::uint64_t{1} << 63, "{}")), HasSubstr("bytes were to follow"));
  EXPECT_THAT(refusal(safetensors(40, "{}")), HasSubstr("40 bytes were to follow"));
  EXPECT_THAT(refusal(safetensors(2, "[]" + std::string(8, '\0'))), HasSubstr("safetensors"));
  EXPECT_THAT(refusal(safetensors(
                  86, R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}          )")),
              HasSubstr("does not fit"));
  EXPECT_THAT(refusal(pickle::text("a{bcd")), HasSubstr("no instruction that ends it"));
  EXPECT_EQ(refusal(pickle::file(pickle::text("a{bcd"))), "");
  std::string zip = zip_of({{"a.npy", npy_of("{}", "")}});
  zip[zip.size() - 12] = 7;
  EXPECT_THAT(refusal(zip), HasSubstr("1 members in this file and 7 in all"));
}

TEST_F(ForeignReaders, OnlyRegularFilesAreReadAndOfAFolderOnlyItsOwn) {
  const auto refused = [&](const std::string& path) {
    try {
      static_cast<void>(read_checkpoint(path));
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  ASSERT_EQ(::mkfifo(folder_.path("pipe").c_str(), 0600), 0);
  for (const std::string& path : {folder_.path("pipe"), std::string("/dev/zero"), std::string("/dev/null")}) {
    EXPECT_THAT(refused(path), HasSubstr("expected a regular file"));
  }
  std::filesystem::create_directory(folder_.path("ml5"));
  write_bytes(folder_.path("outside"), float_bytes({1, 2}));
  write_bytes(folder_.path("ml5/inside"), float_bytes({1, 2}));
  write_bytes(folder_.path("ml5/manifest.json"), R"({"a":{"filename":"w","shape":[2]}})");
  const std::string member = folder_.path("ml5/w");
  const auto with_link_to = [&](const std::string& target) {
    std::filesystem::remove(member);
    std::filesystem::create_symlink(target, member);
    return refused(folder_.path("ml5"));
  };
  EXPECT_EQ(with_link_to("inside"), "");
  EXPECT_THAT(with_link_to("../outside"), HasSubstr("leads out of its folder"));
  EXPECT_THAT(with_link_to("/dev/zero"), HasSubstr("leads out of its folder"));
  EXPECT_THAT(with_link_to("w"), testing::Not(""));
  EXPECT_THAT(with_link_to("nothing"), testing::Not(""));
  std::filesystem::remove(member);
  ASSERT_EQ(::mkfifo(member.c_str(), 0600), 0);
  EXPECT_THAT(refused(folder_.path("ml5")), HasSubstr("expected a regular file"));
  std::filesystem::remove(member);
  std::filesystem::rename(folder_.path("ml5/inside"), member);
  ASSERT_EQ(::mkfifo(folder_.path("ml5/vocab.json").c_str(), 0600), 0);
  EXPECT_THAT(refused(folder_.path("ml5")), HasSubstr("expected a regular file"));
}

}  // namespace
}  // namespace unroll
