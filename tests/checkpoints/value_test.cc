#include "checkpoints/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "unroll/error.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

template <class Number>
std::string bytes_of(const std::vector<Number>& numbers, bool reversed = false) {
  std::string bytes;
  for (const Number number : numbers) {
    std::string one(sizeof number, '\0');
    std::memcpy(one.data(), &number, sizeof number);
    if (reversed) one = std::string(one.rbegin(), one.rend());
    bytes += one;
  }
  return bytes;
}

// A graph with one storage.
struct GraphOfNumbers {
  GraphOfNumbers(ElementType type, std::string bytes, bool big_endian = false) {
    graph.add_storage({.name = "0", .type = type, .bytes = graph.keep(std::move(bytes)), .big_endian = big_endian});
  }

  ValueId tensor(std::vector<std::int64_t> shape, std::vector<std::int64_t> strides, std::int64_t offset = 0) {
    return graph.add_tensor({.offset = offset, .shape = std::move(shape), .strides = std::move(strides)}, "'x.pt'");
  }

  MatrixValue matrix(std::vector<std::int64_t> shape, std::vector<std::int64_t> strides, std::int64_t offset = 0) {
    const ValueId id = tensor(std::move(shape), std::move(strides), offset);
    return read_matrix(graph, graph.tensor(id), "w");
  }

  std::string refusal(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                      std::int64_t offset = 0) {
    try {
      tensor(shape, strides, offset);
      return "";
    } catch (const Error& error) {
      return error.code() == ErrorCode::kFormat ? error.what() : "another code";
    }
  }

  ValueGraph graph;
};

GraphOfNumbers six_floats() { return {ElementType::kF32, bytes_of(std::vector<float>{1, 2, 3, 4, 5, 6})}; }

std::string refusal_of_number(double number) {
  GraphOfNumbers numbers(ElementType::kF64, bytes_of(std::vector<double>{1, number}));
  try {
    static_cast<void>(numbers.matrix({2}, {1}));
    return "";
  } catch (const Error& error) {
    return error.code() == ErrorCode::kNumeric ? error.what() : "another code";
  }
}

