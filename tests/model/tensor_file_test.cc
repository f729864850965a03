#include "model/tensor_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "support/error_of.h"
#include "support/sealed_file.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

const std::vector<float> kFirst = {1.5F, -2.0F, 1e-42F, 3.25e30F, -0.0F, 7.0F};
const std::vector<float> kSecond = {0.1F, 0.2F, 0.3F};

std::vector<TensorToWrite> two_tensors() { return {{"a.weight", {2, 3}, kFirst}, {"b", {3}, kSecond}}; }

const std::map<std::string, std::string> kMetadata = {{"format", "unroll/1"}, {"config", R"({"cell":"lstm"})"}};

// Writes bytes and reads them as a file of format unroll/1.
class TensorFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_.path("x.safetensors"); }

  std::string written() {
    write_tensor_file(path(), two_tensors(), kMetadata);
    return bytes_of(path());
  }
  std::optional<Error> error_of_reading(const std::string& bytes) {
    write_bytes(path(), bytes);
    return error_of([&] { const TensorFile file(path(), {"unroll/1"}); });
  }
  testing::AssertionResult refused(const std::string& part, const std::string& bytes) {
    write_bytes(path(), bytes);
    return fails_with(ErrorCode::kFormat, part, [&] { const TensorFile file(path(), {"unroll/1"}); });
  }
  // A file with a correct checksum whose header has `tensors` after the metadata.
  static std::string with_tensors(const std::string& tensors, const std::string& data) {
    return with_metadata(R"("format":"unroll/1")", tensors, data);
  }
  static std::string with_metadata(const std::string& metadata, const std::string& tensors, const std::string& data) {
    return sealed_file("{\"__metadata__\":{" + metadata + (metadata.empty() ? "" : ",") + kNoChecksumYet + "}" +
                           (tensors.empty() ? "" : ",") + tensors + "}",
                       data);
  }
  static std::string tensor(const std::string& name, const std::string& shape, const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}";
  }

  TemporaryFolder folder_;
};

TEST_F(TensorFileTest, ReadsBackTheSameBitsShapesAndMetadata) {
  written();
  const TensorFile file(path(), {"unroll/1"});
  ASSERT_EQ(file.tensors().size(), 2U);
  EXPECT_EQ(file.tensors()[0].name, "a.weight");
  EXPECT_EQ(file.tensors()[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.tensors()[1].offset, 24);
  std::vector<float> first(6);
  std::vector<float> second(3);
  file.copy("a.weight", {2, 3}, first);
  file.copy("b", {3}, second);
  EXPECT_EQ(float_bytes(first), float_bytes(kFirst));
  EXPECT_EQ(float_bytes(second), float_bytes(kSecond));
  EXPECT_EQ(file.required("config"), kMetadata.at("config"));
  EXPECT_EQ(file.required("checksum").size(), 16U);
  EXPECT_EQ(file.path(), path());
}

TEST_F(TensorFileTest, KeepsNumbersOfEveryType) {
  const std::vector<Bf16> halves = {0x3F80, 0x8001, 0x7F7F};
  const std::vector<std::int8_t> bytes = {-127, 0, 127, 5};
  write_tensor_file(path(), {{"f", {3}, kSecond}, {"h", {3, 1}, halves}, {"b", {2, 2}, bytes}}, kMetadata);
  TensorFile file(path(), {"unroll/1"});
  EXPECT_TRUE(std::ranges::equal(file.values<float>("f", {3}), kSecond));
  EXPECT_TRUE(std::ranges::equal(file.values<Bf16>("h", {3, 1}), halves));
  EXPECT_TRUE(std::ranges::equal(file.values<std::int8_t>("b", {2, 2}), bytes));
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "has tensor h as BF16, expected F32", [&] {
    (void)file.values<float>("h", {3, 1});
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "has tensor f as F32, expected I8",
                         [&] { (void)file.values<std::int8_t>("f", {3}); }));
}

