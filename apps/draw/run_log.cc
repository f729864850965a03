#include "draw/run_log.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "unroll/error.h"

namespace unroll {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse_log_line(const std::string& path, std::int64_t number) {
  throw Error(ErrorCode::kInput, fmt::format("{}: line {} is not a line of a training log, as unroll train --log FILE "
                                             "writes it",
                                             path, number));
}

// A number, or nothing where the field is missing. An infinite one is written as null.
std::optional<double> log_number(const Json& line, const char* field) {
  const auto found = line.find(field);
  if (found == line.end()) return std::nullopt;
  return found->is_null() ? std::numeric_limits<double>::infinity() : found->get<double>();
}

void add_line(const std::string& text, LoggedRun& run) {
  const Json line = Json::parse(text);
  const auto step = line.at("step").get<std::int64_t>();
  if (const auto sample = line.find("sample"); sample != line.end()) {
    run.samples.push_back({.step = step, .text = sample->get<std::string>()});
    return;
  }
  run.curves.add({.step = step,
                  .tokens = line.at("tokens").get<std::int64_t>(),
                  .nats_per_token = line.at("nats_per_token").get<double>(),
                  .lr = line.at("lr").get<double>(),
                  .grad_norm = line.at("grad_norm").get<double>(),
                  .tokens_per_s = log_number(line, "tokens_per_s").value_or(0),
                  .valid_nats_per_token = log_number(line, "valid_nats_per_token"),
                  .average_valid_nats_per_token = log_number(line, "average_valid_nats_per_token"),
                  .valid_accuracy = log_number(line, "valid_accuracy")});
}

}  // namespace

LoggedRun read_run_log(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code failure;
  if (!file || std::filesystem::is_directory(path, failure)) {
    throw Error(ErrorCode::kFile, fmt::format("cannot read the training log {}", path));
  }
  LoggedRun run{.name = std::filesystem::path(path).stem().string(), .curves = {}};
  std::string line;
  for (std::int64_t number = 1; std::getline(file, line); ++number) {
    if (file.eof()) break;
    try {
      add_line(line, run);
    } catch (const Json::exception&) {
      refuse_log_line(path, number);
    }
  }
  if (run.curves.bins().empty()) throw Error(ErrorCode::kInput, fmt::format("{}: the log has no step", path));
  return run;
}

}  // namespace unroll
