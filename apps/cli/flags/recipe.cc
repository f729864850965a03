#include "cli/flags/recipe.h"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "cli/flags/embedded_recipes.h"
#include "cli/flags/nearest.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kSuffix = ".toml";
constexpr std::string_view kAbout = "about";

[[noreturn]] void refuse(const std::string& place, const std::string& what) {
  throw Error(ErrorCode::kUsage, fmt::format("{}: {}", place, what));
}

std::string place_in(const std::string& file, const toml::source_position& position) {
  return fmt::format("{}:{}:{}", file, position.line, position.column);
}

// The entries of a table in the order of the file; the table itself is sorted by key.
std::vector<std::pair<const toml::key*, const toml::node*>> in_file_order(const toml::table& table) {
  std::vector<std::pair<const toml::key*, const toml::node*>> entries;
  for (const auto& [key, node] : table) entries.emplace_back(&key, &node);
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first->source().begin < b.first->source().begin; });
  return entries;
}

void read_about(const toml::table& about, const std::string& file, Recipe* recipe) {
  const std::array<std::pair<std::string_view, std::string*>, 4> texts{{{"summary", &recipe->summary},
                                                                        {"data", &recipe->data},
                                                                        {"result", &recipe->result},
                                                                        {"source", &recipe->source}}};
  for (const auto& [key, node] : in_file_order(about)) {
    const std::string place = place_in(file, key->source().begin);
    if (key->str() == "minutes") {
      recipe->minutes = node->value<double>();
      if (!recipe->minutes || !(*recipe->minutes > 0 && *recipe->minutes < 1e6)) {
        refuse(place, "minutes in [about] takes a number above 0, below a million");
      }
      continue;
    }
    const std::string_view name = key->str();
    const auto text = std::find_if(texts.begin(), texts.end(), [&](const auto& t) { return t.first == name; });
    if (text == texts.end()) {
      refuse(place,
             fmt::format("unknown key {} in [about]: expected summary, data, result, source or minutes", key->str()));
    }
    const auto value = node->value_exact<std::string>();
    if (!value) refuse(place, fmt::format("{} in [about] takes a text in quotes", key->str()));
    *text->second = *value;
  }
}

PresetFlag read_flag(const toml::key& key, const toml::node& node, const std::string& file) {
  PresetFlag flag{.name = std::string(key.str()), .value = false, .place = place_in(file, key.source().begin)};
  if (const auto truth = node.value_exact<bool>()) {
    flag.value = *truth;
  } else if (const auto whole = node.value_exact<std::int64_t>()) {
    flag.value = *whole;
  } else if (const auto real = node.value_exact<double>()) {
    flag.value = *real;
  } else if (const auto text = node.value_exact<std::string>()) {
    flag.value = *text;
  } else {
    refuse(flag.place, fmt::format("{} is a {}: expected the value of a flag of train, or the table [about]", flag.name,
                                   node.is_table()   ? "table"
                                   : node.is_array() ? "list"
                                                     : "date or time"));
  }
  return flag;
}

// A file that is meant to be a recipe is small; what is larger is something else.
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
    throw Error(ErrorCode::kUsage, fmt::format("{} is no recipe: it is larger than 1 MiB", path));
  return text;
}

Recipe parse_embedded(const EmbeddedRecipe& recipe) {
  const std::string name(recipe.name);
  return parse_recipe(name, fmt::format("recipes/{}{}", name, kSuffix), recipe.text);
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
  toml::table table;
  try {
    table = toml::parse(text, place);
  } catch (const toml::parse_error& error) {
    refuse(place_in(place, error.source().begin), fmt::format("this is no TOML: {}", error.description()));
  }
  for (const auto& [key, node] : in_file_order(table)) {
    if (key->str() == kAbout && node->is_table()) {
      read_about(*node->as_table(), place, &recipe);
    } else {
      recipe.flags.push_back(read_flag(*key, *node, place));
    }
  }
  return recipe;
}

std::vector<Recipe> built_in_recipes() {
  std::vector<Recipe> recipes;
  for (const EmbeddedRecipe& recipe : embedded_recipes()) recipes.push_back(parse_embedded(recipe));
  return recipes;
}

Recipe find_recipe(const std::string& name) {
  if (name.ends_with(kSuffix)) {
    return parse_recipe(std::filesystem::path(name).stem().string(), name, read_file(name));
  }
  std::vector<std::string> names;
  for (const EmbeddedRecipe& recipe : embedded_recipes()) {
    if (recipe.name == name) return parse_embedded(recipe);
    names.emplace_back(recipe.name);
  }
  const std::string near = nearest(name, names);
  throw Error(ErrorCode::kUsage,
              fmt::format("unknown recipe \"{}\"{} (a file of yours ends in .toml)", name,
                          near.empty() ? "; unroll recipes lists them" : fmt::format("; did you mean {}?", near)));
}

}  // namespace unroll
