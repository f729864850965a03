// Shows a training run in a browser while it goes on: a small server within the program that trains.
//
//   Dashboard dashboard({.name = "book"});
//   print(dashboard.link());
//   observer.on_step = [&](const StepReport& report) { dashboard.step(report); };
//   observer.stop_requested = [&] { return dashboard.stop_requested(); };
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "draw/run_log.h"
#include "unroll/train.h"

namespace unroll {

struct DashboardOptions {
  std::int64_t port = 0;               // of 127.0.0.1; 0: any free one
  std::string name = "this run";       // what pictures call it
  std::vector<LoggedRun> beside = {};  // runs of before, drawn next to it
};

// Answers on a thread of its own, on the loopback address alone, to the names of this machine:
//
//   GET  /                    the page, and its files
//   GET  /v1/run              what is known of the run; docs/server.md has its fields
//   POST /v1/run/curves       its curves as a picture, as /v1/draw answers pictures
//   POST /v1/run/stop         {"token"}: the run is to be saved and to wait
//   POST /v1/run/continue     {"token"}: goes on
//
// The token, 128 random bits, stands in the link alone. All functions but the constructor are called by the thread that
// trains; each takes about a microsecond.
class Dashboard {
 public:
  // Listens. Throws Error{kFile} for a port that is not free, Error{kUsage} for more runs beside it than a picture has.
  explicit Dashboard(DashboardOptions options);

  // Ends it at once.
  ~Dashboard();
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

  // "http://127.0.0.1:40123/#learning?token=5f1c..."
  [[nodiscard]] std::string link() const;

  // As TrainObserver has them. A plan that begins with step 0 forgets the run before; one that resumes a run goes on
  // with what is known of it.
  void plan(const TrainPlan& plan);
  void step(const StepReport& report);
  void sample(std::int64_t step, std::string_view text);
  void note(std::string_view text);

  // What a log has of a run that was resumed.
  void earlier(const LoggedRun& run);

  // Whether the page asked for it since the run last began.
  [[nodiscard]] bool stop_requested() const noexcept;

  // The run is saved. Waits until the page asks to continue (true), or give_up(), asked ten times a second, says so.
  [[nodiscard]] bool wait_for_continue(const std::function<bool()>& give_up);

  // The run has ended, with this error, or well where it is empty. Where a page asked within the last seconds, waits up
  // to three seconds until it knows.
  void end(std::string_view failure);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
