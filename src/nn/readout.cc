#include "unroll/readout.h"

#include "base/names.h"

namespace unroll {
namespace {

constexpr std::string_view name_of_readout(Readout readout) noexcept {
  switch (readout) {
    case Readout::kSteps:
      return "steps";
    case Readout::kLast:
      return "last";
    case Readout::kMax:
      return "max";
    case Readout::kMean:
      return "mean";
    case Readout::kConcat:
      return "concat";
    case Readout::kAttention:
      return "attention";
  }
  return {};
}

}  // namespace

std::string_view readout_name(Readout readout) noexcept { return name_of_readout(readout); }
Readout parse_readout(std::string_view text) { return parse_name<Readout, name_of_readout>("readout", text); }

std::span<const Readout> all_readouts() noexcept { return kAllValues<Readout, name_of_readout>; }

std::int64_t readout_size(Readout readout, std::int64_t D) noexcept { return readout == Readout::kConcat ? 3 * D : D; }

}  // namespace unroll
