#include "server/api/request_fields.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "server/api_error.h"

namespace unroll {
namespace {

std::string refusal_of_body(const std::string& body, std::int64_t most_values = 100) {
  try {
    const RequestFields fields(body, most_values);
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status(), 400);
    return error.what();
  }
  return "";
}

TEST(RequestFields, RefusesWhatIsNoPlainObject) {
  EXPECT_EQ(refusal_of_body("{\"a\": [1, {\"b\": null}]}"), "");
  for (const char* body : {"", "[]", "1", "{", "{\"a\": 01}", "{\"a\": \"\xff\"}", "{\"a\": 1e999}", "{\"a\": NaN}"}) {
    EXPECT_NE(refusal_of_body(body), "") << body;
  }
}

TEST(RequestFields, RefusesAKeyTwiceWhereverItStands) {
  EXPECT_NE(refusal_of_body("{\"a\": 1, \"a\": 2}"), "");
  EXPECT_NE(refusal_of_body("{\"b\": {\"a\": 1, \"a\": 2}}"), "");
  EXPECT_EQ(refusal_of_body("{\"b\": {\"a\": 1}, \"c\": {\"a\": 2}, \"a\": 3}"), "");
}

TEST(RequestFields, BuildsNothingBeyondItsLimits) {
  EXPECT_EQ(refusal_of_body("{\"a\":" + std::string(14, '[') + std::string(14, ']') + "}"), "");
  EXPECT_NE(refusal_of_body("{\"a\":" + std::string(100'000, '[')), "");
  std::string list = "{\"a\":[1";
  for (int i = 0; i < 200; ++i) list += ",1";
  EXPECT_NE(refusal_of_body(list + "]}"), "");
  EXPECT_EQ(refusal_of_body(list + "]}", 1000), "");
}

TEST(RequestFields, ReadsALongListOfObjectsAsItReadsNumbers) {
  std::string list = "{\"a\":[{}";
  for (int i = 0; i < 50'000; ++i) list += ",{}";
  EXPECT_EQ(refusal_of_body(list + "]}", 200'000), "");
}

TEST(RequestFields, RepeatsLittleOfWhatIsWrong) {
  const std::string text(100'000, 'u');
  for (const std::string& body : {"{\"a\": \"" + text, "{\"" + text + "\": 1, \"" + text + "\": 1}"}) {
    const std::string refusal = refusal_of_body(body);
    EXPECT_NE(refusal, "");
    EXPECT_LT(refusal.size(), 400U);
  }
  std::string object = "{\"" + text + "\": 1";
  for (int i = 0; i < 1000; ++i) object += fmt::format(",\"{}\": 1", i);
  const std::vector<std::string> ignored = RequestFields(object + "}", 10'000).ignored();
  EXPECT_EQ(ignored.size(), 20U);
  for (const std::string& name : ignored) EXPECT_LT(name.size(), 64U);
}

TEST(RequestFields, TakesNullForMissing) {
  RequestFields fields(R"({"a": null, "b": null, "c": null, "d": null})", 100);
  EXPECT_FALSE(fields.whole("a", 0, 5));
  EXPECT_EQ(fields.number("b", 0.5, {0, 1}), 0.5);
  EXPECT_TRUE(fields.truth("c", true));
  EXPECT_TRUE(fields.texts("d").empty());
  EXPECT_TRUE(fields.ignored().empty());
}

TEST(RequestFields, NamesTheFieldThatIsToBlame) {
  RequestFields fields(R"({"n": 3.5, "top_p": 2, "echo": 1, "stop": ["a", 3], "m": 16.0, "far": 1e30})", 100);
  const auto refused = [](const auto& read) {
    try {
      read();
    } catch (const ApiError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused([&] { static_cast<void>(fields.whole("n", 1, 9)); }),
            "`n` is 3.5: expected a whole number from 1 to 9");
  EXPECT_EQ(refused([&] {
              static_cast<void>(fields.number("top_p", 1, {0, 1}));
            }),
            "`top_p` is 2: expected a number from 0 to 1");
  EXPECT_NE(refused([&] { static_cast<void>(fields.truth("echo", false)); }), "");
  EXPECT_NE(refused([&] { static_cast<void>(fields.texts("stop")); }), "");
  EXPECT_NE(refused([&] { static_cast<void>(fields.whole("far", 0, 1000)); }), "");
  EXPECT_EQ(fields.whole("m", 0, 100), 16);
}

TEST(RequestFields, ReadsListsOfWholeNumbersWithinARange) {
  RequestFields fields(R"({"a": [0, 2.0, 5], "b": null, "c": [], "d": [1, 6], "e": 3, "f": [0.5]})", 100);
  EXPECT_EQ(fields.wholes("a", {0, 5}), (std::vector<std::int64_t>{0, 2, 5}));
  for (const char* const none : {"b", "c", "absent"}) EXPECT_TRUE(fields.wholes(none, {0, 5}).empty());
  for (const char* const wrong : {"d", "e", "f"})
    EXPECT_THROW(static_cast<void>(fields.wholes(wrong, {0, 5})), ApiError);
}

TEST(RequestFields, TellsAnEmptyTextFromOneThatIsMissing) {
  RequestFields fields(R"({"a": "x", "b": "", "c": 1})", 100);
  EXPECT_EQ(fields.filled_text("a"), "x");
  for (const auto& [field, words] : {std::pair{"b", "not empty"}, {"c", "expected a string"}, {"d", "is missing"}}) {
    try {
      static_cast<void>(fields.filled_text(field));
      ADD_FAILURE() << field;
    } catch (const ApiError& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }
}

TEST(RequestFields, NamesTheFieldsThatNothingAskedFor) {
  RequestFields fields(R"({"n": 1, "temprature": 0.5, "other": null})", 100);
  static_cast<void>(fields.whole("n", 1, 9));
  EXPECT_EQ(fields.ignored(), std::vector<std::string>{"temprature"});
}

}  // namespace
}  // namespace unroll
