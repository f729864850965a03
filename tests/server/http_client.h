// A client that sends any bytes, over a socket of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace unroll {

struct RawAnswer {
  std::string head;
  std::string body;  // out of its chunks
  bool is_whole = false;

  [[nodiscard]] int status() const { return head.size() < 12 ? 0 : std::atoi(head.c_str() + 9); }
};

class RawClient {
 public:
  explicit RawClient(std::int64_t port, int receive_buffer = 0) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { leave(); }
  RawClient(RawClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), is_connected_(other.is_connected_), rest_(std::move(other.rest_)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  RawClient& operator=(RawClient&&) = delete;

  [[nodiscard]] bool is_connected() const { return is_connected_; }

  // False once the server has closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }

  void send_no_more() { shutdown(socket_, SHUT_WR); }

  void leave() {
    if (socket_ >= 0) close(std::exchange(socket_, -1));
  }

  // What comes until the server closes the connection, or until nothing comes for `patience_ms`.
  std::string read_to_end(int patience_ms = kPatience) {
    while (more(patience_ms)) continue;
    return std::exchange(rest_, {});
  }

  // What comes up to `end` and with it; all there is where it never comes.
  std::string read_until(std::string_view end) {
    std::size_t found = rest_.find(end);
    while (found == rest_.npos && more(kPatience)) found = rest_.find(end);
    return take(found == rest_.npos ? rest_.size() : found + end.size());
  }

  // One answer, by its length or in chunks.
  RawAnswer read_answer(bool has_body = true) {
    RawAnswer answer;
    answer.head = read_until("\r\n\r\n");
    answer.is_whole = answer.head.ends_with("\r\n\r\n");
    if (!has_body || !answer.is_whole) return answer;
    if (answer.head.find("Transfer-Encoding: chunked") != answer.head.npos) {
      while (answer.is_whole) {
        const std::string line = read_until("\r\n");
        const std::size_t size = std::strtoul(line.c_str(), nullptr, 16);
        const std::string chunk = read_exactly(size + 2);
        answer.is_whole = chunk.size() == size + 2 && chunk.ends_with("\r\n") && line.size() > 2;
        if (size == 0) break;
        answer.body += chunk.substr(0, size);
      }
    } else if (const std::size_t at = answer.head.find("Content-Length: "); at != answer.head.npos) {
      const std::size_t size = std::strtoul(answer.head.c_str() + at + 16, nullptr, 10);
      answer.body = read_exactly(size);
      answer.is_whole = answer.body.size() == size;
    }
    return answer;
  }

  RawAnswer ask(std::string_view request) {
    send(request);
    return read_answer();
  }

 private:
  static constexpr int kPatience = 5000;

  std::string take(std::size_t size) {
    std::string taken = rest_.substr(0, size);
    rest_.erase(0, size);
    return taken;
  }

  std::string read_exactly(std::size_t size) {
    while (rest_.size() < size && more(kPatience)) continue;
    return take(size);
  }

  bool more(int patience_ms) {
    pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, patience_ms) != 1) return false;
    char buffer[65536];
    const ssize_t size = recv(socket_, buffer, sizeof buffer, 0);
    if (size > 0) rest_.append(buffer, static_cast<std::size_t>(size));
    return size > 0;
  }

  int socket_;
  bool is_connected_ = false;
  std::string rest_;
};

}  // namespace unroll
