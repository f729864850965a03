// `unroll tokenize train`: learning a SentencePiece model.
#pragma once

#include <string>
#include <vector>

namespace unroll {

int run_tokenize_train(const std::vector<std::string>& arguments);

}  // namespace unroll
