#include "server/request_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace unroll {
namespace {

constexpr std::size_t kMostLines = 4096;
constexpr int kPatienceMilliseconds = 1000;

std::string now() {
  const auto time = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                     milliseconds);
}

std::string line_of(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace

RequestLog::RequestLog(int descriptor) : descriptor_(descriptor), lines_(kMostLines), thread_([this] { run(); }) {}

RequestLog::~RequestLog() {
  closing_ = true;
  lines_.close();
  thread_.join();
}

void RequestLog::request(const CallRecord& record) {
  nlohmann::ordered_json object{{"time", now()},           {"level", record.status < 500 ? "info" : "error"},
                                {"id", record.id},         {"client", record.client},
                                {"method", record.method}, {"path", record.path},
                                {"status", record.status}, {"seconds", record.seconds}};
  if (!record.model.empty()) object["model"] = record.model;
  if (record.stream) object["stream"] = true;
  if (record.first_seconds) object["first_seconds"] = *record.first_seconds;
  object["bytes_in"] = record.bytes_in;
  object["bytes_out"] = record.bytes_out;
  if (record.prompt_tokens > 0) object["prompt_tokens"] = record.prompt_tokens;
  if (record.completion_tokens > 0) object["completion_tokens"] = record.completion_tokens;
  if (!record.error.empty()) object["error"] = record.error;
  if (!record.text.empty()) object["text"] = record.text;
  put(line_of(object));
}

void RequestLog::event(const std::string& level, const std::string& message) {
  put(line_of({{"time", now()}, {"level", level}, {"message", message}}));
}

void RequestLog::put(std::string line) {
  if (!lines_.push(line)) ++dropped_;
}

void RequestLog::run() {
  while (std::optional<std::string> line = lines_.wait()) {
    if (const std::int64_t dropped = dropped_.exchange(0); dropped > 0) {
      *line +=
          line_of({{"time", now()}, {"level", "warning"}, {"message", "log lines were dropped"}, {"lines", dropped}});
    }
    std::string_view rest(*line);
    while (!rest.empty()) {
      pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
      if (poll(&ready, 1, kPatienceMilliseconds) == 0) {
        if (closing_) return;
        continue;
      }
      const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) break;  // its reader has gone: the server goes on without
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
}

}  // namespace unroll
