#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "server/http.h"
#include "server/http_client.h"
#include "server/http_fixture.h"

namespace unroll {
namespace {

class HttpAnswers : public HttpFixture {};

TEST_F(HttpAnswers, HeadHasTheHeadAlone) {
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

TEST_F(HttpAnswers, StatusWithoutABodyHasNone) {
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

TEST_F(HttpAnswers, OldProtocolHasNoChunksAndCloses) {
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

TEST_F(HttpAnswers, AnswerMayTakeLongerThanARequest) {
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

TEST_F(HttpAnswers, PartsOfAStreamComeInOrderAsTheyAreWritten) {
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

TEST_F(HttpAnswers, ReaderThatFallsBehindIsDropped) {
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

TEST_F(HttpAnswers, ReaderOfALongAnswerHasTimeForEachSlice) {
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

TEST_F(HttpAnswers, ClientThatLeavesIsSeen) {
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

TEST_F(HttpAnswers, ClientThatSendsNoMoreHasWhatIsComplete) {
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

TEST_F(HttpAnswers, QuietStreamOfEventsHasAHeartbeat) {
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

TEST_F(HttpAnswers, RefusingEndsEachConnectionAfterItsAnswer) {
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

TEST_F(HttpAnswers, StoppingSendsWhatIsCompleteAndClosesTheRest) {
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

TEST_F(HttpAnswers, AnswersMayOutliveTheServer) {
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

TEST_F(HttpAnswers, ManyThreadsAnswerManyClients) {
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

TEST_F(HttpAnswers, AnswerThatNobodyGivesIsAnError) {
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

TEST_F(HttpAnswers, NothingInAValueEndsAHeader) {
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

}  // namespace
}  // namespace unroll
