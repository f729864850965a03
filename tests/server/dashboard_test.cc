// A run in a browser: what it is told, and who may stop it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "server/dashboard.h"
#include "server/http_client.h"
#include "support/error_of.h"

namespace unroll {
namespace {

class DashboardTest : public testing::Test {
 protected:
  RawAnswer ask(const std::string& method, const std::string& path, const std::string& body = "",
                const std::string& host = "localhost") {
    RawClient client(port());
    return client.ask(fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
                                  method, path, host, body.size(), body));
  }

  nlohmann::json run() { return nlohmann::json::parse(ask("GET", "/v1/run").body); }

  int change(const std::string& what, const std::string& token) {
    return ask("POST", "/v1/run/" + what, nlohmann::json{{"token", token}}.dump()).status();
  }

  [[nodiscard]] std::int64_t port() const {
    const std::string link = dashboard_.link();
    return std::stoll(link.substr(std::string("http://127.0.0.1:").size()));
  }

  [[nodiscard]] std::string token() const {
    const std::string link = dashboard_.link();
    return link.substr(link.find("token=") + 6);
  }

  void begin(std::int64_t first_step = 0) {
    TrainPlan plan;
    plan.steps = 100;
    plan.first_step = first_step;
    dashboard_.plan(plan);
  }

  void step(std::int64_t number) {
    dashboard_.step(
        {.step = number, .tokens = number, .nats_per_token = 2.5, .lr = 0.1, .grad_norm = 1, .tokens_per_s = 9});
  }

  Dashboard dashboard_{{.name = "book"}};
};

TEST_F(DashboardTest, TellsWhatIsKnownOfTheRun) {
  EXPECT_EQ(run()["state"], "running");
  EXPECT_TRUE(run()["plan"].is_null());
  begin();
  for (std::int64_t i = 1; i <= 10; ++i) step(i);
  dashboard_.sample(10, "<b>\xFF");
  dashboard_.note("a note");
  const nlohmann::json told = run();
  EXPECT_EQ(told["steps"], 100);
  EXPECT_EQ(told["steps_done"], 10);
  EXPECT_EQ(told["last"]["nats_per_token"], 2.5);
  EXPECT_EQ(told["samples"][0]["text"], "<b>\xEF\xBF\xBD");
  EXPECT_EQ(told["notes"][0], "a note");
  EXPECT_TRUE(told["seconds_left"].is_number());
  const RawAnswer curves = ask("POST", "/v1/run/curves", R"({"picture":"curves"})");
  EXPECT_EQ(curves.status(), 200);
  EXPECT_TRUE(nlohmann::json::parse(curves.body)["svg"].get<std::string>().starts_with("<svg"));
  EXPECT_EQ(ask("GET", "/v1/models").status(), 200);
  EXPECT_EQ(ask("GET", "/").status(), 200);
  EXPECT_EQ(ask("POST", "/v1/completions", "{}").status(), 404);
  EXPECT_EQ(ask("GET", "/v1/run", "", "evil.example").status(), 403);
  EXPECT_EQ(ask("POST", "/v1/run/curves", "[").status(), 400);
}

TEST_F(DashboardTest, StopsAndContinuesForWhoHasTheLink) {
  begin();
  step(1);
  for (const std::string& wrong : {std::string(), std::string("x"), token().substr(1)}) {
    EXPECT_EQ(change("stop", wrong), 403) << wrong;
  }
  EXPECT_EQ(ask("POST", "/v1/run/stop", "{}").status(), 403);
  EXPECT_EQ(change("continue", token()), 409);
  EXPECT_FALSE(dashboard_.stop_requested());
  EXPECT_EQ(change("stop", token()), 200);
  EXPECT_TRUE(dashboard_.stop_requested());
  EXPECT_EQ(run()["state"], "stopping");
  EXPECT_EQ(change("stop", token()), 409);
  EXPECT_FALSE(dashboard_.wait_for_continue([] { return true; }));
  EXPECT_EQ(run()["state"], "stopped");
  bool goes_on = false;
  std::thread waiting([&] { goes_on = dashboard_.wait_for_continue([] { return false; }); });
  EXPECT_EQ(change("continue", token()), 200);
  waiting.join();
  EXPECT_TRUE(goes_on);
  EXPECT_FALSE(dashboard_.stop_requested());
  begin(1);
  step(2);
  EXPECT_EQ(run()["state"], "running");
  EXPECT_EQ(run()["steps_done"], 2);
}

TEST_F(DashboardTest, WaitsUntilALookingPageKnowsThatTheRunHasEnded) {
  begin();
  run();
  std::thread ending([this] { dashboard_.end("step 7: the loss is not a finite number"); });
  nlohmann::json told = run();
  while (told["state"] != "failed") told = run();
  EXPECT_EQ(told["failure"], "step 7: the loss is not a finite number");
  EXPECT_EQ(ask("POST", "/v1/run/curves").status(), 200);
  ending.join();
}

TEST_F(DashboardTest, EndsWhereverItsThreadIs) {
  for (int i = 0; i < 50; ++i) const Dashboard at_once({.name = "short"});
}

TEST_F(DashboardTest, NamesAPortThatIsNotFree) {
  EXPECT_TRUE(
      fails_with(ErrorCode::kFile, std::to_string(port()), [this] { const Dashboard second({.port = port()}); }));
}

}  // namespace
}  // namespace unroll
