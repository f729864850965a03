#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/http.h"
#include "server/http_client.h"
#include "server/http_fixture.h"
#include "support/error_of.h"

namespace unroll {
namespace {

class HttpRequests : public HttpFixture {};

TEST_F(HttpRequests, OneConnectionAsksManyTimes) {
  serve();
  RawClient c = client();
  for (const std::string path : {"/a", "/b"}) {
    const RawAnswer answer = c.ask(get(path));
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(answer.body, "GET " + path + " ");
    EXPECT_NE(answer.head.find("Content-Type: application/json\r\n"), std::string::npos);
    EXPECT_NE(answer.head.find(" GMT\r\n"), std::string::npos);
    EXPECT_NE(answer.head.find("Connection: keep-alive\r\n"), std::string::npos);
  }
  c.send("GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string last = c.read_to_end();
  EXPECT_NE(last.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(last.ends_with("\r\n\r\nGET /c "));
}

TEST_F(HttpRequests, RequestHasWhatTheClientSent) {
  serve();
  RawClient c = client();
  std::string body("a\0b\n", 4);
  c.ask("POST /v1/x%20y?a=%41&b HTTP/1.1\r\nHost: a:1\r\nX-Key:  one two \r\nx-key: 2\r\nContent-Length: 4\r\n\r\n" +
        body);
  const HttpRequest request = last();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v1/x y");
  EXPECT_EQ(request.query, "a=%41&b");
  EXPECT_EQ(request.body, body);
  ASSERT_NE(request.header("x-key"), nullptr);
  EXPECT_EQ(*request.header("x-key"), "one two");
  EXPECT_EQ(request.headers.size(), 4U);
  EXPECT_EQ(request.header("x-none"), nullptr);
  EXPECT_TRUE(request.client.starts_with("127.0.0.1:"));
}

TEST_F(HttpRequests, PipelinedRequestsAreAnsweredInOrder) {
  serve();
  RawClient c = client();
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += get("/" + std::to_string(i)) + "\r\n";
  c.send(requests);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(c.read_answer().body, "GET /" + std::to_string(i) + " ");
}

TEST_F(HttpRequests, RequestsBeyondTheBufferWaitForTheAnswer) {
  serve();
  RawClient c = client();
  c.send(get("/later"));
  const Answer answer = later();
  ASSERT_NE(answer, nullptr);
  const std::string padded = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(4000, 'x') + "\r\n\r\n";
  for (int i = 0; i < 40; ++i) c.send(padded);
  answer->send({.body = "first"});
  EXPECT_EQ(c.read_answer().body, "first");
  for (int i = 0; i < 40; ++i) EXPECT_EQ(c.read_answer().body, "GET / ");
}

TEST_F(HttpRequests, ChunkedBodiesAreJoinedHoweverTheyAreCut) {
  serve();
  const std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=\"y\"\r\nhello\r\n001\r\n!\r\n0\r\nX-Late: "
      "1\r\n\r\n";
  RawClient whole = client();
  EXPECT_EQ(whole.ask(request).body, "POST / hello!");
  EXPECT_EQ(last().header("x-late"), nullptr);
  EXPECT_EQ(whole.ask(get("/next")).body, "GET /next ");
  RawClient bytes = client();
  const auto send_bytes = [&](const std::string& text) {
    for (const char c : text) {
      bytes.send({&c, 1});
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  };
  send_bytes(request);
  EXPECT_EQ(bytes.read_answer().body, "POST / hello!");
  send_bytes("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(bytes.read_answer().body, "POST / ");
}

TEST_F(HttpRequests, ClientThatWaitsForLeaveHasIt) {
  serve({.body_bytes = 100});
  RawClient c = client();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(c.ask("abc").body, "POST / abc");
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_answer().status(), 413);
}

TEST_F(HttpRequests, BodiesHaveABoundTogether) {
  serve({.body_bytes = 100, .bodies_bytes = 250});
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + std::string(99, 'x');
  RawClient first = client();
  RawClient second = client();
  first.send(start);
  second.send(start);
  const RawAnswer third = client().ask(start);
  EXPECT_EQ(third.status(), 503);
  EXPECT_NE(third.head.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_EQ(first.ask("x").status(), 200);
  EXPECT_EQ(client().ask(start + "x").status(), 200);
  second.leave();
  EXPECT_EQ(first.ask(start + "x").status(), 200);
}

struct Refused {
  std::string request;
  int status;
};

TEST_F(HttpRequests, RequestsOverALimitAreRefused) {
  serve({.header_bytes = 1000, .body_bytes = 100});
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::vector<Refused> cases{
      {"GET /" + std::string(2000, 'a'), 431},
      {start + "X: " + std::string(2000, 'a'), 431},
      {start + "X: " + std::string(2000, 'a') + "\r\n\r\n", 431},
      {start + "Content-Length: 101\r\n\r\n", 413},
      {start + "Content-Length: 100000000000\r\n\r\n", 413},
      {start + "Transfer-Encoding: chunked\r\n\r\n65\r\n", 413},
      {start + "Transfer-Encoding: chunked\r\n\r\n64\r\n" + std::string(100, 'x') + "\r\n1\r\n", 413},
      {start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(2000, 'a'), 400},
      {start + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + std::string(2000, 'a'), 400},
  };
  for (const Refused& c : cases) {
    RawClient refused = client();
    const RawAnswer answer = refused.ask(c.request);
    EXPECT_EQ(answer.status(), c.status) << c.request.substr(0, 80);
    EXPECT_TRUE(answer.body.starts_with("{\"error\": {\"message\": \"")) << answer.body;
    EXPECT_EQ(refused.read_to_end(), "") << "the connection closes";
  }
  EXPECT_EQ(client().ask(start + "Content-Length: 100\r\n\r\n" + std::string(100, 'x')).status(), 200);
}

// A connection that is closed with bytes unread is reset, and a reset takes the answer with it.
TEST_F(HttpRequests, RefusedClientThatGoesOnSendingSeesWhy) {
  serve({.body_bytes = 100});
  RawClient c = client();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(c.send(std::string(10000, 'x')));
  }
  EXPECT_EQ(c.read_answer().status(), 413);
}

// Each field comes in a packet of its own, so that a parser that forgets what it has read never has much.
TEST_F(HttpRequests, HeaderOverItsLimitIsRefusedWhenItComesFieldByField) {
  serve({.header_bytes = 1000});
  RawClient c = client();
  c.send("GET / HTTP/1.1\r\nHost: a\r\n");
  for (int i = 0; i < 30; ++i) {
    if (!c.send("X: " + std::string(50, 'a') + "\r\n")) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(c.read_answer().status(), 431);
}

TEST_F(HttpRequests, WhatIsNoProperRequestIsRefused) {
  serve();
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = start + "Transfer-Encoding: chunked\r\n\r\n";
  for (const std::string& request : std::vector<std::string>{
           std::string("\x16\x03\x01\x02\x00", 5),
           "{}\r\n\r\n",
           "GET /\r\n\r\n",
           "GET / HTTP/1.1\nHost: a\n\n",
           "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
           "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
           "PRI * HTTP/2.0\r\n\r\n",
           "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
           std::string("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 34),
           "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
           start + "Content-Length: -1\r\n\r\n",
           start + "Content-Length: +1\r\n\r\nx",
           start + "Content-Length: 1x\r\n\r\nx",
           start + "Content-Length: \r\n\r\n",
           start + "Content-Length: 99999999999999999999999\r\n\r\n",
           start + "Content-Length: 1, 1\r\n\r\nx",
           start + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
           start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
           start + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           start + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
           start + "Transfer-Encoding: gzip\r\n\r\n",
           start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           start + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
           start + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
           start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           start + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
           "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           chunked + "-2\r\n",
           chunked + "x\r\n",
           chunked + "\r\n",
           chunked + "0x1\r\na\r\n\r\n",
           chunked + "fffffffffffffffff\r\n",
           chunked + "1\r\nabc\r\n",
           chunked + "1 \r\na\r\n",
           chunked + "0\r\nContent-Length: 3\r\n\r\n",
       }) {
    EXPECT_EQ(client().ask(request).status(), 400) << request;
  }
  EXPECT_EQ(client().ask(kGet).status(), 200);
}

TEST_F(HttpRequests, TargetsAreDecodedOrRefused) {
  serve();
  const std::vector<std::pair<std::string, std::string>> paths{
      {"/", "/"},           {"/%C3%A9%2f?q=1?", "/\xC3\xA9/"}, {"http://b/x?y", "/x"}, {"HTTP://b", "/"},
      {"https://b?y", "/"}, {"//b/../x", "//b/../x"},
  };
  for (const auto& [target, path] : paths) {
    EXPECT_EQ(client().ask(get(target)).body, "GET " + path + " ") << target;
  }
  client().ask(get("http://b:9/x"));
  EXPECT_EQ(*last().header("host"), "b:9");
  for (const std::string target :
       {"*", "x", "http://", "http:///x", "ftp://b/x", "/%", "/%4", "/%zz", "/%00", "/a#b"}) {
    EXPECT_EQ(client().ask(get(target)).status(), 400) << target;
  }
}

TEST_F(HttpRequests, RequestHasItsTimeInAll) {
  serve({.read_seconds = 0.15});
  RawClient silent = client();
  RawClient slow = client();
  RawClient body = client();
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  slow.send("GET / HTTP/1.1\r\nX: ");
  std::string told;
  for (int i = 0; i < 500 && told.empty(); ++i) {
    slow.send("x");
    body.send("x");
    told = slow.read_to_end(10);
  }
  EXPECT_TRUE(told.starts_with("HTTP/1.1 408 ")) << "a byte now and then buys no time: " << told;
  EXPECT_EQ(body.read_answer().status(), 408);
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient next = client();
  EXPECT_EQ(next.ask(kGet).status(), 200);
  EXPECT_EQ(next.ask("GET /").status(), 408);
  RawClient idle = client();
  EXPECT_EQ(idle.ask(kGet).status(), 200);
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST_F(HttpRequests, ConnectionsOverTheirNumberWait) {
  const HttpServer& server = serve({.connections = 2});
  RawClient first = client();
  RawClient second = client();
  EXPECT_EQ(first.ask(kGet).status(), 200);
  EXPECT_EQ(second.ask(kGet).status(), 200);
  RawClient third = client();
  third.send(kGet);
  EXPECT_EQ(third.read_to_end(50), "");
  EXPECT_EQ(server.connections(), 2);
  first.leave();
  EXPECT_EQ(third.read_answer().status(), 200);
}

TEST_F(HttpRequests, CallsRunOnItsThread) {
  HttpServer* server = nullptr;
  std::vector<int> calls;
  HttpServer own({.port = 0}, [](const HttpRequest&, const Answer&) {});
  server = &own;
  own.on_signals({SIGUSR1}, [&](int signal) {
    calls.push_back(signal);
    if (calls.size() < 4) {
      std::raise(SIGUSR1);
    } else {
      server->stop();
    }
  });
  own.post([&] { calls.push_back(1); });
  own.after(0.02, [&] {
    calls.push_back(2);
    std::raise(SIGUSR1);
  });
  own.after(60, [] {});
  own.run();
  EXPECT_EQ(calls, (std::vector<int>{1, 2, SIGUSR1, SIGUSR1}));
}

TEST_F(HttpRequests, AddressThatCannotBeHadIsAnError) {
  HttpServer& server = serve();
  EXPECT_TRUE(server.is_loopback());
  const auto open = [](const HttpOptions& options) {
    return error_of([&] { HttpServer({options}, [](const HttpRequest&, const Answer&) {}); });
  };
  EXPECT_EQ(open({.port = server.port()})->code(), ErrorCode::kFile);
  EXPECT_EQ(open({.host = "no such host", .port = 0})->field(), "host");
  EXPECT_EQ(open({.port = 65536})->code(), ErrorCode::kUsage);
  EXPECT_FALSE(HttpServer({.host = "0.0.0.0", .port = 0}, [](const HttpRequest&, const Answer&) {}).is_loopback());
}

}  // namespace
}  // namespace unroll
