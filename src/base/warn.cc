#include "base/warn.h"

#include <mutex>
#include <utility>

#include "unroll/warning.h"

namespace unroll {
namespace {

struct Warnings {
  std::mutex mutex;
  WarningHandler handler;
};

Warnings& warnings() {
  static Warnings warnings;
  return warnings;
}

}  // namespace

WarningHandler set_warning_handler(WarningHandler handler) {
  const std::lock_guard<std::mutex> lock(warnings().mutex);
  return std::exchange(warnings().handler, std::move(handler));
}

void warn(const std::string& message) {
  const std::lock_guard<std::mutex> lock(warnings().mutex);
  if (warnings().handler) warnings().handler(message);
}

}  // namespace unroll
