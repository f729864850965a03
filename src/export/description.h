// What an exported file says beside its weights: the metadata of a model file (docs/format.md), as one JSON object.
//
//   {"config":{...},"format":"unroll/1","history":[...],"tokenizer":{...},"training":{...}}
#pragma once

#include <map>
#include <string>

#include "unroll/model.h"

namespace unroll {

// Of the model with weights of f32.
[[nodiscard]] std::string description_of(const Model& model);

// The metadata of the model file. `where` begins messages: "'x.pt': its description". Throws Error{kFormat} for what is
// not such an object.
[[nodiscard]] std::map<std::string, std::string> metadata_from_description(const std::string& text,
                                                                           const std::string& where);

}  // namespace unroll
