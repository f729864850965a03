// Writes n-grams as an ARPA file.
#pragma once

#include <string>

#include "ngram/ngram_table.h"

namespace unroll {

// Returns the bytes of an ARPA file that read_arpa() reads as exactly this table. Back-off weights are written for
// n-grams that are contexts of others.
[[nodiscard]] std::string as_arpa(const NgramTable& table);

}  // namespace unroll
