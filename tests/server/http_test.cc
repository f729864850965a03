#include "server/http.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/http_client.h"
#include "support/error_of.h"

namespace unroll {
namespace {

using Answer = std::shared_ptr<HttpAnswer>;

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

bool becomes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return condition();
}

// Says what it was asked; keeps the answers to /later for the test.
class Http : public testing::Test {
 protected:
  ~Http() override { end(); }

  HttpServer& serve(HttpOptions options = {}) {
    options.port = 0;
    server_.emplace(options,
                    [this](HttpRequest request, Answer answer) { handle(std::move(request), std::move(answer)); });
    thread_ = std::thread([this] { server_->run(); });
    return *server_;
  }

  RawClient client(int receive_buffer = 0) { return RawClient(server_->port(), receive_buffer); }

  Answer later() {
    std::unique_lock lock(mutex_);
    has_come_.wait_for(lock, std::chrono::seconds(5), [this] { return !later_.empty(); });
    if (later_.empty()) return nullptr;
    Answer answer = std::move(later_.front());
    later_.erase(later_.begin());
    return answer;
  }

  HttpRequest last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

  void join() {
    if (thread_.joinable()) thread_.join();
  }

  void end() {
    if (!server_) return;
    server_->stop();
    join();
    server_.reset();
  }

 private:
  void handle(HttpRequest request, Answer answer) {
    const std::lock_guard lock(mutex_);
    last_ = request;
    if (request.path == "/later") {
      later_.push_back(std::move(answer));
      has_come_.notify_all();
    } else if (request.path == "/throw") {
      throw std::runtime_error("no");
    } else if (request.path != "/forget") {
      answer->send({.body = request.method + " " + request.path + " " + request.body});
    }
  }

