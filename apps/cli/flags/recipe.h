// Recipes: values of train's flags in a TOML file, with what they reproduce and what to expect of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flags/flags.h"

namespace unroll {

// A recipe file, read. Its keys are flags of train without their dashes; the table [about] is for people.
struct Recipe {
  std::string name;     // what the file is called, without .toml
  std::string text;     // the file as it is
  std::string summary;  // [about]: one sentence
  std::string data;     // the text that it is for
  std::string result;   // what comes out
  std::string source;   // whose settings they are
  std::optional<double> minutes;
  std::vector<PresetFlag> flags;  // in the order of the file
};

// Reads the text of a recipe. `place` is what errors call the file. Throws Error{kUsage} with line and column where it
// is no TOML, has a value of another kind than text, number, true or false, or an unknown key in [about]. Which flags
// there are, and their ranges, is known to Flags alone.
[[nodiscard]] Recipe parse_recipe(const std::string& name, const std::string& place, std::string_view text);

// The recipes in the program (recipes/ of its source), by name.
[[nodiscard]] std::vector<Recipe> built_in_recipes();

// The recipe in the program that is called `name`, or the file where `name` ends in .toml. Throws Error{kUsage} where
// there is no such recipe, Error{kFile} where a file cannot be read, and as parse_recipe does.
[[nodiscard]] Recipe find_recipe(const std::string& name);

}  // namespace unroll
