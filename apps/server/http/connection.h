// One connection: reads its requests, one after the other, and sends their answers.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http.h"
#include "server/http/boost.h"
#include "server/http/outbox.h"
#include "server/http/request_reader.h"

namespace unroll {

class Connection;

// What the connections of a server share. All of it belongs to the thread of run().
struct SharedByConnections {
  asio::io_context io{1};
  HttpOptions options;
  HttpHandler handler;
  std::shared_ptr<Doorbell> bell;
  bool is_refusing = false;
  std::size_t body_bytes = 0;                                                 // of the bodies that are being read
  std::array<char, 65536> received{};                                         // the bytes that one connection reads now
  std::function<void(const std::shared_ptr<Connection>& connection)> forget;  // it is closed
};

class Connection final : public std::enable_shared_from_this<Connection>, private Collector {
 public:
  Connection(SharedByConnections& shared, tcp::socket socket)
      : shared_(shared), socket_(std::move(socket)), timer_(shared.io) {}

  void start();
  void refuse();  // closes it between two requests
  void finish();  // closes it, after a complete answer that is on its way
  void close(bool at_once = false);

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase {
    kRequest,  // reads one, or waits for it
    kAnswer,   // waits for an answer, and sends it
    kLinger,   // sends its last bytes, and discards what comes, so that the client sees them and no reset
    kClosed,
  };

  template <typename Step>
  void guarded(Step step);
  void wait_readable();
  void wait_for_hangup();
  void receive();
  void meet_end(bool is_orderly);
  void advance();
  void dispatch();
  void count_body(std::size_t bytes);
  void fail(int status, std::string_view message);
  void collect() override;
  void flush();
  void wait_writable();
  void all_sent();
  void finish_answer();
  void linger();
  void set_deadline(Clock::time_point deadline);
  void arm();
  void ring();
  void meet_deadline();
  void beat();
  [[nodiscard]] bool is_between_requests() const { return phase_ == Phase::kRequest && !reader_ && received_.empty(); }

  SharedByConnections& shared_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point armed_ = Clock::time_point::max();  // when the timer rings
  std::string client_;
  Phase phase_ = Phase::kRequest;

  std::string received_;  // and not read yet
  std::optional<RequestReader> reader_;
  std::size_t body_bytes_ = 0;  // that reader_ has of a body
  bool waits_readable_ = false;
  bool waits_hangup_ = false;

  std::shared_ptr<Outbox> outbox_;  // of the present request
  Outbox::Stage stage_ = Outbox::Stage::kWaiting;
  AnswerForm form_;
  bool closes_ = false;  // after the present answer
  bool ends_ = false;    // and waits for no one then
  std::string sending_;
  std::size_t sent_ = 0;  // of sending_
  bool waits_writable_ = false;
  bool has_write_deadline_ = false;
  std::size_t sent_of_slice_ = 0;  // since the write deadline was set
};

}  // namespace unroll
