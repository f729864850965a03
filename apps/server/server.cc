#include "server/server.h"

#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string_view>
#include <thread>
#include <utility>

#include "server/api/api.h"
#include "server/api/json_parts.h"
#include "server/api_error.h"
#include "server/bounded_queue.h"
#include "server/call.h"
#include "server/gate.h"
#include "server/metrics.h"
#include "server/models/model_facts.h"
#include "server/page/page_files.h"
#include "server/request_log.h"

namespace unroll {
namespace {

constexpr int kInterruptedStatus = 130;
constexpr std::size_t kLongestId = 128;

// What only looks at the server: answered on the thread of the sockets, never behind a queue.
constexpr std::array<Route, 3> kQuickRoutes{{{"GET", "/health"}, {"GET", "/metrics"}, {"GET", "/v1/models"}}};

constexpr std::string_view kModelsPath = "/v1/models/";

class Server {
 public:
  explicit Server(const ServerOptions& options)
      : options_(options),
        log_(options.log_descriptor),
        page_(options.web_root),
        models_(options.models),
        api_(models_, options.limits, options.log_texts),
        bodies_(options.models.waiting),
        http_(with_refusals(options.http), [this](HttpRequest request, std::shared_ptr<HttpAnswer> answer) {
          receive(std::move(request), std::move(answer));
        }) {
    gate_.emplace(GateOptions{.api_key = options.api_key,
                              .allowed_origins = options.allowed_origins,
                              .loopback = http_.is_loopback(),
                              .host = options.http.host});
    for (const Route& route : kQuickRoutes) routes_.push_back(route);
    for (const Route& route : Api::routes()) routes_.push_back(route);
  }

  void run() {
    http_.on_signals({SIGTERM, SIGINT, SIGHUP}, [this](int signal) { take_signal(signal); });
    std::thread reader([this] { read_bodies(); });
    http_.run();
    // From here on nobody takes a second signal, and models may still be loading.
    for (const int number : {SIGTERM, SIGINT}) signal(number, [](int) { _exit(kInterruptedStatus); });
    bodies_.close();
    reader.join();
    models_.stop();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  // On the thread of the sockets, like all up to take_signal().
  void receive(HttpRequest request, std::shared_ptr<HttpAnswer> answer) {
    const std::optional<ApiError> refusal = gate_->refusal(request, asks_for_page(request));
    auto headers = gate_->headers(request);
    std::string id = id_of(request);
    std::string route = route_of(request);
    ++open_;
    auto call = std::make_unique<Call>(std::move(request), std::move(answer), std::move(id), std::move(route),
                                       [this](const CallRecord& record) { note_end(record); });
    for (auto& [name, value] : headers) call->add_header(std::move(name), std::move(value));
    if (refusal) return call->fail(*refusal);
    if (Gate::is_preflight(call->request())) return call->send({.status = 204});
    if (answer_quickly(*call)) return;
    if (const std::optional<ApiError> error = route_error(call->request())) return fail_route(*call, *error);
    if (stopping_) return call->fail(is_stopping());
    if (!models_.loaded()) return call->fail(is_loading());
    if (!bodies_.push(call)) call->fail(queue_is_full());
  }

  // What cannot be read as a request is logged and counted as others are.
  [[nodiscard]] HttpOptions with_refusals(HttpOptions options) {
    options.refused = [this](int status, std::string_view message, const std::string& client) {
      CallRecord record{.id = new_id(), .method = {}, .path = {}, .route = "unread", .client = client};
      record.status = status;
      record.error = message;
      metrics_.count(record);
      log_.request(record);
      return record.id;
    };
    return options;
  }

  [[nodiscard]] std::string new_id() { return fmt::format("{:016x}", random_()); }

  [[nodiscard]] std::string id_of(const HttpRequest& request) {
    const std::string* const given = request.header("x-request-id");
    const auto is_plain = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
             c == '.';
    };
    if (given != nullptr && !given->empty() && given->size() <= kLongestId && std::ranges::all_of(*given, is_plain)) {
      return *given;
    }
    return new_id();
  }

  [[nodiscard]] std::string route_of(const HttpRequest& request) const {
    if (request.path.starts_with(kModelsPath)) return "/v1/models";
    const auto found = std::ranges::find(routes_, std::string_view(request.path), &Route::path);
    if (found != routes_.end()) return std::string(found->path);
    return page_.is_page_path(request.path) ? "page" : "other";
  }

  // 404 and 405.
  [[nodiscard]] std::optional<ApiError> route_error(const HttpRequest& request) const {
    bool known = false;
    for (const Route& route : routes_) {
      if (route.path != request.path) continue;
      if (route.method == request.method) return std::nullopt;
      known = true;
    }
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (known || (!reads && page_.is_page_path(request.path)))
      return ApiError(405, fmt::format("{} does not take {}", request.path, request.method), {}, "wrong_method");
    return ApiError(404, fmt::format("there is no {} here", request.path), {}, "unknown_route");
  }

  void fail_route(Call& call, const ApiError& error) const {
    std::string methods;
    for (const Route& route : routes_) {
      if (route.path == call.request().path) methods += (methods.empty() ? "" : ", ") + std::string(route.method);
    }
    if (methods.empty() && error.status() == 405) methods = "GET, HEAD";
    if (!methods.empty()) call.add_header("Allow", methods);
    call.fail(error);
  }