TEST(Value, MatricesAreReadThroughStridesAndOffsets) {
  GraphOfNumbers numbers = six_floats();
  EXPECT_THAT(numbers.matrix({2, 3}, {3, 1}).numbers, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(numbers.matrix({3, 2}, {1, 3}).numbers, ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(numbers.matrix({2}, {2}, 1).numbers, ElementsAre(2, 4));
  const MatrixValue vector = numbers.matrix({2}, {1});
  EXPECT_EQ(vector.rows, 1);
  EXPECT_EQ(vector.cols, 2);
  EXPECT_EQ(numbers.matrix({0, 3}, {3, 1}).numbers.size(), 0U);
}

TEST(Value, NumbersOfEachTypeAndByteOrderAreRead) {
  const auto half =
      GraphOfNumbers(ElementType::kF16, bytes_of(std::vector<std::uint16_t>{0x3C00, 0xC100, 0x0001})).matrix({3}, {1});
  EXPECT_THAT(half.numbers, ElementsAre(1.0F, -2.5F, 5.9604645e-8F));
  const auto bf16 = GraphOfNumbers(ElementType::kBf16, bytes_of(std::vector<std::uint16_t>{0x3FC0})).matrix({1}, {1});
  EXPECT_THAT(bf16.numbers, ElementsAre(1.5F));
  const auto longs =
      GraphOfNumbers(ElementType::kI64, bytes_of(std::vector<std::int64_t>{-7, 1LL << 40})).matrix({2}, {1});
  EXPECT_THAT(longs.numbers, ElementsAre(-7.0F, 1099511627776.0F));
  EXPECT_EQ(longs.rounded, 0);
  const auto swapped =
      GraphOfNumbers(ElementType::kF64, bytes_of(std::vector<double>{0.1, 2}, true), true).matrix({2}, {1});
  EXPECT_THAT(swapped.numbers, ElementsAre(0.1F, 2.0F));
  EXPECT_EQ(swapped.rounded, 1);
}

TEST(Value, NumbersThatAreNotFiniteOrTooLargeAreRefusedByTheTensorsName) {
  EXPECT_EQ(refusal_of_number(3), "");
  EXPECT_EQ(refusal_of_number(std::numeric_limits<double>::quiet_NaN()), "tensor w: number 1 is NaN");
  EXPECT_EQ(refusal_of_number(-std::numeric_limits<double>::infinity()), "tensor w: number 1 is infinite");
  EXPECT_EQ(refusal_of_number(1e39), "tensor w: number 1 is too large for f32");
}

TEST(Value, TensorsBeyondTheirStorageAreRefused) {
  GraphOfNumbers numbers = six_floats();
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  EXPECT_EQ(numbers.refusal({2, 3}, {3, 1}), "");
  EXPECT_EQ(numbers.refusal({2, 3}, {3, 1}, 1),
            "'x.pt': a tensor of shape [2, 3] from offset 1 does not fit into its storage \"0\" of 6 numbers");
  EXPECT_THAT(numbers.refusal({2, 3}, {4, 1}), HasSubstr("does not fit"));
  EXPECT_THAT(numbers.refusal({kHuge, 8}, {0, 0}), HasSubstr("does not fit"));
  EXPECT_THAT(numbers.refusal({kHuge, kHuge}, {1, kHuge}), HasSubstr("does not fit"));
  EXPECT_THAT(numbers.refusal({7}, {0}), HasSubstr("does not fit"));
  EXPECT_THAT(numbers.refusal({0}, {1}, 7), HasSubstr("does not fit"));
  EXPECT_THAT(numbers.refusal({2}, {-1}, 3), HasSubstr("negative stride -1"));
  EXPECT_THAT(numbers.refusal({-2}, {1}), HasSubstr("negative length -2"));
  EXPECT_THAT(numbers.refusal({1}, {1}, -1), HasSubstr("negative offset -1"));
  EXPECT_THAT(numbers.refusal({1, 1}, {1}), HasSubstr("2 lengths and 1 strides"));
  EXPECT_THAT(numbers.refusal(std::vector<std::int64_t>(9, 1), std::vector<std::int64_t>(9, 1)),
              HasSubstr("9 dimensions"));
}

std::vector<std::string> walked_paths(const ValueGraph& graph, ValueId root) {
  std::vector<std::string> paths;
  walk(graph, root, [&](const WalkedValue& value) {
    paths.push_back(value.path);
    return true;
  });
  return paths;
}

TEST(Value, WalksVisitWhatIsSharedOnceAndEscapeNames) {
  ValueGraph graph;
  const ValueId shared = graph.add_items(ValueKind::kList, {graph.add_integer(1)});
  const ValueId dict = graph.add_items(ValueKind::kDict, {graph.add_string("a"), shared, graph.add_string("b\n"),
                                                          graph.add_real(2), graph.add_string("c"), shared});
  graph[dict].items.insert(graph[dict].items.end(), {graph.add_string("itself"), dict});
  const ValueId object =
      graph.add({.kind = ValueKind::kObject, .text = "f", .items = {shared, dict, kNoValue, kNoValue}});
  EXPECT_THAT(walked_paths(graph, object), ElementsAre("", "()", "().0", "", "\"b\\n\""));
  EXPECT_EQ(graph.find(dict, "c"), shared);
  EXPECT_EQ(graph.find(dict, "d"), kNoValue);
  EXPECT_EQ(graph.find(shared, "a"), kNoValue);
}

TEST(Value, ListsNestedTooDeepAreRefusedWithoutRecursion) {
  ValueGraph graph;
  ValueId deep = graph.add_none();
  for (int i = 0; i < 200'000; ++i) deep = graph.add_items(ValueKind::kList, {deep});
  EXPECT_THROW(static_cast<void>(walked_paths(graph, deep)), Error);
}

TEST(Value, SixtyDoubledListsAreWalkedInNoTime) {
  ValueGraph graph;
  ValueId list = graph.add_items(ValueKind::kList, {});
  for (int i = 0; i < 60; ++i) list = graph.add_items(ValueKind::kList, {list, list});
  EXPECT_EQ(walked_paths(graph, list).size(), 61U);
}

TEST(Value, TextThatIsNotUtf8IsBytes) {
  ValueGraph graph;
  EXPECT_TRUE(graph.is(graph.add_string("\xC3\xA9"), ValueKind::kString));
  EXPECT_TRUE(graph.is(graph.add_string("\xC3"), ValueKind::kBytes));
  EXPECT_EQ(shown_name("rnn.weight"), "rnn.weight");
  EXPECT_THAT(shown_name("a\x1B[31m"), StartsWith("\"a\\u001b"));
}

}  // namespace
}  // namespace unroll
