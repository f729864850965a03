#include "server/http.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "server/http/boost.h"
#include "server/http/connection.h"
#include "server/http/outbox.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::chrono::milliseconds kUntilNextTry{100};
constexpr std::chrono::seconds kToTheEnd{1};
constexpr std::chrono::seconds kUntilTrim{1};

// The thread of run(): its sockets, its timers, and what others ask of it.
class Transport {
 public:
  Transport(const HttpOptions& options, HttpHandler handler);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  void run();
  void refuse();
  void stop();
  void on_signals(const std::vector<int>& signals, std::function<void(int signal)> call);

  [[nodiscard]] asio::io_context& io() noexcept { return shared_.io; }
  [[nodiscard]] const tcp::endpoint& address() const noexcept { return address_; }
  [[nodiscard]] std::int64_t connections() const noexcept { return count_; }

 private:
  void listen();
  void accept();
  void add(tcp::socket socket);
  void forget(const std::shared_ptr<Connection>& connection);
  void trim_later();
  void collect();
  void close_all();
  void wait_for_signal();
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> present() const;

  SharedByConnections shared_;
  tcp::endpoint address_;
  tcp::acceptor acceptor_{shared_.io};
  asio::steady_timer timer_{shared_.io};  // until the next try to accept, or until the end
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::atomic<std::int64_t> count_ = 0;
  asio::steady_timer trim_timer_{shared_.io};
  bool is_accepting_ = false;
  bool will_trim_ = false;
  bool is_stopping_ = false;
  std::optional<asio::signal_set> signals_;
  std::function<void(int)> on_signal_;
};

Transport::Transport(const HttpOptions& options, HttpHandler handler) {
  shared_.options = options;
  shared_.handler = std::move(handler);
  shared_.forget = [this](const std::shared_ptr<Connection>& connection) { forget(connection); };
  shared_.bell = std::make_shared<Doorbell>([this] { asio::post(shared_.io, [this] { collect(); }); });
  listen();
}

Transport::~Transport() {
  shared_.bell->disconnect();
  error_code ignored;
  acceptor_.close(ignored);
  close_all();
}

void Transport::listen() {
  if (shared_.options.port < 0 || shared_.options.port > 65535) {
    throw Error(ErrorCode::kUsage, fmt::format("`port` is {}: expected 0 to 65535", shared_.options.port), "port");
  }
  error_code error;
  tcp::resolver resolver(shared_.io);
  const auto found = resolver.resolve(shared_.options.host, std::to_string(shared_.options.port),
                                      tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`host` \"{}\" has no address: {}", shared_.options.host, error.message()), "host");
  }
  address_ = found.begin()->endpoint();
  acceptor_.open(address_.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(address_, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    const char* hint = error == asio::error::address_in_use  ? "; another program has it: give another `port`"
                       : error == asio::error::access_denied ? "; it takes rights: give a `port` of 1024 or more"
                                                             : "";
    throw Error(ErrorCode::kFile, fmt::format("cannot listen on {} port {}: {}{}", shared_.options.host,
                                              shared_.options.port, error.message(), hint));
  }
  address_ = acceptor_.local_endpoint();
}

void Transport::run() {
  const auto work = asio::make_work_guard(shared_.io);
  asio::post(shared_.io, [this] { accept(); });
  shared_.io.run();
}

void Transport::accept() {
  const auto most = static_cast<std::size_t>(shared_.options.connections);
  if (is_accepting_ || !acceptor_.is_open() || connections_.size() >= most) return;
  is_accepting_ = true;
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    is_accepting_ = false;
    if (!acceptor_.is_open()) return;
    if (!error) {
      add(std::move(socket));
      return accept();
    }
    // Out of file descriptors or memory, mostly.
    timer_.expires_after(kUntilNextTry);
    timer_.async_wait([this](error_code) { accept(); });
  });
}

void Transport::add(tcp::socket socket) {
  try {
    const auto connection = std::make_shared<Connection>(shared_, std::move(socket));
    connections_.insert(connection);
    count_ = static_cast<std::int64_t>(connections_.size());
    connection->start();
  } catch (const std::exception&) {
    // No memory for it: the socket is closed.
  }
}

void Transport::forget(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
  count_ = static_cast<std::int64_t>(connections_.size());
  if (is_stopping_ && connections_.empty()) shared_.io.stop();
  trim_later();
  accept();
}

// What clients made the process allocate goes back to the system once they have gone: glibc keeps freed blocks below
// one in use, tens of MB of them after many large bodies.
void Transport::trim_later() {
#ifdef __GLIBC__
  if (std::exchange(will_trim_, true)) return;
  trim_timer_.expires_after(kUntilTrim);
  trim_timer_.async_wait([this](error_code error) {
    will_trim_ = false;
    if (!error) malloc_trim(0);
  });
#endif
}

std::vector<std::shared_ptr<Connection>> Transport::present() const {
  return {connections_.begin(), connections_.end()};
}

void Transport::collect() {
  for (const std::shared_ptr<Outbox>& outbox : shared_.bell->take()) {
    if (outbox->collector != nullptr) outbox->collector->collect();
  }
}

void Transport::refuse() {
  shared_.is_refusing = true;
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& connection : present()) connection->refuse();
}

void Transport::stop() {
  if (std::exchange(is_stopping_, true)) return;
  refuse();
  collect();
  for (const auto& connection : present()) connection->finish();
  if (connections_.empty()) return shared_.io.stop();
  timer_.expires_after(kToTheEnd);
  timer_.async_wait([this](error_code error) {
    if (!error) close_all();
  });
}

void Transport::close_all() {
  for (const auto& connection : present()) connection->close(true);
}

void Transport::on_signals(const std::vector<int>& signals, std::function<void(int signal)> call) {
  on_signal_ = std::move(call);
  signals_.emplace(shared_.io);
  for (const int signal : signals) signals_->add(signal);
  wait_for_signal();
}

void Transport::wait_for_signal() {
  signals_->async_wait([this](error_code error, int signal) {
    if (error) return;
    wait_for_signal();
    on_signal_(signal);
  });
}

}  // namespace

struct HttpServer::Impl : Transport {
  using Transport::Transport;
};

const std::string* HttpRequest::header(std::string_view name) const noexcept {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& field) { return field.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

HttpServer::HttpServer(const HttpOptions& options, HttpHandler handler)
    : impl_(std::make_shared<Impl>(options, std::move(handler))) {}

HttpServer::~HttpServer() = default;

std::int64_t HttpServer::port() const noexcept { return impl_->address().port(); }

std::int64_t HttpServer::connections() const noexcept { return impl_->connections(); }

bool HttpServer::is_loopback() const noexcept { return impl_->address().address().is_loopback(); }

void HttpServer::run() { impl_->run(); }

void HttpServer::refuse() {
  asio::post(impl_->io(), [impl = impl_.get()] { impl->refuse(); });
}

void HttpServer::stop() {
  asio::post(impl_->io(), [impl = impl_.get()] { impl->stop(); });
}

void HttpServer::post(std::function<void()> call) { asio::post(impl_->io(), std::move(call)); }

void HttpServer::after(double seconds, std::function<void()> call) {
  const auto timer = std::make_shared<asio::steady_timer>(
      impl_->io(),
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds)));
  timer->async_wait([timer, call = std::move(call)](error_code error) {
    if (!error) call();
  });
}

void HttpServer::on_signals(const std::vector<int>& signals, std::function<void(int signal)> call) {
  impl_->on_signals(signals, std::move(call));
}

}  // namespace unroll
