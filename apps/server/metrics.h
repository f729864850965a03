// Counts what the server does, for Prometheus.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/call.h"
#include "server/models/models.h"

namespace unroll {

// For any number of threads.
class Metrics {
 public:
  void count(const CallRecord& record);

  // All of it in the text format of Prometheus, version 0.0.4: base units, counters that end in _total.
  [[nodiscard]] std::string text(const std::vector<std::shared_ptr<ServedModel>>& models,
                                 std::int64_t connections) const;

 private:
  // How many values are at most each bound.
  struct Histogram {
    static constexpr std::array<double, 12> kBounds{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300};
    std::array<std::int64_t, kBounds.size()> within{};
    std::int64_t count = 0;
    double sum = 0;

    void add(double value);
    [[nodiscard]] std::string text(const std::string& name) const;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::int64_t> requests_;  // by route and status
  std::int64_t prompt_tokens_ = 0;
  std::int64_t completion_tokens_ = 0;
  Histogram seconds_;
  Histogram first_seconds_;
};

}  // namespace unroll
