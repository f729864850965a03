#include "server/dashboard.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "draw/picture_json.h"
#include "draw/pictures/curves.h"
#include "json/json_text.h"
#include "server/api_error.h"
#include "server/gate.h"
#include "server/http.h"
#include "server/page/page_files.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr std::size_t kKeptSamples = 50;
constexpr std::size_t kKeptNotes = 50;
constexpr std::size_t kMostBeside = 5;
constexpr auto kWatched = std::chrono::seconds(5);  // a page that asked within these is looking
constexpr auto kLinger = std::chrono::seconds(3);

enum class RunState { kRunning, kStopping, kStopped, kDone, kFailed };

std::string_view state_name(RunState state) noexcept {
  constexpr std::array<std::string_view, 5> kNames{"running", "stopping", "stopped", "done", "failed"};
  return kNames.at(static_cast<std::size_t>(state));
}

// Of the system, so that nobody who does not have the link guesses it.
std::string random_token() {
  constexpr int kWords = 4;
  std::random_device random;
  std::string token;
  for (int i = 0; i < kWords; ++i) token += fmt::format("{:08x}", random());
  return token;
}

Json plan_json(const TrainPlan& plan) {
  return {{"task", task_name(plan.task)},
          {"cell", cell_name(plan.config.cell)},
          {"layers", plan.config.layers},
          {"hidden", plan.config.hidden},
          {"embed", plan.config.embed},
          {"vocabulary", plan.config.vocabulary},
          {"parameters", plan.parameters},
          {"precision", precision_name(plan.precision)},
          {"tokenizer", tokenizer_kind_name(plan.tokenizer)},
          {"train_tokens", plan.train_tokens},
          {"valid_tokens", plan.valid_tokens},
          {"uniform_nats", plan.uniform_nats},
          {"batch_size", plan.batch_size},
          {"bptt", plan.bptt},
          {"steps_per_epoch", plan.steps_per_epoch},
          {"validate_every", plan.validate_every},
          {"memory_bytes", plan.memory_bytes},
          {"threads", plan.threads}};
}

Json step_json(const StepReport& report) {
  Json json{{"step", report.step}, {"tokens", report.tokens},       {"nats_per_token", report.nats_per_token},
            {"lr", report.lr},     {"grad_norm", report.grad_norm}, {"tokens_per_s", report.tokens_per_s}};
  if (report.valid_nats_per_token) json["valid_nats_per_token"] = *report.valid_nats_per_token;
  if (report.average_valid_nats_per_token) json["average_valid_nats_per_token"] = *report.average_valid_nats_per_token;
  if (report.valid_accuracy) json["valid_accuracy"] = *report.valid_accuracy;
  return json;
}

// What is known of the run.
struct Course {
  RunState state = RunState::kRunning;
  std::optional<TrainPlan> plan = {};
  RunCurves curves = {};
  std::vector<RunSample> samples = {};
  std::vector<std::string> notes = {};
  std::optional<StepReport> last = {};
  StepReport validated = {};  // the last one with a validation
  std::string failure = {};
  Clock::time_point began = Clock::now();  // the present part of the run
  double seconds_before = 0;               // of the parts before

  [[nodiscard]] std::int64_t steps_done() const {
    const std::int64_t resumed = plan ? plan->first_step : 0;
    return last && last->step > resumed ? last->step : resumed;
  }
  [[nodiscard]] double seconds_now() const {
    return state == RunState::kRunning || state == RunState::kStopping
               ? std::chrono::duration<double>(Clock::now() - began).count()
               : 0;
  }
};

Json course_json(const Course& course) {
  Json samples = Json::array();
  for (const RunSample& sample : course.samples) samples.push_back({{"step", sample.step}, {"text", sample.text}});
  const std::int64_t steps = course.plan ? course.plan->steps : 0;
  const std::int64_t done = course.steps_done();
  const double now = course.seconds_now();
  Json json{{"object", "run"},
            {"plan", course.plan ? plan_json(*course.plan) : Json()},
            {"state", state_name(course.state)},
            {"steps_done", done},
            {"steps", steps},
            {"seconds", course.seconds_before + now},
            {"seconds_left", nullptr},
            {"samples", std::move(samples)},
            {"notes", course.notes},
            {"last", course.last ? step_json(*course.last) : Json()}};
  const std::int64_t made = course.plan ? done - course.plan->first_step : 0;
  if (made > 0 && now > 0) json["seconds_left"] = now / static_cast<double>(made) * static_cast<double>(steps - done);
  if (course.validated.valid_nats_per_token) json["last_validation"] = step_json(course.validated);
  if (!course.failure.empty()) json["failure"] = course.failure;
  return json;
}

