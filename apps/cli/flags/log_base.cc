#include "cli/flags/log_base.h"

#include <numbers>

namespace unroll {

double in_base(double nats, LogBase base) {
  switch (base) {
    case LogBase::kE:
      return nats + 0.0;
    case LogBase::k2:
      return nats / std::numbers::ln2 + 0.0;
    case LogBase::k10:
      return nats / std::numbers::ln10 + 0.0;
  }
  return nats;
}

std::string_view base_words(LogBase base) {
  switch (base) {
    case LogBase::kE:
      return "e (nats)";
    case LogBase::k2:
      return "2 (bits)";
    case LogBase::k10:
      return "10";
  }
  return "";
}

}  // namespace unroll