TEST_F(TensorFileTest, FindsANumberThatIsNotFiniteAtAnyPlace) {
  for (const std::size_t size : {1U, 2U, 63U, 64U, 65U, 200U}) {
    for (std::size_t place = 0; place < size; ++place) {
      std::vector<float> floats(size, -3e38F);
      std::vector<Bf16> halves(size, 0xFF7F);
      std::vector<std::int8_t> bytes(size, -127);
      floats[place] = place % 2 == 0 ? -std::numeric_limits<float>::infinity() : std::nanf("");
      halves[place] = place % 2 == 0 ? 0xFF80 : 0x7F81;
      bytes[place] = -128;
      const auto length = static_cast<std::int64_t>(size);
      write_tensor_file(path(), {{"f", {length}, floats}, {"h", {length}, halves}, {"b", {length}, bytes}}, kMetadata);
      TensorFile file(path(), {"unroll/1"});
      const std::string where = "at element " + std::to_string(place);
      const auto ends = [&](const auto& f) {
        const auto error = error_of(f);
        return error && std::string(error->what()).ends_with(where);
      };
      EXPECT_TRUE(ends([&] { (void)file.values<float>("f", {length}); })) << size;
      EXPECT_TRUE(ends([&] { (void)file.values<Bf16>("h", {length}); })) << size;
      EXPECT_TRUE(ends([&] { (void)file.values<std::int8_t>("b", {length}); })) << size;
    }
  }
}

TEST_F(TensorFileTest, WritesTheSameBytesForTheSameContent) {
  const std::string first = written();
  EXPECT_EQ(written(), first);
}

TEST_F(TensorFileTest, WritesTheDocumentedBytes) {
  const std::string header =
      R"({"__metadata__":{"checksum":"0000000000000000","config":"{\"cell\":\"lstm\"}","format":"unroll/1"},)" +
      tensor("a.weight", "2,3", "0,24") + "," + tensor("b", "3", "24,36") + "}";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(written(), sealed_file(header + padding, float_bytes(kFirst) + float_bytes(kSecond)));
}

TEST_F(TensorFileTest, KeepsAnyUnicodeInNamesAndMetadata) {
  const std::string text = "quote\" backslash\\ newline\n NUL" + std::string(1, '\0') + " \x7f é 漢 🙂";
  write_tensor_file(path(), {{text, {3}, kSecond}}, {{"format", "unroll/1"}, {text, text}});
  const TensorFile file(path(), {"unroll/1"});
  EXPECT_EQ(file.tensors()[0].name, text);
  EXPECT_EQ(file.required(text), text);
}

TEST_F(TensorFileTest, MayHoldNoTensor) {
  write_tensor_file(path(), {}, kMetadata);
  EXPECT_TRUE(TensorFile(path(), {"unroll/1"}).tensors().empty());
}

TEST_F(TensorFileTest, TakesTensorsThatTheHeaderListsInAnotherOrderThanTheirData) {
  write_bytes(path(), with_tensors(tensor("b", "1", "4,8") + "," + tensor("a", "", "0,4"),
                                   float_bytes(std::vector<float>{1.0F, 2.0F})));
  const TensorFile file(path(), {"unroll/1"});
  EXPECT_EQ(file.tensors()[0].name, "a");
  EXPECT_EQ(file.tensors()[0].size, 1);
  std::vector<float> b(1);
  file.copy("b", {1}, b);
  EXPECT_EQ(b[0], 2.0F);
}

TEST_F(TensorFileTest, RefusesAFileCutAtAnyByte) {
  const std::string bytes = written();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::optional<Error> error = error_of_reading(bytes.substr(0, length));
    ASSERT_TRUE(error.has_value()) << "cut to " << length;
    ASSERT_EQ(error->code(), ErrorCode::kFormat) << "cut to " << length << ": " << error->what();
  }
  EXPECT_TRUE(refused("is empty", ""));
  EXPECT_TRUE(refused("is cut short: its header", bytes.substr(0, 40)));
  EXPECT_TRUE(refused("is cut short: its tensors need 36 bytes after the header, 35 are there",
                      bytes.substr(0, bytes.size() - 1)));
}

TEST_F(TensorFileTest, RefusesAFileWithAnyBitFlipped) {
  const std::string bytes = written();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const std::optional<Error> error = error_of_reading(changed);
    ASSERT_TRUE(error.has_value()) << "byte " << bit / 8 << " bit " << bit % 8;
    ASSERT_EQ(error->code(), ErrorCode::kFormat) << "byte " << bit / 8 << ": " << error->what();
  }
}

TEST_F(TensorFileTest, RefusesTrailingBytes) { EXPECT_TRUE(refused("was changed", written() + "x")); }

