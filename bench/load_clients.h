// Clients of a server on this machine, all on one thread: each asks again and again, and times the answers.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll {

using LoadClock = std::chrono::steady_clock;

inline double seconds_between(LoadClock::time_point start, LoadClock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
}

// What a client asks, and how many symbols its answer has to write.
struct Question {
  std::string request;
  std::int64_t symbols = 0;
};

inline std::string http_request(std::string_view method, std::string_view path, std::string_view body = {}) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}", method, path, body.size(),
                     body);
}

// What clients of one kind saw. Seconds.
struct Answers {
  std::int64_t whole = 0;
  std::int64_t failed = 0;
  std::string failure = {};        // the first one's
  std::int64_t symbols = 0;        // of streams as they came, of other answers once they were there
  std::vector<double> waits = {};  // for answers
  std::vector<double> first = {};  // of streams, from the question to the first symbol
  std::vector<double> gaps = {};   // of streams, between two symbols
};

// One connection. It reads what unroll serve answers, no more of HTTP than that.
class LoadClient {
 public:
  // Waits `pause` seconds after each answer.
  LoadClient(int epoll, std::uint16_t port, std::function<Question()> next, double pause, Answers& answers)
      : epoll_(epoll), port_(port), next_(std::move(next)), pause_(pause), answers_(answers) {}
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;
  ~LoadClient() { disconnect(); }

  // Asks, where it is time.
  void look(LoadClock::time_point now) {
    if (asking_ || now < due_) return;
    if (socket_ < 0) connect();
    question_ = next_();
    asking_ = true;
    asked_ = now;
    sent_ = 0;
    symbols_ = 0;
    has_head_ = is_done_ = false;
    send_more();
  }

  // Its socket can be read or written.
  void advance() {
    char byte = 0;
    if (!asking_ && ::recv(socket_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0) disconnect();
    if (asking_) send_more();
    if (asking_) receive();
  }

 private:
  static constexpr double kPauseOfFailure = 0.01;

  void connect() {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket_ < 0 || ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error(fmt::format("cannot connect to port {}", port_));
    }
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = this;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event);
  }

  void disconnect() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    received_.clear();
  }

  void send_more() {
    while (sent_ < question_.request.size()) {
      const ssize_t size = ::send(socket_, question_.request.data() + sent_, question_.request.size() - sent_,
                                  MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size < 0 && errno == EAGAIN) return;
      if (size < 0) return fail("the server takes no request");
      sent_ += static_cast<std::size_t>(size);
    }
  }

  void receive() {
    static std::array<char, 65536> buffer;
    for (;;) {
      const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size < 0 && errno == EAGAIN) break;
      if (size <= 0) return fail("the connection ended within an answer");
      received_.append(buffer.data(), static_cast<std::size_t>(size));
    }
    const LoadClock::time_point now = LoadClock::now();
    if (!has_head_ && !take_head()) return;
    if (length_ < 0) return take_lines(now);
    if (std::ssize(received_) < length_) return;
    constexpr std::string_view kWritten = "\"completion_tokens\":";
    if (const std::size_t at = received_.rfind(kWritten); at != received_.npos) {
      symbols_ = std::stoll(received_.substr(at + kWritten.size(), 20));
      answers_.symbols += symbols_;
    }
    received_.clear();
    is_done_ = true;
    end(now);
  }

  bool take_head() {
    const std::size_t size = received_.find("\r\n\r\n");
    if (size == received_.npos) return false;
    const std::string_view head = std::string_view(received_).substr(0, size);
    if (!head.starts_with("HTTP/1.1 200 ")) {
      fail(received_.substr(0, 500));
      return false;
    }
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t at = head.find(kLength);
    length_ = at == head.npos ? -1 : std::stoll(std::string(head.substr(at + kLength.size())));
    received_.erase(0, size + 4);
    return has_head_ = true;
  }

  // Lines of events, between those that begin and end a chunk.
  void take_lines(LoadClock::time_point now) {
    std::size_t begin = 0;
    for (std::size_t end; (end = received_.find('\n', begin)) != received_.npos && asking_; begin = end + 1) {
      take_line(std::string_view(received_).substr(begin, end - begin), now);
    }
    received_.erase(0, std::min(begin, received_.size()));
  }

  void take_line(std::string_view line, LoadClock::time_point now) {
    if (line.starts_with("data: {\"error\"")) return fail(std::string(line));
    if (line == "data: [DONE]") is_done_ = true;
    if (line == "0\r") ends_ = true;
    if (line == "\r" && std::exchange(ends_, false)) return end(now);
    constexpr std::string_view kText = "\"text\":\"";
    const std::size_t at = line.find(kText);
    if (at == line.npos) return;
    std::int64_t size = 0;
    for (std::size_t i = at + kText.size(); line[i] != '"'; ++i, ++size) i += line[i] == '\\' ? 1U : 0U;
    if (size == 0) return;
    if (symbols_ == 0) {
      answers_.first.push_back(seconds_between(asked_, now));
    } else {
      answers_.gaps.push_back(seconds_between(last_, now));
    }
    last_ = now;
    symbols_ += size;
    answers_.symbols += size;
  }

  void end(LoadClock::time_point now) {
    if (!is_done_ || symbols_ != question_.symbols) {
      return fail(fmt::format("an answer of {} symbols: expected {}", symbols_, question_.symbols));
    }
    ++answers_.whole;
    answers_.waits.push_back(seconds_between(asked_, now));
    asking_ = false;
    due_ = now + std::chrono::duration_cast<LoadClock::duration>(std::chrono::duration<double>(pause_));
  }

  void fail(std::string failure) {
    if (answers_.failed++ == 0) answers_.failure = std::move(failure);
    disconnect();
    asking_ = false;
    due_ = LoadClock::now() +
           std::chrono::duration_cast<LoadClock::duration>(std::chrono::duration<double>(kPauseOfFailure));
  }

  const int epoll_;
  const std::uint16_t port_;
  const std::function<Question()> next_;
  const double pause_;
  Answers& answers_;

  int socket_ = -1;
  Question question_;
  bool asking_ = false;
  LoadClock::time_point due_ = {};
  LoadClock::time_point asked_ = {};
  LoadClock::time_point last_ = {};  // symbol
  std::size_t sent_ = 0;             // bytes of the question
  std::string received_;
  bool has_head_ = false;
  std::int64_t length_ = -1;  // -1: a stream
  bool ends_ = false;         // after the next line
  bool is_done_ = false;
  std::int64_t symbols_ = 0;
};

class LoadClients {
 public:
  explicit LoadClients(std::uint16_t port) : port_(port), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  LoadClients(const LoadClients&) = delete;
  LoadClients& operator=(const LoadClients&) = delete;
  ~LoadClients() {
    clients_.clear();
    ::close(epoll_);
  }

  void add(std::function<Question()> next, double pause, Answers& answers) {
    clients_.push_back(std::make_unique<LoadClient>(epoll_, port_, std::move(next), pause, answers));
  }

  void run(double seconds) {
    std::array<epoll_event, 256> events;
    const LoadClock::time_point start = LoadClock::now();
    for (LoadClock::time_point now = start; seconds_between(start, now) < seconds; now = LoadClock::now()) {
      for (const auto& client : clients_) client->look(now);
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1);
      for (int i = 0; i < count; ++i) {
        static_cast<LoadClient*>(events.at(static_cast<std::size_t>(i)).data.ptr)->advance();
      }
    }
  }

 private:
  const std::uint16_t port_;
  const int epoll_;
  std::vector<std::unique_ptr<LoadClient>> clients_;
};

}  // namespace unroll
