#include "model/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <new>

namespace unroll {

struct Checksum::State {
  State() : sum(XXH64_createState(), XXH64_freeState) {
    if (!sum) throw std::bad_alloc();
    XXH64_reset(sum.get(), 0);
  }

  std::unique_ptr<XXH64_state_t, XXH_errorcode (*)(XXH64_state_t*)> sum;
};

Checksum::Checksum() : state_(std::make_unique<State>()) {}
Checksum::~Checksum() = default;

void Checksum::add(std::string_view bytes) { XXH64_update(state_->sum.get(), bytes.data(), bytes.size()); }

std::uint64_t Checksum::number() const { return XXH64_digest(state_->sum.get()); }

std::string Checksum::digits() const { return fmt::format("{:016x}", number()); }

}  // namespace unroll
