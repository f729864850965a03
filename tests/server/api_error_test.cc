#include "server/api_error.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace unroll {
namespace {

std::optional<std::string> header_of(const ApiError& error, std::string_view name) {
  for (const auto& [key, value] : error.response().headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

// Clients try again by themselves after these statuses, at the time that the answer names.
TEST(ApiError, TellsClientsWhetherAndWhenToTryAgain) {
  for (const ApiError& error : {queue_is_full(), is_loading(), is_stopping()}) {
    EXPECT_TRUE(error.status() == 429 || error.status() == 503);
    EXPECT_GT(std::stoi(header_of(error, "Retry-After").value_or("0")), 0) << error.what();
    EXPECT_EQ(header_of(error, "x-should-retry"), std::nullopt) << error.what();
  }
  for (const ApiError& error : {takes_too_long(1), ApiError(500, "broken"), ApiError(408, "late")}) {
    EXPECT_EQ(header_of(error, "Retry-After"), std::nullopt) << error.what();
    EXPECT_EQ(header_of(error, "x-should-retry"), "false") << error.what();
  }
  EXPECT_EQ(header_of(ApiError(404, "missing"), "x-should-retry"), std::nullopt);
}

TEST(ApiError, HasTheFourFieldsThatClientsRead) {
  const nlohmann::json error = nlohmann::json::parse(ApiError(404, "no \"x\"", "model", "model_not_found").body());
  EXPECT_EQ(error, nlohmann::json::parse(R"({"error": {"message": "no \"x\"", "type": "not_found_error",
                                             "param": "model", "code": "model_not_found"}})"));
  const nlohmann::json bare = nlohmann::json::parse(ApiError(400, "wrong").body())["error"];
  EXPECT_TRUE(bare["param"].is_null());
  EXPECT_TRUE(bare["code"].is_null());
}

TEST(ApiError, CallsFieldsAsRequestsDo) {
  const Error error(ErrorCode::kUsage, "`length` is -1: expected 0 to 9");
  EXPECT_EQ(std::string(ApiError(error).what()), "`max_tokens` is -1: expected 0 to 9");
  EXPECT_EQ(ApiError(error).status(), 400);
  EXPECT_EQ(ApiError(Error(ErrorCode::kNumeric, "not finite")).status(), 500);
}

}  // namespace
}  // namespace unroll
