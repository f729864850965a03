#include "cli/flags/recipe.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <variant>

#include "cli/flags/nearest.h"
#include "cli/flags/toml.h"
#include "embedded/embedded_files.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::string_view kFolder = "recipes/";
constexpr std::string_view kSuffix = ".toml";
constexpr std::string_view kAbout = "about";

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw Error(ErrorCode::kUsage, fmt::format("{}: {}", place, what));
}

double minutes_of(const TomlEntry& entry) {
  double minutes = 0;
  if (const double* const real = std::get_if<double>(&entry.value)) minutes = *real;
  if (const std::int64_t* const whole = std::get_if<std::int64_t>(&entry.value)) minutes = static_cast<double>(*whole);
  if (minutes > 0 && minutes < 1e6) return minutes;
  refuse(entry.place, "minutes in [about] takes a number above 0, below a million");
}

void read_about(const TomlTable& about, Recipe* recipe) {
  const std::array<std::pair<std::string_view, std::string*>, 4> texts{{{"summary", &recipe->summary},
                                                                        {"data", &recipe->data},
                                                                        {"result", &recipe->result},
                                                                        {"source", &recipe->source}}};
  for (const TomlEntry& entry : about) {
    if (entry.key == "minutes") {
      recipe->minutes = minutes_of(entry);
      continue;
    }
    const auto text = std::find_if(texts.begin(), texts.end(), [&](const auto& t) { return t.first == entry.key; });
    if (text == texts.end()) {
      refuse(entry.place,
             fmt::format("unknown key {} in [about]: expected summary, data, result, source or minutes", entry.key));
    }
    const std::string* const value = std::get_if<std::string>(&entry.value);
    if (value == nullptr) refuse(entry.place, fmt::format("{} in [about] takes a text in quotes", entry.key));
    *text->second = *value;
  }
}

PresetFlag read_flag(const TomlEntry& entry) {
  PresetFlag flag{.name = entry.key, .value = false, .place = entry.place};
  const auto refuse_kind = [&](std::string_view kind) {
    refuse(entry.place,
           fmt::format("{} is a {}: expected the value of a flag of train, or the table [about]", entry.key, kind));
  };
  std::visit(
      [&](const auto& value) {
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, TomlTable>) {
          refuse_kind("table");
        } else if constexpr (std::is_same_v<Value, TomlList>) {
          refuse_kind("list");
        } else if constexpr (std::is_same_v<Value, TomlDate>) {
          refuse_kind("date or time");
        } else {
          flag.value = value;
        }
      },
      entry.value);
  return flag;
}

// Recipes are small; a larger file is something else.
std::string read_file(const std::string& path) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) {
    throw Error(ErrorCode::kFile, fmt::format("{} is a folder: --recipe takes a file", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::kFile, fmt::format("cannot open the recipe {}: {}", path, std::strerror(errno)));
  std::string text(kMost + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw Error(ErrorCode::kFile, fmt::format("cannot read the recipe {}", path));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMost)
    throw Error(ErrorCode::kUsage, fmt::format("{} is not a recipe: it is larger than 1 MiB", path));
  return text;
}

std::string embedded_name(const EmbeddedFile& recipe) { return std::filesystem::path(recipe.path).stem().string(); }

Recipe parse_embedded(const EmbeddedFile& recipe) {
  return parse_recipe(embedded_name(recipe), std::string(recipe.path), recipe.bytes);
}

}  // namespace

Recipe parse_recipe(const std::string& name, const std::string& place, std::string_view text) {
  Recipe recipe{.name = name,
                .text = std::string(text),
                .summary = {},
                .data = {},
                .result = {},
                .source = {},
                .minutes = {},
                .flags = {}};
  for (const TomlEntry& entry : parse_toml(text, place)) {
    const TomlTable* const table = std::get_if<TomlTable>(&entry.value);
    if (entry.key == kAbout && table != nullptr) {
      read_about(*table, &recipe);
    } else {
      recipe.flags.push_back(read_flag(entry));
    }
  }
  return recipe;
}

std::vector<Recipe> built_in_recipes() {
  std::vector<Recipe> recipes;
  for (const EmbeddedFile& recipe : embedded_files_in(kFolder)) recipes.push_back(parse_embedded(recipe));
  return recipes;
}

bool is_recipe_file(const std::string& name) { return name.ends_with(kSuffix); }

Recipe find_recipe(const std::string& name) {
  if (is_recipe_file(name)) {
    return parse_recipe(std::filesystem::path(name).stem().string(), name,
                        without_byte_order_mark({read_file(name), name}));
  }
  std::vector<std::string> names;
  for (const EmbeddedFile& recipe : embedded_files_in(kFolder)) {
    if (embedded_name(recipe) == name) return parse_embedded(recipe);
    names.push_back(embedded_name(recipe));
  }
  const std::string near = nearest(name, names);
  throw Error(ErrorCode::kUsage,
              fmt::format("unknown recipe \"{}\"{} (a file of yours ends in .toml)", name,
                          near.empty() ? "; unroll recipes lists them" : fmt::format("; did you mean {}?", near)));
}

}  // namespace unroll