  std::mutex mutex_;
  std::condition_variable has_come_;
  std::vector<Answer> later_;
  HttpRequest last_;
  std::optional<HttpServer> server_;
  std::thread thread_;
};

TEST_F(Http, OneConnectionAsksManyTimes) {
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

TEST_F(Http, RequestHasWhatTheClientSent) {
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

TEST_F(Http, PipelinedRequestsAreAnsweredInOrder) {
  serve();
  RawClient c = client();
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += get("/" + std::to_string(i)) + "\r\n";
  c.send(requests);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(c.read_answer().body, "GET /" + std::to_string(i) + " ");
}

TEST_F(Http, RequestsBeyondTheBufferWaitForTheAnswer) {
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

TEST_F(Http, ChunkedBodiesAreJoinedHoweverTheyAreCut) {
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

TEST_F(Http, HeadHasTheHeadAlone) {
  serve();
  RawClient c = client();
  c.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"));
  EXPECT_NE(c.read_answer(false).head.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_EQ(c.read_answer().body, "GET /b ");
  c.send("HEAD /later HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"));
  const Answer stream = later();
  ASSERT_NE(stream, nullptr);
  stream->begin({.body = "x", .type = "text/event-stream"});
  stream->write("y");
  stream->end();
  EXPECT_EQ(c.read_answer(false).status(), 200);
  EXPECT_EQ(c.read_answer().body, "GET /b ");
}

TEST_F(Http, StatusWithoutABodyHasNone) {
  serve();
  RawClient c = client();
  c.send(get("/later") + get("/b"));
  const Answer answer = later();
  ASSERT_NE(answer, nullptr);
  answer->send({.status = 204, .body = "x", .headers = {{"Allow", "GET"}}});
  const RawAnswer empty = c.read_answer();
  EXPECT_EQ(empty.status(), 204);
  EXPECT_EQ(empty.head.find("Content-"), std::string::npos);
  EXPECT_EQ(c.read_answer().body, "GET /b ");
}

TEST_F(Http, OldProtocolHasNoChunksAndCloses) {
  serve();
  RawClient c = client();
  c.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(c.read_to_end().ends_with("\r\n\r\nGET /a "));
  RawClient s = client();
  s.send("GET /later HTTP/1.0\r\n\r\n");
  const Answer stream = later();
  ASSERT_NE(stream, nullptr);
  stream->begin({.body = "1"});
  stream->write("2");
  stream->end();
  const std::string text = s.read_to_end();
  EXPECT_TRUE(text.ends_with("\r\n\r\n12")) << text;
  EXPECT_EQ(text.find("chunked"), text.npos);
}

TEST_F(Http, ClientThatWaitsForLeaveHasIt) {
  serve({.body_bytes = 100});
  RawClient c = client();
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(c.ask("abc").body, "POST / abc");
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_answer().status(), 413);
}

struct Refused {
  std::string request;
  int status;
};

TEST_F(Http, RequestsOverALimitAreRefused) {
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

// Each field comes in a packet of its own, so that a parser that forgets what it has read never has much.
TEST_F(Http, HeaderOverItsLimitIsRefusedWhenItComesFieldByField) {
  serve({.header_bytes = 1000});
  RawClient c = client();
  c.send("GET / HTTP/1.1\r\nHost: a\r\n");
  for (int i = 0; i < 30; ++i) {
    if (!c.send("X: " + std::string(50, 'a') + "\r\n")) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(c.read_answer().status(), 431);
}

TEST_F(Http, WhatIsNoProperRequestIsRefused) {
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

TEST_F(Http, TargetsAreDecodedOrRefused) {
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

TEST_F(Http, RequestHasItsTimeInAll) {
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

TEST_F(Http, AnswerMayTakeLongerThanARequest) {
  serve({.read_seconds = 0.1});
  RawClient c = client();
  c.send(get("/later"));
  const Answer answer = later();
  ASSERT_NE(answer, nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_FALSE(answer->gone());
  answer->send({.body = "late"});
  EXPECT_EQ(c.read_answer().body, "late");
}

TEST_F(Http, PartsOfAStreamComeInOrderAsTheyAreWritten) {
  serve({.unsent_bytes = 1 << 24});
  RawClient c = client();
  c.send(get("/later"));
  const Answer stream = later();
  ASSERT_NE(stream, nullptr);
  stream->begin({.body = "0\n", .type = "text/plain"});
  stream->send({.body = "too late"});
  EXPECT_NE(c.read_until("0\n\r\n").find("Transfer-Encoding: chunked"), std::string::npos);
  std::string expected;
  for (int i = 1; i < 20000; ++i) {
    stream->write(std::to_string(i) + "\n");
    expected += std::to_string(i) + "\n";
  }
  stream->write("");
  stream->end();
  stream->write("after");
  stream->end();
  std::string text;
  for (std::string line = c.read_until("\r\n"); line != "0\r\n" && line.size() > 2; line = c.read_until("\r\n")) {
    text += c.read_until("\n\r\n");
    text.resize(text.size() - 2);
  }
  EXPECT_EQ(text, expected);
  EXPECT_EQ(c.read_until("\r\n"), "\r\n");
  EXPECT_EQ(c.ask(get("/next")).body, "GET /next ");
}

TEST_F(Http, ReaderThatFallsBehindIsDropped) {
  const HttpServer& server = serve({.unsent_bytes = 1000});
  RawClient c = client(4096);
  c.send(get("/later"));
  const Answer stream = later();
  ASSERT_NE(stream, nullptr);
  stream->begin({.type = "text/event-stream"});
  stream->write(std::string(100000, 'x'));  // a part of any size is no reason
  EXPECT_FALSE(stream->gone());
  for (int i = 0; i < 100000 && !stream->gone(); ++i) stream->write(std::string(500, 'x'));
  EXPECT_TRUE(stream->gone());
  EXPECT_TRUE(becomes_true([&] { return server.connections() == 0; }));
  stream->write("more");
  stream->end();
}

TEST_F(Http, ReaderOfALongAnswerHasTimeForEachSlice) {
  const HttpServer& server = serve({.write_seconds = 0.2});
  const std::string body(8 << 20, 'x');
  RawClient stuck = client(4096);
  stuck.send(get("/later"));
  const Answer unread = later();
  ASSERT_NE(unread, nullptr);
  unread->send({.body = body});
  EXPECT_TRUE(becomes_true([&] { return unread->gone() && server.connections() == 0; }));
  RawClient reader = client();
  reader.send(get("/later"));
  later()->send({.body = body});
  EXPECT_EQ(reader.read_answer().body, body);
}

TEST_F(Http, ClientThatLeavesIsSeen) {
  const HttpServer& server = serve();
  for (const bool has_begun : {false, true}) {
    RawClient c = client();
    c.send(get("/later"));
    const Answer answer = later();
    ASSERT_NE(answer, nullptr);
    if (has_begun) answer->begin({});
    EXPECT_FALSE(answer->gone());
    c.leave();
    EXPECT_TRUE(becomes_true([&] { return answer->gone(); }));
    EXPECT_TRUE(becomes_true([&] { return server.connections() == 0; }));
    answer->send({});
    answer->write("x");
    answer->end();
  }
}

TEST_F(Http, ClientThatSendsNoMoreHasWhatIsComplete) {
  serve();
  RawClient c = client();
  c.send(get("/a"));
  c.send_no_more();
  EXPECT_TRUE(c.read_to_end().ends_with("GET /a "));
  RawClient early = client();
  early.send("GET / HT");
  early.send_no_more();
  EXPECT_EQ(early.read_answer().status(), 400);
}

TEST_F(Http, QuietStreamOfEventsHasAHeartbeat) {
  serve({.heartbeat_seconds = 0.05});
  RawClient c = client();
  c.send(get("/later"));
  const Answer stream = later();
  ASSERT_NE(stream, nullptr);
  stream->begin({.body = "data: 1\n\n", .type = "text/event-stream; charset=utf-8"});
  EXPECT_TRUE(
      c.read_until("4\r\n: \n\n\r\n4\r\n: \n\n\r\n").ends_with("9\r\ndata: 1\n\n\r\n4\r\n: \n\n\r\n4\r\n: \n\n\r\n"));
  stream->end();
  EXPECT_TRUE(c.read_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
  RawClient other = client();
  other.send(get("/later"));
  const Answer plain = later();
  ASSERT_NE(plain, nullptr);
  plain->begin({.body = "x", .type = "text/plain"});
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  plain->end();
  EXPECT_EQ(other.read_answer().body, "x");
}

TEST_F(Http, RefusingEndsEachConnectionAfterItsAnswer) {
  HttpServer& server = serve();
  RawClient idle = client();
  EXPECT_EQ(idle.ask(kGet).status(), 200);
  RawClient waiting = client();
  waiting.send(get("/later"));
  const Answer answer = later();
  RawClient streaming = client();
  streaming.send(get("/later"));
  const Answer stream = later();
  ASSERT_TRUE(answer && stream);
  stream->begin({.body = "1"});
  EXPECT_NE(streaming.read_until("1\r\n1\r\n").find("keep-alive"), std::string::npos);
  server.refuse();
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_FALSE(client().is_connected());
  answer->send({.body = "done"});
  const RawAnswer last = waiting.read_answer();
  EXPECT_EQ(last.body, "done");
  EXPECT_NE(last.head.find("Connection: close"), std::string::npos);
  EXPECT_EQ(waiting.read_to_end(), "");
  stream->write("2");
  stream->end();
  EXPECT_EQ(streaming.read_to_end(), "1\r\n2\r\n0\r\n\r\n");
}

TEST_F(Http, StoppingSendsWhatIsCompleteAndClosesTheRest) {
  HttpServer& server = serve();
  const std::string body(2 << 20, 'x');
  RawClient complete = client();
  complete.send(get("/later"));
  const Answer answer = later();
  RawClient open = client();
  open.send(get("/later"));
  const Answer stream = later();
  ASSERT_TRUE(answer && stream);
  stream->begin({});
  answer->send({.body = body});
  server.stop();
  EXPECT_EQ(complete.read_answer().body, body);
  join();
  EXPECT_TRUE(stream->gone());
  EXPECT_FALSE(open.read_to_end().ends_with("0\r\n\r\n"));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(Http, AnswersMayOutliveTheServer) {
  serve();
  RawClient c = client();
  c.send(get("/later"));
  const Answer begun = later();
  c.send(get("/later"));
  RawClient d = client();
  d.send(get("/later"));
  Answer unanswered = later();
  ASSERT_TRUE(begun && unanswered);
  begun->begin({});
  end();
  EXPECT_TRUE(begun->gone());
  begun->write("x");
  begun->end();
  unanswered.reset();
}

TEST_F(Http, ConnectionsOverTheirNumberWait) {
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

TEST_F(Http, ManyThreadsAnswerManyClients) {
  serve();
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  constexpr int kClients = 8;
  constexpr int kRequests = 25;
  for (int worker = 0; worker < 3; ++worker) {
    threads.emplace_back([&] {
      while (answered < kClients * kRequests) {
        const Answer answer = later();
        if (!answer) return;
        answer->begin({.body = "a"});
        for (int i = 0; i < 20; ++i) answer->write("b");
        answer->end();
        ++answered;
        if (answered == kClients * kRequests) return;
      }
    });
  }
  std::atomic<int> right = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      RawClient c = client();
      for (int k = 0; k < kRequests; ++k) right += c.ask(get("/later")).body == "a" + std::string(20, 'b');
    });
  }
  for (std::thread& thread : clients) thread.join();
  EXPECT_EQ(right, kClients * kRequests);
  for (int i = 0; i < 3; ++i) client().send(get("/later"));  // wakes the others
  for (std::thread& thread : threads) thread.join();
}

TEST_F(Http, AnswerThatNobodyGivesIsAnError) {
  serve();
  RawClient c = client();
  const RawAnswer forgotten = c.ask(get("/forget"));
  EXPECT_EQ(forgotten.status(), 500);
  EXPECT_NE(forgotten.body.find("\"server_error\""), std::string::npos);
  EXPECT_EQ(c.ask(get("/throw")).status(), 500);
  c.send(get("/later"));
  Answer stream = later();
  ASSERT_NE(stream, nullptr);
  stream->begin({.body = "x"});
  EXPECT_TRUE(c.read_until("1\r\nx\r\n").ends_with("x\r\n"));
  stream.reset();
  EXPECT_EQ(c.read_to_end(), "") << "without the last chunk";
}

TEST_F(Http, NothingInAValueEndsAHeader) {
  serve();
  RawClient c = client();
  c.send(get("/later"));
  const Answer answer = later();
  ASSERT_NE(answer, nullptr);
  answer->send(
      {.body = "b", .type = "a\r\n\r\nb", .headers = {{"X-Id", "1\r\nX-Evil: 2\n"}, {"Y\r\n", std::string("\0z", 2)}}});
  const RawAnswer got = c.read_answer();
  EXPECT_NE(got.head.find("Content-Type: ab\r\n"), std::string::npos);
  EXPECT_NE(got.head.find("X-Id: 1X-Evil: 2\r\n"), std::string::npos);
  EXPECT_NE(got.head.find("Y: z\r\n"), std::string::npos);
  EXPECT_EQ(got.body, "b");
}

TEST_F(Http, CallsRunOnItsThread) {
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

TEST_F(Http, AddressThatCannotBeHadIsAnError) {
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