TEST_F(TensorFileTest, SaysThatNumbersWereChanged) {
  std::string bytes = written();
  bytes.back() ^= 1;
  EXPECT_TRUE(refused("was changed after it was written: its checksum is ", bytes));
}

TEST_F(TensorFileTest, RefusesAFileWithoutAChecksumOrWithMoreThanOne) {
  EXPECT_TRUE(refused("has no checksum", sealed_file(R"({"__metadata__":{"format":"unroll/1"}})", "")));
  EXPECT_TRUE(refused("has no checksum", sealed_file(R"({"__metadata__":{"format":"unroll/1","checksum":"0"}})", "")));
  EXPECT_TRUE(refused("has no checksum",
                      sealed_file(R"({"__metadata__":{"format":"unroll/1","checksum" : "0123456789abcdef"}})", "")));
  EXPECT_TRUE(
      refused("has no checksum", with_metadata(R"("format":"unroll/1","x\"checksum":"0000000000000000")", "", "")));
  EXPECT_TRUE(refused("twice", with_metadata(R"("format":"unroll/1","checksum":"0000000000000000")", "", "")));
}

TEST_F(TensorFileTest, NamesANewerVersionBeforeItLooksAtTheChecksum) {
  EXPECT_TRUE(refused("was written by a newer version of unroll (format unroll/2, this one reads unroll/1)",
                      sealed_file(R"({"__metadata__":{"format":"unroll/2"},"q":{"dtype":"I4","shape":[9],)"
                                  R"("data_offsets":[0,5]}})",
                                  "12345")));
  EXPECT_TRUE(refused("newer version", with_metadata(R"("format":"unroll/10")", "", "")));
}

TEST_F(TensorFileTest, NamesAnotherKindOfFile) {
  EXPECT_TRUE(refused("not one of unroll", sealed_file("{}", "")));
  EXPECT_TRUE(refused(R"(its format is "pt")", with_metadata(R"("format":"pt")", "", "")));
  for (const std::string format :
       {"unroll-resume/1", "unroll/0", "unroll/1 ", "unroll/01x", "unroll/", "/2", "", "unroll/99999999999999999999"}) {
    EXPECT_TRUE(refused("is of another kind", with_metadata("\"format\":\"" + format + "\"", "", ""))) << format;
  }
  EXPECT_TRUE(refused("is not a safetensors file", "First Citizen:\nBefore we proceed any further, hear me speak.\n"));
  EXPECT_TRUE(refused("is not a safetensors file", std::string(1000, '\0')));
  EXPECT_TRUE(refused("is not a safetensors file", "\x1f\x8b"));
}

TEST_F(TensorFileTest, RefusesALengthAboveTheLimitOrBeyondTheFile) {
  const auto with_length = [](std::uint64_t length) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return bytes + "{}      ";
  };
  EXPECT_TRUE(refused("is cut short: its header should end at byte 17", with_length(9)));
  EXPECT_TRUE(refused("is cut short", with_length(100'000'000)));
  EXPECT_TRUE(refused("is not a safetensors file", with_length(100'000'001)));
  EXPECT_TRUE(refused("is not a safetensors file", with_length(std::numeric_limits<std::uint64_t>::max())));
  EXPECT_TRUE(refused("is not a safetensors file", with_length(std::uint64_t{1} << 63)));
  EXPECT_TRUE(refused("is not a safetensors file", with_length(0)));
}

TEST_F(TensorFileTest, RefusesAHugeFileWithoutReadingIt) {
  write_bytes(path(), std::string("\xff\xff\xff\xff\xff\0\0\0{", 9));
  std::filesystem::resize_file(path(), std::uintmax_t{1} << 40);  // sparse: takes no space
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "is not a safetensors file",
                         [&] { const TensorFile file(path(), {"unroll/1"}); }));
}

