// Settings of training as a model file records them, for people.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// The value of an option by its name in the record. Where that left the choice to the trainer, what that means: "all"
// for a vocab-size of 0.
[[nodiscard]] std::string shown_setting(std::string_view name, const std::string& value);

}  // namespace unroll
