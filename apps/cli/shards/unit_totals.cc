#include "cli/shards/unit_totals.h"

#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>

#include "cli/shards/count_totals.h"
#include "cli/shards/error_totals.h"
#include "cli/shards/eval_totals.h"
#include "cli/shards/label_totals.h"
#include "cli/shards/score_totals.h"
#include "cli/shards/tag_totals.h"
#include "unroll/error.h"

namespace unroll {
namespace {

struct TotalsKind {
  std::string_view verb;
  std::unique_ptr<UnitTotals> (*make)(const std::string& parameters);
};

constexpr std::array kTotalsKinds{
    TotalsKind{"score", score_totals},
    TotalsKind{"score --words", count_totals},
    TotalsKind{"classify", count_totals},
    TotalsKind{"tag", count_totals},
    TotalsKind{"features", count_totals},
    TotalsKind{"rescore", count_totals},
    TotalsKind{"rescore --references", error_totals},
    TotalsKind{"eval", eval_totals},
    TotalsKind{"eval classify", label_totals},
    TotalsKind{"eval tag", tag_totals},
};

}  // namespace

std::string UnitTotals::tail(bool) const { return ""; }

void expect_sums(const UnitSums& unit, std::size_t reals, std::size_t counts) {
  if (unit.reals.size() == reals && unit.counts.size() == counts) return;
  throw Error(ErrorCode::kFormat, fmt::format("{} and {} numbers for a unit: expected {} and {}", unit.reals.size(),
                                              unit.counts.size(), reals, counts));
}

std::unique_ptr<UnitTotals> totals_of(const std::string& verb, const std::string& parameters) {
  for (const TotalsKind& kind : kTotalsKinds) {
    if (kind.verb != verb) continue;
    try {
      return kind.make(parameters);
    } catch (const nlohmann::json::exception&) {
      throw Error(ErrorCode::kFormat, fmt::format("`parameters` are not those of {}", verb));
    }
  }
  throw Error(ErrorCode::kFormat, fmt::format("this version of unroll does not know shards of \"{}\"", verb));
}

}  // namespace unroll
