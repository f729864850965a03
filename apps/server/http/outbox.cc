#include "server/http/outbox.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/message.h"

namespace unroll {
namespace {

class OutboxAnswer final : public HttpAnswer {
 public:
  explicit OutboxAnswer(std::shared_ptr<Outbox> outbox) : outbox_(std::move(outbox)) {}
  OutboxAnswer(const OutboxAnswer&) = delete;
  OutboxAnswer& operator=(const OutboxAnswer&) = delete;
  ~OutboxAnswer() override { outbox_->abandon(); }

  void send(HttpResponse response) override { outbox_->send(std::move(response)); }
  void begin(HttpResponse response) override { outbox_->begin(std::move(response)); }
  void write(std::string part) override { outbox_->write(part); }
  void end() override { outbox_->end(); }
  [[nodiscard]] std::int64_t unsent() const override { return outbox_->unsent(); }
  [[nodiscard]] bool gone() const noexcept override { return outbox_->gone(); }

 private:
  const std::shared_ptr<Outbox> outbox_;
};

}  // namespace

void Doorbell::ring(std::shared_ptr<Outbox> outbox) {
  const std::lock_guard lock(mutex_);
  if (!wake_) return;
  rung_.push_back(std::move(outbox));
  // With the lock held, so that what `wake` uses is there until disconnect() returns.
  if (rung_.size() == 1) wake_();
}

std::vector<std::shared_ptr<Outbox>> Doorbell::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(rung_, {});
}

void Doorbell::disconnect() {
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
  rung_.clear();
}

void Outbox::open(HttpResponse response, Framing framing) {
  framing_ = framing;
  has_body_ = !form_.head_only && status_has_body(response.status);
  contents_.closes = form_.closes || framing == Framing::kClose || closing_.load(std::memory_order_relaxed);
  const std::string head = answer_head(response, framing, contents_.closes);
  if (has_body_ && framing == Framing::kLength) {
    // Some have megabytes: the head moves in before them, where they are.
    contents_.bytes = std::move(response.body);
    contents_.bytes.insert(0, head);
  } else {
    contents_.bytes = head;
    append(response.body);
  }
}

void Outbox::append(std::string_view part) {
  if (!has_body_) return;
  if (framing_ == Framing::kChunks) {
    append_chunk(part, contents_.bytes);
  } else {
    contents_.bytes += part;
  }
}

void Outbox::ring(std::unique_lock<std::mutex> lock, bool anyway) {
  const bool is_first = !std::exchange(has_rung_, true);
  lock.unlock();
  if (is_first || anyway) bell_->ring(shared_from_this());
}

void Outbox::send(HttpResponse response) {
  std::unique_lock lock(mutex_);
  if (gone() || contents_.stage != Stage::kWaiting) return;
  open(std::move(response), Framing::kLength);
  contents_.stage = Stage::kEnded;
  ring(std::move(lock));
}

void Outbox::begin(HttpResponse response) {
  std::unique_lock lock(mutex_);
  if (gone() || contents_.stage != Stage::kWaiting) return;
  const bool is_events = response.type.starts_with("text/event-stream");
  open(std::move(response), form_.chunks ? Framing::kChunks : Framing::kClose);
  contents_.stage = is_events && has_body_ ? Stage::kEvents : Stage::kStream;
  ring(std::move(lock));
}

void Outbox::write(std::string_view part) {
  std::unique_lock lock(mutex_);
  if (gone() || (contents_.stage != Stage::kStream && contents_.stage != Stage::kEvents)) return;
  if (static_cast<std::int64_t>(contents_.bytes.size()) + unsent_ > unsent_bytes_) {
    set_gone();
    contents_.stage = Stage::kBroken;
    contents_.bytes.clear();
    return ring(std::move(lock), true);
  }
  append(part);
  ring(std::move(lock));
}

void Outbox::end() {
  std::unique_lock lock(mutex_);
  if (gone() || (contents_.stage != Stage::kStream && contents_.stage != Stage::kEvents)) return;
  if (framing_ == Framing::kChunks && has_body_) contents_.bytes += kLastChunk;
  contents_.stage = Stage::kEnded;
  ring(std::move(lock));
}

std::int64_t Outbox::unsent() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(contents_.bytes.size()) + unsent_;
}

void Outbox::abandon() noexcept {
  try {
    send(error_response(500, "the request was not answered"));
    std::unique_lock lock(mutex_);
    if (gone() || contents_.stage == Stage::kEnded) return;
    contents_.stage = Stage::kBroken;
    ring(std::move(lock), true);
  } catch (const std::exception&) {
    // Without memory for this, the connection waits for its client to leave.
  }
}

Outbox::Contents Outbox::take() {
  const std::lock_guard lock(mutex_);
  has_rung_ = false;
  unsent_ += static_cast<std::int64_t>(contents_.bytes.size());
  return {.bytes = std::exchange(contents_.bytes, {}), .stage = contents_.stage, .closes = contents_.closes};
}

void Outbox::set_unsent(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  unsent_ = static_cast<std::int64_t>(bytes);
}

void Outbox::set_gone() noexcept { gone_.store(true, std::memory_order_relaxed); }

std::shared_ptr<HttpAnswer> answer_into(std::shared_ptr<Outbox> outbox) {
  return std::make_shared<OutboxAnswer>(std::move(outbox));
}

}  // namespace unroll
