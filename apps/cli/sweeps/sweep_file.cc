#include "cli/sweeps/sweep_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "cli/flags/toml.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kMostRuns = 100'000;
constexpr std::size_t kLongestName = 200;  // a file's name with its ending fits into 255 bytes

[[noreturn]] void refuse(const TomlEntry& entry, const std::string& what) {
  throw Error(ErrorCode::kUsage, fmt::format("{}: {}", entry.place, what));
}

// A flag of train with its value as the command line has it.
struct Setting {
  std::string flag;
  std::string value;
  bool is_toggle = false;
  std::string place;  // in the file
};
using Settings = std::vector<Setting>;

// A text: a run is printed as a line of a shell.
const std::string& line_of(const TomlEntry& entry) {
  const std::string& text = std::get<std::string>(entry.value);
  if (text.find('\n') == std::string::npos) return text;
  refuse(entry, "a value with a newline: each run is printed as a command on one line");
}

// A value of a key that many runs have: any but a list, a table or a date.
Setting setting_of(const std::string& key, const TomlEntry& entry) {
  const auto setting = [&](std::string value, bool is_toggle = false) {
    return Setting{.flag = key, .value = std::move(value), .is_toggle = is_toggle, .place = entry.place};
  };
  if (const bool* const truth = std::get_if<bool>(&entry.value)) return setting(*truth ? "true" : "false", true);
  if (const auto* const whole = std::get_if<std::int64_t>(&entry.value)) return setting(fmt::format("{}", *whole));
  if (const double* const real = std::get_if<double>(&entry.value)) return setting(fmt::format("{}", *real));
  if (std::holds_alternative<std::string>(entry.value)) return setting(line_of(entry));
  refuse(entry, fmt::format("{} takes a text, a number, true or false; several values of it belong into [grid]", key));
}

void expect_flag(const TomlEntry& entry) {
  if (entry.key == "dry-run" || entry.key == "dashboard") {
    refuse(entry,
           fmt::format("{} is no setting of a sweep, whose runs train, several at a time: give --{} to a command "
                       "that unroll sweep prints",
                       entry.key, entry.key));
  }
  constexpr std::array<std::string_view, 7> kOwn{"save", "log", "resume", "overwrite", "quiet", "auto", "help"};
  if (std::ranges::find(kOwn, entry.key) == kOwn.end()) return;
  refuse(entry, fmt::format("{} is no setting of a sweep: each run saves and continues FOLDER/NAME.safetensors, and "
                            "logs to FOLDER/NAME.jsonl",
                            entry.key));
}

std::string text_of(const TomlEntry& entry) {
  const std::string* const text = std::get_if<std::string>(&entry.value);
  if (text == nullptr || text->empty()) refuse(entry, "expected the path of a file, in quotes");
  return line_of(entry);
}

// The path of a file that each run reads.
std::string input_of(const TomlEntry& entry) {
  std::string path = text_of(entry);
  if (path == "-") refuse(entry, "standard input can be read by one run only: give the path of a file");
  return path;
}

std::vector<std::string> texts_of(const TomlEntry& entry) {
  const TomlList* const list = std::get_if<TomlList>(&entry.value);
  if (list == nullptr) return {input_of(entry)};
  std::vector<std::string> texts;
  for (const TomlEntry& item : list->values) texts.push_back(input_of(item));
  return texts;
}

const TomlTable& table_of(const TomlEntry& entry) {
  const TomlTable* const table = std::get_if<TomlTable>(&entry.value);
  if (table == nullptr) refuse(entry, fmt::format("{} is a table: write [{}]", entry.key, entry.key));
  return *table;
}

// What [[run]] says of one run.
struct ListedRun {
  std::string name;  // empty: none is given
  Settings settings;
};

// A sweep file as it stands.
struct Draft {
  std::vector<std::string> texts;
  std::optional<std::string> folder;
  Settings shared;
  std::vector<Settings> grid;  // of each key, its values
  std::vector<ListedRun> runs;
};

void read_grid(const TomlTable& table, Draft& draft) {
  for (const TomlEntry& entry : table) {
    expect_flag(entry);
    const TomlList* const list = std::get_if<TomlList>(&entry.value);
    if (list == nullptr || list->values.empty()) {
      refuse(entry, fmt::format("{} in [grid] takes a list of values, such as [1, 2, 3]", entry.key));
    }
    Settings& values = draft.grid.emplace_back();
    for (const TomlEntry& item : list->values) values.push_back(setting_of(entry.key, item));
  }
}

void read_runs(const TomlEntry& entry, Draft& draft) {
  const TomlList* const list = std::get_if<TomlList>(&entry.value);
  if (list == nullptr) refuse(entry, "runs are listed as [[run]], with two brackets");
  for (const TomlEntry& item : list->values) {
    const TomlTable* const table = std::get_if<TomlTable>(&item.value);
    if (table == nullptr) refuse(item, "runs are listed as [[run]], with two brackets");
    ListedRun& run = draft.runs.emplace_back();
    for (const TomlEntry& of_run : *table) {
      if (of_run.key == "name") {
        run.name = text_of(of_run);
        continue;
      }
      expect_flag(of_run);
      run.settings.push_back(setting_of(of_run.key, of_run));
    }
  }
}

