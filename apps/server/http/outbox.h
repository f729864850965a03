// What one thread answers and another one sends: the bytes of an answer on their way to a socket.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http.h"
#include "server/http/message.h"

namespace unroll {

class Outbox;

// Tells the thread of the sockets which outboxes have something for it. Outboxes may outlive their server.
class Doorbell {
 public:
  // `wake` makes the thread of the sockets call take(), and is called at most once between two calls.
  explicit Doorbell(std::function<void()> wake) : wake_(std::move(wake)) {}

  void ring(std::shared_ptr<Outbox> outbox);

  // The outboxes that rang since the last call.
  [[nodiscard]] std::vector<std::shared_ptr<Outbox>> take();

  // `wake` is not called any more.
  void disconnect();

 private:
  std::mutex mutex_;
  std::function<void()> wake_;  // empty once disconnected
  std::vector<std::shared_ptr<Outbox>> rung_;
};

// The thread of the sockets' part of an outbox.
class Collector {
 public:
  virtual void collect() = 0;  // the outbox rang

 protected:
  ~Collector() = default;
};

// What the request says about the form of its answer.
struct AnswerForm {
  bool head_only = false;  // the answer to HEAD
  bool chunks = true;      // HTTP/1.1
  bool closes = false;     // the connection ends with the answer
};

// The functions of HttpAnswer turn into bytes on the thread that answers, under a lock that is held for a copy.
class Outbox : public std::enable_shared_from_this<Outbox> {
 public:
  // More than `unsent_bytes` that wait when write() comes drop the reader.
  Outbox(std::shared_ptr<Doorbell> bell, const AnswerForm& form, std::int64_t unsent_bytes)
      : bell_(std::move(bell)), form_(form), unsent_bytes_(unsent_bytes) {}

  // As those of HttpAnswer.
  void send(HttpResponse response);
  void begin(HttpResponse response);
  void write(std::string_view part);
  void end();
  [[nodiscard]] std::int64_t unsent() const;
  [[nodiscard]] bool gone() const noexcept { return gone_.load(std::memory_order_relaxed); }

  // Nobody will answer any more: 500 where nothing was sent, else the connection closes early.
  void abandon() noexcept;

  // On the thread of the sockets:

  enum class Stage {
    kWaiting,  // nothing was answered yet
    kStream,   // begun
    kEvents,   // begun, as text/event-stream
    kEnded,    // `bytes` are the last ones
    kBroken,   // dropped or abandoned: the connection is of no further use
  };
  struct Contents {
    std::string bytes;  // further ones to be sent
    Stage stage = Stage::kWaiting;
    bool closes = false;  // the head says that the connection ends
  };
  [[nodiscard]] Contents take();
  void set_unsent(std::size_t bytes);  // so many of those taken are still to be sent
  void set_closing() noexcept { closing_.store(true, std::memory_order_relaxed); }  // heads from now on say so
  void set_gone() noexcept;

  Collector* collector = nullptr;  // null once the connection is closed

 private:
  // With the lock held: the head, and the first part of a stream or the whole body.
  void open(HttpResponse response, Framing framing);
  void append(std::string_view part);
  void ring(std::unique_lock<std::mutex> lock, bool anyway = false);

  const std::shared_ptr<Doorbell> bell_;
  const AnswerForm form_;
  const std::int64_t unsent_bytes_;
  std::atomic<bool> gone_ = false;
  std::atomic<bool> closing_ = false;
  mutable std::mutex mutex_;
  Contents contents_;
  Framing framing_ = Framing::kLength;
  bool has_body_ = true;
  std::int64_t unsent_ = 0;  // bytes that take() returned and the client has not taken
  bool has_rung_ = false;    // since the last take()
};

// The handle that those who answer hold.
[[nodiscard]] std::shared_ptr<HttpAnswer> answer_into(std::shared_ptr<Outbox> outbox);

}  // namespace unroll
