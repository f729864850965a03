// Totals over units, from their exact sums in the order of the input: one process and merged shards add the same
// numbers.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "cli/shards/side_file.h"

namespace unroll {

class UnitTotals {
 public:
  UnitTotals() = default;
  UnitTotals(const UnitTotals&) = delete;
  UnitTotals& operator=(const UnitTotals&) = delete;
  virtual ~UnitTotals() = default;

  // Takes the next unit. Throws Error{kFormat} for sums that a unit of this kind cannot have.
  virtual void add(const UnitSums& unit) = 0;

  // What stands after the last unit in the output; empty for most. `json`: as JSON, where there is such a form.
  [[nodiscard]] virtual std::string tail(bool json) const;

  // The totals in rows, or as one JSON object on a line; empty where the tail says it all.
  [[nodiscard]] virtual std::string report(bool json) const = 0;
};

// Throws Error{kFormat} for a unit with another number of sums.
void expect_sums(const UnitSums& unit, std::size_t reals, std::size_t counts);

// The totals of a verb. `parameters` is the JSON object that ShardIdentity has. Throws Error{kFormat} for a verb that
// is not known, and for parameters that this verb cannot have.
[[nodiscard]] std::unique_ptr<UnitTotals> totals_of(const std::string& verb, const std::string& parameters);

}  // namespace unroll
