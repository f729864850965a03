// Writing n-grams as an ARPA file.
#pragma once

#include <string>

#include "ngram/ngram_table.h"

namespace unroll {

// The bytes of an ARPA file that read_arpa() reads as this table, number for number. Back-off weights stand where there
// is something to back off from.
[[nodiscard]] std::string as_arpa(const NgramTable& table);

}  // namespace unroll