TEST_F(TensorFileTest, RefusesADirectoryAndAMissingFile) {
  EXPECT_TRUE(
      fails_with(ErrorCode::kFile, "Is a directory", [&] { const TensorFile file(folder_.path(), {"unroll/1"}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "No such file", [&] { const TensorFile file(path(), {"unroll/1"}); }));
}

TEST_F(TensorFileTest, ReadsFromAPipe) {
  const std::string bytes = written();
  const std::string pipe = folder_.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { write_bytes(pipe, bytes); });
  const TensorFile file(pipe, {"unroll/1"});
  writer.join();
  EXPECT_EQ(file.tensors().size(), 2U);
}

TEST_F(TensorFileTest, RefusesHeadersThatAreNotOfTheForm) {
  const std::string metadata = R"({"__metadata__":{"format":"unroll/1"},)";
  const std::vector<std::string> headers = {
      R"({"__metadata__":{"format":"unroll/1"})",
      R"({"__metadata__":{"format":"unroll/1"}}})",
      R"({"__metadata__":{"format":"unroll/1"}} x)",
      R"({"__metadata__":{"format":1}})",
      R"({"__metadata__":{"format":{}}})",
      R"({"__metadata__":{"format":["unroll/1"]}})",
      R"({"__metadata__":null})",
      R"({"__metadata__":"unroll/1"})",
      R"({"__metadata__":{"format":"unroll/1"},"__metadata__":{"format":"unroll/1"}})",
      metadata + R"("a":1})",
      metadata + R"("a":[]})",
      metadata + R"("a":{}})",
      metadata + R"("a":true})",
      metadata + R"("a":{"dtype":"F32","shape":[1]}})",
      metadata + R"("a":{"dtype":"F32","data_offsets":[0,4]}})",
      metadata + R"("a":{"shape":[1],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}})",
      metadata + R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":[[]]}})",
      metadata + R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"shape":[1]}})",
      metadata + R"("a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[{}],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})",
      metadata + R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})",
      metadata + R"("a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})",
      "{\"__metadata__\":{\"format\":\"unroll/1\",\"x\":\"\xff\"}}",
      "{\"__metadata__\":{\"format\":\"unroll/1\",\"x\":\"\xc3\"}}",
      "{\"__metadata__\":{\"format\":\"unroll/1\",\"x\":\"\xed\xa0\x80\"}}",
      "{\"__metadata__\":{\"format\":\"unroll/1\",\"x\":\"\n\"}}",
      R"({"__metadata__":{"format":"unroll/1","x":"\ud800"}})",
      std::string("{\"__metadata__\":{\"format\":\"unroll/1\"}}\0", 39),
  };
  for (const std::string& header : headers) {
    const std::optional<Error> error = error_of_reading(sealed_file(header, "1234"));
    ASSERT_TRUE(error.has_value()) << header;
    EXPECT_EQ(error->code(), ErrorCode::kFormat) << header;
    const std::string message = error->what();
    EXPECT_TRUE(message.find("is damaged") != std::string::npos ||
                message.find("is not a valid safetensors file") != std::string::npos)
        << message;
  }
}

TEST_F(TensorFileTest, RefusesDeepNestingWithoutRunningOutOfStack) {
  for (const std::string open : {"[", R"({"a":)"}) {
    std::string header = R"({"a":)";
    for (int depth = 0; depth < 1'000'000; ++depth) header += open;
    EXPECT_TRUE(refused("is not a valid safetensors file", sealed_file(header, ""))) << open;
  }
}

TEST_F(TensorFileTest, RefusesATensorNamedTwice) {
  EXPECT_TRUE(refused("the key \"a\" twice",
                      with_tensors(tensor("a", "1", "0,4") + "," + tensor("a", "1", "4,8"), std::string(8, '\0'))));
}

TEST_F(TensorFileTest, RefusesOtherTypesOfNumbers) {
  for (const std::string dtype : {"F64", "F16", "U8", "I16", "f32", "bf16", ""}) {
    const std::string entry = R"("a":{"dtype":")" + dtype + R"(","shape":[2],"data_offsets":[0,8]})";
    EXPECT_TRUE(refused("\"a\" as \"" + dtype + "\": only F32, BF16 and I8", with_tensors(entry, std::string(8, '\0'))))
        << dtype;
  }
}

