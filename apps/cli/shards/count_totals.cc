#include "cli/shards/count_totals.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/streams/quantities.h"
#include "json/json_text.h"

namespace unroll {
namespace {

class CountTotals final : public UnitTotals {
 public:
  CountTotals(std::string unit, std::vector<std::string> names)
      : unit_(std::move(unit)), names_(std::move(names)), sums_(names_.size()) {}

  void add(const UnitSums& unit) override {
    expect_sums(unit, 0, names_.size());
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += unit.counts[i];
    ++units_;
  }

  [[nodiscard]] std::string report(bool json) const override {
    nlohmann::ordered_json object;
    std::string rows;
    const auto put = [&](const std::string& name, std::int64_t count) {
      std::string key = name;
      std::ranges::replace(key, ' ', '_');
      object[key] = count;
      rows += fmt::format("{:<21} {}\n", name, grouped(count));
    };
    put(unit_, units_);
    for (std::size_t i = 0; i < sums_.size(); ++i) put(names_[i], sums_[i]);
    return json ? json_line(object) : rows;
  }

 private:
  std::string unit_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> sums_;
  std::int64_t units_ = 0;
};

}  // namespace

std::string count_parameters(const std::string& unit, const std::vector<std::string>& counts) {
  return nlohmann::ordered_json{{"unit", unit}, {"counts", counts}}.dump();
}

std::unique_ptr<UnitTotals> count_totals(const std::string& parameters) {
  const auto json = nlohmann::ordered_json::parse(parameters);
  return std::make_unique<CountTotals>(json.at("unit"), json.at("counts"));
}

}  // namespace unroll
