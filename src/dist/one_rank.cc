#include <cassert>

#include "unroll/ranks.h"

namespace unroll {
namespace {

// Has nobody to send to.
class OneRank final : public Ranks {
 public:
  [[nodiscard]] int rank() const noexcept override { return 0; }
  [[nodiscard]] int size() const noexcept override { return 1; }
  [[nodiscard]] std::string host(int) const override { return "this host"; }
  void progress() override {}
  void wait() override {}

 private:
  void start_send(int, std::span<const std::byte>) override { assert(false); }
  void start_receive(int, std::span<std::byte>) override { assert(false); }
};

}  // namespace

Ranks& one_rank() noexcept {
  static OneRank ranks;
  return ranks;
}

}  // namespace unroll