// A key of the grid that settings of its runs have too would silently take their place.
void expect_apart(const Settings& settings, const std::string& where, const Draft& draft) {
  for (const Settings& of_grid : draft.grid) {
    const std::string& flag = of_grid.front().flag;
    const auto found = std::ranges::find(settings, flag, &Setting::flag);
    if (found == settings.end()) continue;
    throw Error(ErrorCode::kUsage, fmt::format("{}: {} is set {}, and in [grid] ({}) too: remove one of them",
                                               found->place, flag, where, of_grid.front().place));
  }
}

Draft read_draft(const TomlTable& file) {
  Draft draft;
  for (const TomlEntry& entry : file) {
    if (entry.key == "text") {
      draft.texts = texts_of(entry);
    } else if (entry.key == "folder") {
      draft.folder = text_of(entry);
    } else if (entry.key == "grid") {
      read_grid(table_of(entry), draft);
    } else if (entry.key == "run") {
      read_runs(entry, draft);
    } else {
      expect_flag(entry);
      draft.shared.push_back(setting_of(entry.key, entry));
    }
  }
  expect_apart(draft.shared, "for all runs", draft);
  for (const ListedRun& run : draft.runs) expect_apart(run.settings, "in [[run]]", draft);
  return draft;
}

// What a file may be called.
std::string plain_name(std::string name) {
  for (char& c : name) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          std::string_view("=,._+-").find(c) != std::string_view::npos;
    if (!is_plain) c = '_';
  }
  if (name.starts_with('.') || name.starts_with('-')) name.front() = '_';
  return name;
}

std::string name_of(const ListedRun& run, const Settings& of_grid) {
  std::string name = run.name;
  const auto add = [&name](const Setting& setting) {
    name += fmt::format("{}{}={}", name.empty() ? "" : ",", setting.flag, setting.value);
  };
  if (run.name.empty()) std::ranges::for_each(run.settings, add);
  std::ranges::for_each(of_grid, add);
  return plain_name(name.empty() ? "run" : name);
}

// Later settings of a flag stand in place of earlier ones.
void put(Settings& settings, const Settings& more) {
  for (const Setting& setting : more) {
    const auto found = std::ranges::find(settings, setting.flag, &Setting::flag);
    if (found == settings.end()) {
      settings.push_back(setting);
    } else {
      *found = setting;
    }
  }
}

SweptRun swept_run(const Draft& draft, const std::string& folder, const ListedRun& listed, const Settings& of_grid) {
  SweptRun run{.name = name_of(listed, of_grid), .arguments = draft.texts};
  Settings settings = draft.shared;
  put(settings, listed.settings);
  put(settings, of_grid);
  for (const Setting& setting : settings) {
    if (setting.is_toggle) {
      run.arguments.push_back(fmt::format("--{}{}", setting.flag, setting.value == "true" ? "" : "=false"));
    } else {
      run.arguments.push_back(fmt::format("--{}={}", setting.flag, setting.value));
    }
  }
  const std::string path = (std::filesystem::path(folder) / run.name).string();
  for (const std::string& own :
       {"--save=" + path + ".safetensors", "--log=" + path + ".jsonl", std::string("--resume")})
    run.arguments.push_back(own);
  return run;
}

// Combination number `number` of the grid, the last key changing fastest.
Settings combination(const std::vector<Settings>& grid, std::size_t number) {
  Settings settings(grid.size());
  for (std::size_t key = grid.size(); key-- > 0;) {
    settings[key] = grid[key][number % grid[key].size()];
    number /= grid[key].size();
  }
  return settings;
}

void expect_names_apart(const std::string& path, const std::vector<SweptRun>& runs) {
  std::map<std::string_view, std::size_t> numbers;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].name.size() > kLongestName) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{}: the name of run {} is longer than {} bytes: give its [[run]] a `name`", path, i + 1,
                              kLongestName));
    }
    const auto [at, is_new] = numbers.emplace(runs[i].name, i + 1);
    if (is_new) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("{}: runs {} and {} are both called {}: remove one, or give each [[run]] a `name`", path,
                            at->second, i + 1, runs[i].name));
  }
}

}  // namespace

Sweep parse_sweep(const std::string& path, std::string_view text) {
  Draft draft = read_draft(parse_toml(text, path));
  if (draft.texts.empty()) {
    throw Error(ErrorCode::kUsage, fmt::format("{}: which text? Give text = \"book.txt\", or a list of files", path));
  }
  if (draft.runs.empty()) draft.runs.emplace_back();
  std::size_t combinations = 1;
  for (const Settings& values : draft.grid) {
    combinations *= values.size();
    if (combinations * draft.runs.size() > kMostRuns) {
      throw Error(ErrorCode::kUsage, fmt::format("{}: expected at most {} runs", path, kMostRuns));
    }
  }
  Sweep sweep;
  sweep.folder = draft.folder.value_or(std::filesystem::path(path).replace_extension().string());
  for (const ListedRun& listed : draft.runs) {
    for (std::size_t i = 0; i < combinations; ++i) {
      sweep.runs.push_back(swept_run(draft, sweep.folder, listed, combination(draft.grid, i)));
    }
  }
  expect_names_apart(path, sweep.runs);
  return sweep;
}

}  // namespace unroll
