#include "server/call.h"

namespace unroll {
namespace {

constexpr int kClientLeft = 499;  // as nginx counts it

}  // namespace

Call::Call(HttpRequest request, std::shared_ptr<HttpAnswer> answer, std::string id, std::string route, Ended ended)
    : request_(std::move(request)), answer_(std::move(answer)), on_end_(std::move(ended)) {
  record_.id = std::move(id);
  record_.method = request_.method;
  record_.path = request_.path;
  record_.route = std::move(route);
  record_.client = request_.client;
  record_.bytes_in = static_cast<std::int64_t>(request_.body.size());
}

Call::~Call() {
  if (!ended_) fail(ApiError(500, "the server gave this request up", {}, "given_up"));
}

double Call::seconds() const noexcept {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

HttpResponse Call::with_headers(HttpResponse response) const {
  response.headers.insert(response.headers.end(), headers_.begin(), headers_.end());
  response.headers.emplace_back("x-request-id", record_.id);
  return response;
}

void Call::send(HttpResponse response) {
  if (ended_) return;
  record_.bytes_out += static_cast<std::int64_t>(response.body.size());
  const int status = response.status;
  answer_->send(with_headers(std::move(response)));
  finish(gone() ? kClientLeft : status);
}

void Call::fail(const ApiError& error) {
  if (ended_) return;
  record_.error = error.what();
  if (!record_.stream) return send(error.response());
  write("data: " + error.body() + "\n\n");
  answer_->end();
  finish(error.status());
}

void Call::begin_events() {
  record_.stream = true;
  answer_->begin(with_headers(
      {.type = "text/event-stream", .headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}}));
}

void Call::write(std::string events, bool has_text) {
  record_.bytes_out += static_cast<std::int64_t>(events.size());
  if (has_text && !record_.first_seconds) record_.first_seconds = seconds();
  answer_->write(std::move(events));
}

void Call::end() {
  if (ended_) return;
  answer_->end();
  finish(gone() ? kClientLeft : 200);
}

void Call::give_up() {
  if (!ended_) finish(kClientLeft);
}

void Call::finish(int status) {
  ended_ = true;
  if (status == kClientLeft && record_.error.empty()) record_.error = "the client left, or fell behind what it reads";
  record_.status = status;
  record_.seconds = seconds();
  on_end_(record_);
}

}  // namespace unroll