template <class Item>
void keep_latest(std::vector<Item>& items, Item item, std::size_t most) {
  if (items.size() == most) items.erase(items.begin());
  items.push_back(std::move(item));
}

HttpResponse json_response(const Json& json, int status = 200) {
  return {.status = status, .body = json_line(json), .headers = {{"Cache-Control", "no-store"}}};
}

// The body's fields. Throws ApiError.
nlohmann::json fields_of(const HttpRequest& request) {
  nlohmann::json fields = nlohmann::json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
  if (!fields.is_object()) throw ApiError(400, "the body is not a JSON object");
  return fields;
}

}  // namespace

struct Dashboard::Impl {
  explicit Impl(DashboardOptions given)
      : options(std::move(given)),
        http({.port = options.port, .connections = 64},
             [this](HttpRequest request, std::shared_ptr<HttpAnswer> answer) { receive(request, *answer); }) {
    if (options.beside.size() > kMostBeside) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} runs beside this one: expected {} at most", options.beside.size(), kMostBeside));
    }
    thread = std::thread([this] { http.run(); });
  }

  ~Impl() {
    http.stop();
    thread.join();
  }

  // ---- on the thread of the server

  void receive(const HttpRequest& request, HttpAnswer& answer) {
    try {
      HttpResponse response = respond(request);
      for (auto& header : gate.headers(request)) response.headers.push_back(std::move(header));
      answer.send(std::move(response));
    } catch (const ApiError& error) {
      answer.send(error.response());
    } catch (const Error& error) {
      answer.send(ApiError(error).response());
    } catch (const std::exception&) {
      answer.send(ApiError(500, "the server has no memory left").response());
    }
  }

  HttpResponse respond(const HttpRequest& request) {
    if (const std::optional<ApiError> refusal = gate.refusal(request)) throw *refusal;
    if (Gate::is_preflight(request)) return {.status = 204};
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (reads && request.path == "/v1/run") return json_response(told());
    if (reads && request.path == "/v1/models") return json_response({{"object", "list"}, {"data", Json::array()}});
    if (request.method == "POST" && request.path == "/v1/run/curves") return curves(fields_of(request));
    if (request.method == "POST" && request.path == "/v1/run/stop") return change(fields_of(request), true);
    if (request.method == "POST" && request.path == "/v1/run/continue") return change(fields_of(request), false);
    if (reads && page.is_page_path(request.path)) {
      if (std::optional<HttpResponse> file = page.answer(request)) return *std::move(file);
    }
    throw ApiError(404,
                   fmt::format("there is no {} {} here: a training run answers, which serves no model", request.method,
                               request.path),
                   {}, "unknown_route");
  }

  Json told() {
    const std::lock_guard lock(mutex);
    asked = Clock::now();
    if (has_ended()) end_told |= 1;
    changed.notify_all();
    return course_json(course);
  }

  HttpResponse curves(const nlohmann::json& fields) {
    const auto wanted = fields.find("standalone");
    const bool standalone = wanted != fields.end() && wanted->is_boolean() && wanted->get<bool>();
    RunCurves present;
    {
      const std::lock_guard lock(mutex);
      present = course.curves;
      // Curves that a page asks for before it knows of the end are not its last.
      if (end_told != 0) end_told |= 2;
      changed.notify_all();
    }
    std::vector<NamedRun> runs{{.name = options.name, .curves = &present}};
    for (const LoggedRun& run : options.beside) runs.push_back({.name = run.name, .curves = &run.curves});
    Json json{{"object", "picture"}, {"picture", "curves"}};
    json.update(picture_json(curves_picture(runs, standalone)));
    return json_response(json);
  }

  HttpResponse change(const nlohmann::json& fields, bool stop) {
    const auto given = fields.find("token");
    if (given == fields.end() || !given->is_string() ||
        !equal_in_constant_time(given->get_ref<const std::string&>(), token)) {
      throw ApiError(403, "the token is missing or wrong: only the link that the run printed may stop and continue it",
                     "token", "wrong_token");
    }
    const std::lock_guard lock(mutex);
    const RunState needed = stop ? RunState::kRunning : RunState::kStopped;
    if (course.state != needed) {
      throw ApiError(409, fmt::format("the run is {}", state_name(course.state)), {}, "wrong_state");
    }
    if (stop) {
      course.state = RunState::kStopping;
      stopping = true;
    } else {
      stopping = false;
      begin_part();
    }
    changed.notify_all();
    return json_response({{"state", state_name(course.state)}});
  }

  // ---- with the mutex

  [[nodiscard]] bool has_ended() const { return course.state == RunState::kDone || course.state == RunState::kFailed; }

  void begin_part() {
    course.state = stopping ? RunState::kStopping : RunState::kRunning;
    course.began = Clock::now();
  }

  void end_part(RunState state) {
    course.seconds_before += course.seconds_now();
    course.state = state;
  }

  DashboardOptions options;
  std::string token = random_token();
  Gate gate{{.loopback = true}};
  PageFiles page;  // of the server's thread
  std::mutex mutex;
  std::condition_variable changed;
  Course course;
  Clock::time_point asked{};
  unsigned end_told = 0;  // 1: that it has ended; 2: its last curves
  std::atomic<bool> stopping = false;
  HttpServer http;
  std::thread thread;
};

