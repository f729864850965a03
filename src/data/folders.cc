#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/file_path.h"
#include "base/quote.h"
#include "data/text_collector.h"
#include "text/lines.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;

// What is in a folder, without what is hidden, in the order of the names.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code fault;
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(folder, fault); !fault && entry != fs::directory_iterator();
       entry.increment(fault)) {
    if (!entry->path().filename().string().starts_with('.')) entries.push_back(entry->path());
  }
  if (fault) fail_on_file("read", folder.string(), fault.value());
  std::ranges::sort(entries);
  return entries;
}

std::string text_of_file(const std::string& path, TextEncoding encoding) {
  const TextFile file(path, encoding);
  std::string_view text = file.text();
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return std::string(text);
}

// The name of a file or folder as a label.
std::string checked_label(const fs::path& name) {
  if (find_invalid_utf8(name.string()) == std::string::npos) return name.string();
  throw Error(ErrorCode::kInput,
              fmt::format("the name {} is not UTF-8, and cannot be a label: rename it", quote(name.string())));
}

// "names/Irish.txt.gz": "Irish".
std::string label_of_file(fs::path path) {
  path = path.filename();
  if (path.extension() == ".gz") path = path.stem();
  return checked_label(path.stem());
}

}  // namespace

void read_label_folders(const std::string& path, TextCollector& collector) {
  for (const fs::path& folder : entries_of(path)) {
    if (!fs::is_directory(folder)) continue;
    const std::string label = checked_label(folder.filename());
    for (const fs::path& file : entries_of(folder)) {
      if (fs::is_directory(file)) {
        throw Error(ErrorCode::kInput,
                    fmt::format("'{}' is a folder: the folder of a label holds files, a text each; give the folder "
                                "that holds the folders of the labels",
                                file.string()));
      }
      collector.begin_file(file.string());
      collector.label(label, 0);
      collector.add(text_of_file(file.string(), collector.options().encoding), 1, 0);
    }
  }
}

void read_label_files(const std::string& path, TextCollector& collector) {
  for (const fs::path& entry : entries_of(path)) {
    if (fs::is_directory(entry)) continue;
    const TextFile file(entry.string(), collector.options().encoding);
    collector.begin_file(file.path());
    const std::string label = label_of_file(entry);
    std::int64_t number = 0;
    for_each_line(file.text(), [&](std::string_view line, std::int64_t /*at*/, bool /*whole*/) {
      ++number;
      line = without_carriage_return(line);
      if (trimmed(line).empty()) return collector.skip_blank_line();
      collector.label(label, number);
      collector.add(std::string(line), 1, number);
    });
  }
}

}  // namespace unroll