TEST_F(TensorFileTest, RefusesOffsetsThatDoNotCoverTheDataExactly) {
  const std::string eight(8, '\0');
  const auto two = [](const std::string& first, const std::string& second) {
    return tensor("a", "1", first) + "," + tensor("b", "1", second);
  };
  EXPECT_FALSE(error_of_reading(with_tensors(two("0,4", "4,8"), eight)).has_value());
  EXPECT_TRUE(refused("overlap", with_tensors(two("0,4", "0,4"), eight)));
  EXPECT_TRUE(refused("overlap", with_tensors(two("0,4", "2,6"), eight)));
  EXPECT_TRUE(refused("leave a hole", with_tensors(two("0,4", "8,12"), std::string(12, '\0'))));
  EXPECT_TRUE(refused("leave a hole", with_tensors(tensor("a", "1", "4,8"), eight)));
  EXPECT_TRUE(refused("4 bytes after its last tensor", with_tensors(tensor("a", "1", "0,4"), eight)));
  EXPECT_TRUE(refused("8 bytes after its last tensor", with_tensors("", eight)));
  EXPECT_TRUE(refused("is cut short", with_tensors(two("0,4", "8,12"), eight)));
  EXPECT_TRUE(refused("gives it bytes 8 to 4", with_tensors(tensor("a", "1", "8,4"), eight)));
  EXPECT_TRUE(refused("is cut short", with_tensors(tensor("a", "1", "18446744073709551612,18446744073709551615"), "")));
  EXPECT_TRUE(refused("gives it bytes 18446744073709551612 to 0",
                      with_tensors(tensor("a", "1", "18446744073709551612,0"), "")));
}

TEST_F(TensorFileTest, RefusesShapesThatDoNotFitTheirBytes) {
  const std::string eight(8, '\0');
  EXPECT_TRUE(refused("of shape (3), which takes 12 bytes, but gives it bytes 0 to 8",
                      with_tensors(tensor("a", "3", "0,8"), eight)));
  EXPECT_TRUE(refused("takes 0 bytes", with_tensors(tensor("a", "2,0", "0,8"), eight)));
  // 2^32 * 2^32 * 2 is 2 modulo 2^64, 2^62 * 4 bytes is 0.
  EXPECT_TRUE(refused("impossible shape", with_tensors(tensor("a", "4294967296,4294967296,2", "0,8"), eight)));
  EXPECT_TRUE(refused("impossible shape", with_tensors(tensor("a", "4611686018427387906", "0,8"), eight)));
  EXPECT_TRUE(refused("impossible shape", with_tensors(tensor("a", "18446744073709551615", "0,8"), eight)));
  EXPECT_TRUE(
      refused("impossible shape",
              with_tensors(tensor("a", "18446744073709551615,0", "0,0") + "," + tensor("b", "2", "0,8"), eight)));
}

TEST_F(TensorFileTest, CopiesOnlyTensorsOfTheRightShape) {
  written();
  const TensorFile file(path(), {"unroll/1"});
  std::vector<float> out(6);
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "has tensor a.weight of shape (2, 3), expected (3, 2)", [&] {
    file.copy("a.weight", {3, 2}, out);
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "lacks tensor c of shape (6)", [&] { file.copy("c", {6}, out); }));
  EXPECT_EQ(file.find("c"), nullptr);
  EXPECT_TRUE(
      fails_with(ErrorCode::kFormat, "lacks the metadata \"history\"", [&] { (void)file.required("history"); }));
}

TEST_F(TensorFileTest, RefusesNumbersThatAreNotFinite) {
  for (const float bad :
       {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    const std::vector<float> values = {1.0F, bad, 2.0F};
    write_tensor_file(path(), {{"w", {3}, values}}, kMetadata);
    const TensorFile file(path(), {"unroll/1"});
    std::vector<float> out(3);
    EXPECT_TRUE(fails_with(ErrorCode::kFormat, "in tensor w at element 1", [&] { file.copy("w", {3}, out); }));
  }
}

TEST_F(TensorFileTest, ShowsHostileNamesInOneShortLine) {
  const std::string name = R"(\u001b[31m\n)" + std::string(10'000, 'x');
  const std::optional<Error> error = error_of_reading(with_tensors(tensor(name, "2", "0,4"), std::string(4, '\0')));
  ASSERT_TRUE(error.has_value());
  const std::string message = error->what();
  EXPECT_LT(message.size(), 500U);
  EXPECT_EQ(message.find_first_of("\x1b\n"), std::string::npos);
}

TEST_F(TensorFileTest, RefusesToWriteWhatItCouldNotReadBack) {
  const std::string bytes = written();
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "UTF-8", [&] { write_tensor_file(path(), {}, {{"format", "\xff"}}); }));
  const std::string large(100'000'000, 'x');
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "header would take", [&] {
    write_tensor_file(path(), {}, {{"x", large}});
  }));
  EXPECT_EQ(bytes_of(path()), bytes);
}

}  // namespace
}  // namespace unroll
