// `data` of tagged words.
#pragma once

#include <string>
#include <vector>

namespace unroll {

// Whether the arguments of `data` are about tagged words: --task tag, --format columns or conllu, or a file that ends
// as CoNLL-U does.
[[nodiscard]] bool are_about_tags(const std::vector<std::string>& arguments);

int run_data_tags(const std::vector<std::string>& arguments);

}  // namespace unroll
