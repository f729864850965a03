#include "server/gate.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace unroll {
namespace {

HttpRequest request_with(std::vector<std::pair<std::string, std::string>> headers, std::string path = "/v1/models") {
  HttpRequest request;
  request.method = "GET";
  request.path = std::move(path);
  request.headers = std::move(headers);
  return request;
}

int status_of(const Gate& gate, const HttpRequest& request) {
  const auto refusal = gate.refusal(request);
  return refusal ? refusal->status() : 200;
}

TEST(Gate, AnswersToNamesOfThisMachineAloneOnLoopback) {
  const Gate gate({.loopback = true, .host = "127.0.0.1"});
  for (const char* host : {"localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "[::1]"}) {
    EXPECT_EQ(status_of(gate, request_with({{"host", host}})), 200) << host;
  }
  for (const char* host :
       {"example.org", "localhost.example.org", "127.example.org:80", "10.0.0.1", "127.0.0.1.evil"}) {
    EXPECT_EQ(status_of(gate, request_with({{"host", host}})), 403) << host;
  }
  EXPECT_EQ(status_of(Gate({.loopback = false, .host = "0.0.0.0"}), request_with({{"host", "example.org"}})), 200);
}

TEST(Gate, RefusesPagesOfOtherServers) {
  const Gate gate({});
  EXPECT_EQ(status_of(gate, request_with({{"host", "localhost:1"}, {"origin", "http://localhost:1"}})), 200);
  EXPECT_EQ(status_of(gate, request_with({{"host", "localhost:1"}, {"origin", "http://localhost:2"}})), 403);
  EXPECT_EQ(status_of(gate, request_with({{"host", "localhost:1"}, {"origin", "null"}})), 403);
  EXPECT_TRUE(gate.headers(request_with({{"origin", "https://a.org"}})).empty());
}

TEST(Gate, LetsPagesOfAllowedOriginsReadAnswers) {
  const Gate gate({.allowed_origins = {"https://a.org"}});
  const HttpRequest request = request_with({{"host", "localhost"}, {"origin", "https://a.org"}});
  EXPECT_EQ(status_of(gate, request), 200);
  EXPECT_EQ(gate.headers(request).front(),
            (std::pair<std::string, std::string>("Access-Control-Allow-Origin", "https://a.org")));
  EXPECT_EQ(status_of(gate, request_with({{"host", "localhost"}, {"origin", "https://a.org.evil"}})), 403);
  EXPECT_EQ(status_of(Gate({.allowed_origins = {"*"}}), request_with({{"origin", "https://b.org"}})), 200);
}

TEST(Gate, AsksForTheKeyEverywhereButForHealth) {
  const Gate gate({.api_key = "secret", .allowed_origins = {"https://a.org"}});
  EXPECT_EQ(status_of(gate, request_with({})), 401);
  EXPECT_EQ(status_of(gate, request_with({}, "/health")), 200);
  EXPECT_EQ(status_of(gate, request_with({{"authorization", "Bearer secret"}})), 200);
  EXPECT_EQ(status_of(gate, request_with({{"authorization", "bearer  secret"}})), 200);
  for (const char* wrong : {"Bearer secre", "Bearer secrets", "Basic secret", "secret", "Bearer", "Bearer "}) {
    EXPECT_EQ(status_of(gate, request_with({{"authorization", wrong}})), 401) << wrong;
  }
  HttpRequest preflight = request_with({{"origin", "https://a.org"}});
  preflight.method = "OPTIONS";
  EXPECT_EQ(status_of(gate, preflight), 200);
}

TEST(Gate, ComparesKeysToTheEnd) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  for (const char* other : {"", "ab", "abd", "xbc", "abcabc"})
    EXPECT_FALSE(equal_in_constant_time(other, "abc")) << other;
  EXPECT_FALSE(equal_in_constant_time("abc", ""));
}

}  // namespace
}  // namespace unroll
