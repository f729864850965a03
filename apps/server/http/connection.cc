#include "server/http/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "server/http/message.h"

namespace unroll {
namespace {

constexpr std::size_t kSlice = 65536;       // of one send
constexpr int kSlicesOfATurn = 4;           // then other connections have theirs
constexpr std::size_t kPipelined = 16384;   // what may come while a request is answered
constexpr int kSocketBuffer = 131072;       // of what is sent, with the system
constexpr std::size_t kSmallBuffer = 4096;  // more capacity than this is freed with the contents
constexpr double kLingerSeconds = 1;

std::chrono::steady_clock::time_point in_seconds(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

void clear(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kSmallBuffer) buffer.shrink_to_fit();
}

}  // namespace

// No client's doing ends the server, lack of memory for one of them included.
template <typename Step>
void Connection::guarded(Step step) {
  if (phase_ == Phase::kClosed) return;
  try {
    step();
  } catch (const std::exception&) {
    close(true);
  }
}

void Connection::start() {
  guarded([&] {
    const tcp::endpoint peer = socket_.remote_endpoint();
    const std::string host = peer.address().to_string();
    client_ = fmt::format("{}:{}", peer.address().is_v6() ? "[" + host + "]" : host, peer.port());
    socket_.non_blocking(true);
    socket_.set_option(tcp::no_delay(true));
    socket_.set_option(tcp::socket::send_buffer_size(kSocketBuffer));
    set_deadline(in_seconds(shared_.options.read_seconds));
    wait_readable();
  });
}

void Connection::wait_readable() {
  if (phase_ == Phase::kClosed || waits_readable_) return;
  if (phase_ == Phase::kAnswer && received_.size() >= kPipelined) return wait_for_hangup();
  waits_readable_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code) {
    self->waits_readable_ = false;
    self->guarded([&] { self->receive(); });
  });
}

void Connection::wait_for_hangup() {
  if (waits_hangup_) return;
  waits_hangup_ = true;
  socket_.async_wait(tcp::socket::wait_error, [self = shared_from_this()](error_code) {
    self->waits_hangup_ = false;
    self->guarded([&] { self->meet_end(false); });
  });
}

void Connection::receive() {
  const std::size_t room = phase_ == Phase::kAnswer ? kPipelined - received_.size() : shared_.received.size();
  error_code error;
  const std::size_t size = socket_.read_some(asio::buffer(shared_.received.data(), room), error);
  if (error == asio::error::would_block || error == asio::error::interrupted) return wait_readable();
  if (error) return meet_end(error == asio::error::eof);
  if (phase_ != Phase::kLinger) received_.append(shared_.received.data(), size);
  if (phase_ == Phase::kRequest) return advance();
  wait_readable();
}

// The client sends no more. Whether it still reads cannot be seen: it gets what is complete, and nothing else is made.
void Connection::meet_end(bool is_orderly) {
  if (is_orderly && phase_ == Phase::kRequest && !is_between_requests()) return fail(400, "the request ends early");
  if (is_orderly && phase_ == Phase::kAnswer) {
    collect();
    if (phase_ == Phase::kAnswer && stage_ == Outbox::Stage::kEnded) {
      closes_ = true;
      return;
    }
  }
  close();
}

void Connection::advance() {
  if (!reader_) {
    received_.erase(0, std::min(received_.find_first_not_of("\r\n"), received_.size()));
    if (received_.empty()) return wait_readable();
    reader_.emplace(shared_.options);
  }
  try {
    if (reader_->read(received_)) return dispatch();
  } catch (const Refusal& refusal) {
    return fail(refusal.status, refusal.message);
  }
  count_body(reader_->body_bytes());
  const std::int64_t most = std::max(shared_.options.bodies_bytes, shared_.options.body_bytes);
  if (static_cast<std::int64_t>(shared_.body_bytes) > most) return fail(503, "too much is being sent; try again");
  if (received_.empty()) {
    clear(received_);
    if (reader_->takes_leave()) {
      sending_ = "HTTP/1.1 100 Continue\r\n\r\n";
      flush();
    }
  }
  wait_readable();
}

void Connection::count_body(std::size_t bytes) { shared_.body_bytes += bytes - std::exchange(body_bytes_, bytes); }

void Connection::dispatch() {
  HttpRequest request = std::move(reader_->request);
  request.client = client_;
  form_ = reader_->form;
  reader_.reset();
  count_body(0);
  if (received_.empty()) clear(received_);
  phase_ = Phase::kAnswer;
  stage_ = Outbox::Stage::kWaiting;
  deadline_ = Clock::time_point::max();
  outbox_ = std::make_shared<Outbox>(shared_.bell, form_, shared_.options.unsent_bytes);
  outbox_->collector = this;
  if (shared_.is_refusing) outbox_->set_closing();
  wait_readable();
  try {
    shared_.handler(std::move(request), answer_into(outbox_));
  } catch (const std::exception&) {
    // The answer was destroyed without being sent, and is 500.
  }
}

