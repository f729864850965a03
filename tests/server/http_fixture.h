// A server on a thread of its own, whose answers a test may give itself.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/http.h"
#include "server/http_client.h"

namespace unroll {

using Answer = std::shared_ptr<HttpAnswer>;

inline constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

inline std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

inline bool becomes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return condition();
}

// Says what it was asked; keeps the answers to /later for the test.
class HttpFixture : public testing::Test {
 protected:
  ~HttpFixture() override { end(); }

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

}  // namespace unroll
