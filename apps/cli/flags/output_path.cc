#include "cli/flags/output_path.h"

#include <fmt/core.h>

#include <filesystem>

#include "unroll/error.h"
#include "unroll/paths.h"

namespace unroll {

void expect_no_input(const std::string& flag, const std::string& path, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    if (input.empty() || !same_file(input, path)) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("{} {} would replace '{}', which is read: give another path", flag, path, input));
  }
}

void expect_output(const std::string& flag, const std::string& path, const std::vector<std::string>& inputs,
                   bool overwrite) {
  if (path == "-") {
    throw Error(ErrorCode::kUsage, fmt::format("{} takes the path of a file, not standard output", flag));
  }
  expect_no_input(flag, path, inputs);
  std::error_code unknown;
  if (!overwrite && std::filesystem::exists(path, unknown)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("'{}' exists: give --overwrite to replace it, or another {}", path, flag));
  }
  expect_writable(path);
}

}  // namespace unroll