void Connection::fail(int status, std::string_view message) {
  reader_.reset();
  count_body(0);
  clear(received_);
  HttpResponse response = error_response(status, message);
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  if (shared_.options.refused) {
    response.headers.emplace_back("x-request-id", shared_.options.refused(status, message, client_));
  }
  sending_ += answer_head(response, Framing::kLength, true) + response.body;
  phase_ = Phase::kLinger;
  set_deadline(in_seconds(kLingerSeconds));
  flush();
  wait_readable();
}

void Connection::collect() {
  const auto self = shared_from_this();
  guarded([&] {
    if (!outbox_) return;
    Outbox::Contents contents = outbox_->take();
    stage_ = contents.stage;
    closes_ = closes_ || contents.closes;
    if (stage_ == Outbox::Stage::kBroken) return close(true);
    sending_.erase(0, std::exchange(sent_, 0));
    if (sending_.empty()) {
      sending_ = std::move(contents.bytes);
    } else {
      sending_ += contents.bytes;
    }
    flush();
  });
}

void Connection::flush() {
  for (int slices = 0; !waits_writable_ && sent_ < sending_.size(); ++slices) {
    if (slices == kSlicesOfATurn) return wait_writable();
    error_code error;
    const std::size_t size =
        socket_.write_some(asio::buffer(sending_.data() + sent_, std::min(kSlice, sending_.size() - sent_)), error);
    if (error == asio::error::would_block || error == asio::error::interrupted) return wait_writable();
    if (error) return close();
    sent_ += size;
    sent_of_slice_ += size;
    if (outbox_) outbox_->set_unsent(sending_.size() - sent_);
  }
  if (sent_ == sending_.size()) all_sent();
}

void Connection::wait_writable() {
  if (!has_write_deadline_ || sent_of_slice_ >= kSlice) {
    has_write_deadline_ = true;
    sent_of_slice_ = 0;
    if (phase_ == Phase::kAnswer) set_deadline(in_seconds(shared_.options.write_seconds));
  }
  waits_writable_ = true;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code) {
    self->waits_writable_ = false;
    self->guarded([&] { self->flush(); });
  });
}

void Connection::all_sent() {
  clear(sending_);
  sent_ = 0;
  sent_of_slice_ = 0;
  has_write_deadline_ = false;
  if (ends_) return close();
  if (phase_ == Phase::kLinger) {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  } else if (phase_ == Phase::kAnswer) {
    deadline_ = Clock::time_point::max();
    if (stage_ == Outbox::Stage::kEnded) return finish_answer();
    if (stage_ == Outbox::Stage::kEvents) set_deadline(in_seconds(shared_.options.heartbeat_seconds));
  }
}

void Connection::finish_answer() {
  outbox_->collector = nullptr;
  outbox_.reset();
  if (closes_ || shared_.is_refusing) {
    phase_ = Phase::kLinger;
    clear(received_);
    set_deadline(in_seconds(kLingerSeconds));
    all_sent();
    return wait_readable();
  }
  phase_ = Phase::kRequest;
  set_deadline(in_seconds(shared_.options.read_seconds));
  if (received_.empty()) return wait_readable();
  advance();
}

// The timer is only set anew where it would ring too late: each part of a stream moves the deadline.
void Connection::set_deadline(Clock::time_point deadline) {
  deadline_ = deadline;
  if (deadline_ < armed_) arm();
}

void Connection::arm() {
  armed_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->guarded([&] { self->ring(); });
  });
}

void Connection::ring() {
  armed_ = Clock::time_point::max();
  if (deadline_ == Clock::time_point::max()) return;
  if (Clock::now() < deadline_) return arm();
  deadline_ = Clock::time_point::max();
  meet_deadline();
}

void Connection::meet_deadline() {
  if (phase_ == Phase::kRequest && !is_between_requests()) return fail(408, "the request takes too long");
  if (phase_ == Phase::kAnswer && !has_write_deadline_) return beat();
  close(phase_ == Phase::kAnswer);
}

void Connection::beat() {
  constexpr std::string_view kBeat = ": \n\n";
  if (form_.chunks) {
    append_chunk(kBeat, sending_);
  } else {
    sending_ += kBeat;
  }
  flush();
}

void Connection::refuse() {
  if (is_between_requests()) return close();
  if (outbox_) outbox_->set_closing();
}

void Connection::finish() {
  const bool is_complete = stage_ == Outbox::Stage::kEnded || phase_ == Phase::kLinger;
  if (!is_complete || sending_.empty()) return close();
  ends_ = true;
}

void Connection::close(bool at_once) {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  if (outbox_) {
    outbox_->collector = nullptr;
    outbox_->set_gone();
    outbox_.reset();
  }
  reader_.reset();
  count_body(0);
  error_code ignored;
  if (at_once) socket_.set_option(tcp::socket::linger(true, 0), ignored);  // what is unsent is of no more use
  socket_.close(ignored);
  timer_.cancel();
  shared_.forget(shared_from_this());
}

}  // namespace unroll