Dashboard::Dashboard(DashboardOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Dashboard::~Dashboard() = default;

std::string Dashboard::link() const {
  return fmt::format("http://127.0.0.1:{}/#learning?token={}", impl_->http.port(), impl_->token);
}

void Dashboard::plan(const TrainPlan& plan) {
  const std::lock_guard lock(impl_->mutex);
  Course& course = impl_->course;
  if (plan.first_step == 0) {
    course.curves = {};
    course.samples.clear();
    course.last.reset();
    course.validated = {};
  }
  course.plan = plan;
  impl_->begin_part();
}

void Dashboard::earlier(const LoggedRun& run) {
  const std::lock_guard lock(impl_->mutex);
  Course& course = impl_->course;
  if (course.curves.last_step() >= run.curves.last_step()) return;
  course.curves = run.curves;
  course.samples.clear();
  for (const RunSample& sample : run.samples) keep_latest(course.samples, sample, kKeptSamples);
}

void Dashboard::step(const StepReport& report) {
  const std::lock_guard lock(impl_->mutex);
  impl_->course.curves.add(report);
  impl_->course.last = report;
  if (report.valid_nats_per_token) impl_->course.validated = report;
}

void Dashboard::sample(std::int64_t step, std::string_view text) {
  const std::lock_guard lock(impl_->mutex);
  keep_latest(impl_->course.samples, {.step = step, .text = std::string(text)}, kKeptSamples);
}

void Dashboard::note(std::string_view text) {
  const std::lock_guard lock(impl_->mutex);
  keep_latest(impl_->course.notes, std::string(text), kKeptNotes);
}

bool Dashboard::stop_requested() const noexcept { return impl_->stopping; }

bool Dashboard::wait_for_continue(const std::function<bool()>& give_up) {
  constexpr auto kLook = std::chrono::milliseconds(100);
  std::unique_lock lock(impl_->mutex);
  impl_->end_part(RunState::kStopped);
  while (impl_->stopping) {
    impl_->changed.wait_for(lock, kLook);
    if (impl_->stopping && give_up()) return false;
  }
  impl_->begin_part();
  return true;
}

void Dashboard::end(std::string_view failure) {
  constexpr unsigned kAllTold = 3;
  std::unique_lock lock(impl_->mutex);
  impl_->end_part(failure.empty() ? RunState::kDone : RunState::kFailed);
  impl_->course.failure = failure;
  if (Clock::now() - impl_->asked > kWatched) return;
  impl_->changed.wait_for(lock, kLinger, [this] { return impl_->end_told == kAllTold; });
}

}  // namespace unroll
