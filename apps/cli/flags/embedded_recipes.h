// The files of recipes/, built into the program.
#pragma once

#include <span>
#include <string_view>

namespace unroll {

struct EmbeddedRecipe {
  std::string_view name;  // of the file, without .toml
  std::string_view text;
};

// By name. Defined in a file that cmake/embed_recipes.cmake writes.
[[nodiscard]] std::span<const EmbeddedRecipe> embedded_recipes() noexcept;

}  // namespace unroll
