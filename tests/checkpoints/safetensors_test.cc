#include "checkpoints/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "checkpoints/read_checkpoint.h"
#include "support/pickle_writer.h"
#include "support/temporary_folder.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string safetensors_of(const std::string& header, const std::string& data) {
  return number_bytes(static_cast<std::uint64_t>(header.size())) + header + data;
}

std::string safetensors_refusal(const std::string& header, const std::string& data) {
  const TemporaryFolder folder;
  write_bytes(folder.path("x.safetensors"), safetensors_of(header, data));
  try {
    static_cast<void>(read_checkpoint(folder.path("x.safetensors")));
    return "";
  } catch (const Error& error) {
    return error.code() == ErrorCode::kFormat ? error.what() : "another code";
  }
}

TEST(Safetensors, TensorsOfEachTypeAreRead) {
  const TemporaryFolder folder;
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},)"
      R"("b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
  const std::string halves = number_bytes(std::uint16_t{0x3F80}) + number_bytes(std::uint16_t{0xC000});
  write_bytes(folder.path("x.safetensors"), safetensors_of(header, float_bytes({1, 2}) + halves));
  const ForeignFile read = read_checkpoint(folder.path("x.safetensors"));
  const auto numbers = [&](const char* name) {
    return read_numbers(read.values, read.values.tensor(read.values.find(read.root, name)), name);
  };
  EXPECT_THAT(numbers("a"), ElementsAre(1, -2));
  EXPECT_THAT(numbers("b"), ElementsAre(1, 2));
  const ValueId format = read.values.find(read.values.find(read.root, "__metadata__"), "format");
  EXPECT_EQ(read.values[format].text, "pt");
}

TEST(Safetensors, HeadersThatLieAreRefused) {
  const std::string eight = float_bytes({1, 2});
  const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  EXPECT_EQ(safetensors_refusal(one("F32", "[2]", "[0,8]"), eight), "");
  EXPECT_THAT(safetensors_refusal(one("F32", "[2]", "[0,8]"), eight + "x"), HasSubstr("end at byte 8 of 9"));
  EXPECT_THAT(safetensors_refusal(one("F32", "[3]", "[0,8]"), eight), HasSubstr("does not fit"));
  EXPECT_THAT(safetensors_refusal(one("F32", "[1]", "[0,8]"), eight), HasSubstr("expected 1 numbers"));
  EXPECT_THAT(safetensors_refusal(one("F32", "[2]", "[0,80]"), eight), HasSubstr("not within the file"));
  EXPECT_THAT(safetensors_refusal(one("F32", "[1]", "[4,8]"), eight), HasSubstr("begin at byte 4: expected byte 0"));
  EXPECT_THAT(safetensors_refusal(one("F8", "[8]", "[0,8]"), eight), HasSubstr("\"F8\" is not known"));
  EXPECT_THAT(safetensors_refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                  R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                                  eight),
              HasSubstr("begin at byte 4: expected byte 8"));
}

}  // namespace
}  // namespace unroll