  [[nodiscard]] bool answer_quickly(Call& call) {
    const HttpRequest& request = call.request();
    if (request.method != "GET" && request.method != "HEAD") return false;
    if (request.path == "/health") {
      answer_health(call);
    } else if (request.path == "/metrics") {
      call.send({.body = metrics_.text(models_.all(), http_.connections()), .type = "text/plain; version=0.0.4"});
    } else if (request.path == "/v1/models") {
      answer_models(call);
    } else if (request.path.starts_with(kModelsPath) && request.path != kModelsPath) {
      answer_model(call);
    } else if (std::optional<HttpResponse> file = page_.answer(request)) {
      call.send(*std::move(file));
    } else {
      return false;
    }
    return true;
  }

  [[nodiscard]] bool asks_for_page(const HttpRequest& request) const {
    return (request.method == "GET" || request.method == "HEAD") && page_.is_page_path(request.path);
  }

  void answer_health(Call& call) {
    if (stopping_) return call.fail(is_stopping());
    if (!models_.loaded()) return call.fail(is_loading());
    call.send({.body = json_body({{"status", "ok"}})});
  }

  // Programs that offer every model in the list are to offer those of the user; the page asks for all.
  void answer_models(Call& call) {
    const std::vector<std::shared_ptr<ServedModel>> models = models_.all();
    const bool all = call.request().query == "twins=true" || std::ranges::all_of(models, &ServedModel::is_twin);
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& model : models) {
      if (all || !model->is_twin) list.push_back(model_facts(*model));
    }
    call.send({.body = json_body({{"object", "list"}, {"data", list}})});
  }

  void answer_model(Call& call) {
    try {
      call.send({.body = json_body(model_facts(*models_.find(call.request().path.substr(kModelsPath.size()))))});
    } catch (const ApiError& error) {
      call.fail(error);
    }
  }

  void take_signal(int signal) {
    if (signal == SIGHUP) {
      log_.event("info", "SIGHUP: loading the models anew");
      reload_ = true;
      std::unique_ptr<Call> none;
      static_cast<void>(bodies_.push(none));  // wakes the reader; where there is no room it is awake
      return;
    }
    if (stopping_.exchange(true)) _exit(kInterruptedStatus);
    log_.event("info",
               fmt::format("stopping: {} requests in progress have {} s", open_.load(), options_.drain_seconds));
    http_.refuse();
    http_.after(options_.drain_seconds, [this] { end(); });
    if (open_ == 0) end();
  }

  void end() {
    if (std::exchange(ended_, true)) return;
    models_.stop();
    http_.stop();
  }

  // On any thread.
  void note_end(const CallRecord& record) {
    metrics_.count(record);
    log_.request(record);
    if (--open_ == 0 && stopping_) http_.post([this] { end(); });
  }

  // The thread that reads bodies.
  void read_bodies() {
    try {
      models_.load();
      if (!http_.is_loopback() && options_.api_key.empty()) {
        options_.note(
            "warning: whoever reaches this address may use the server: give --api-key-file, or a proxy that asks");
      }
      options_.note(fmt::format("listening on http://{}:{}", shown_host(), http_.port()));
      options_.note(fmt::format("open {}/{}", page_address(), options_.page_link));
    } catch (...) {
      failure_ = std::current_exception();
      http_.stop();
    }
    while (std::optional<std::unique_ptr<Call>> call = bodies_.wait()) {
      if (reload_.exchange(false)) reload();
      if (*call) api_.answer(std::move(*call));
      models_.reap();
    }
  }

  void reload() {
    try {
      models_.load();
      log_.event("info", "all models were loaded anew");
    } catch (const std::exception& error) {
      log_.event("error", fmt::format("the models of before are served on: {}", error.what()));
    }
  }

  [[nodiscard]] std::string shown_host() const {
    const std::string& host = options_.http.host;
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
  }

  // Where a browser on this machine finds the page.
  [[nodiscard]] std::string page_address() const {
    const std::string& host = options_.http.host;
    const bool is_all = host == "0.0.0.0" || host == "::";
    return fmt::format("http://{}:{}", is_all ? "localhost" : shown_host(), http_.port());
  }

  const ServerOptions& options_;
  Metrics metrics_;
  RequestLog log_;
  PageFiles page_;
  Models models_;
  Api api_;
  BoundedQueue<std::unique_ptr<Call>> bodies_;
  std::optional<Gate> gate_;
  std::vector<Route> routes_;
  std::mt19937_64 random_{std::random_device{}()};
  std::atomic<std::int64_t> open_ = 0;  // requests that are not answered yet
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> reload_ = false;
  bool ended_ = false;
  std::exception_ptr failure_;
  HttpServer http_;
};

// glibc raises both thresholds once a large block was freed, and each thread then keeps up to 64 MiB of what a large
// request took.
void keep_little_freed_memory() {
#ifdef __GLIBC__
  constexpr int kFreed = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kFreed);
  mallopt(M_TRIM_THRESHOLD, kFreed);
#endif
}

}  // namespace

void serve(const ServerOptions& options) {
  signal(SIGHUP, SIG_IGN);  // until the server takes it
  keep_little_freed_memory();
  Server server(options);
  server.run();
}

}  // namespace unroll
