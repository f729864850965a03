#include "export/description.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/quote.h"
#include "model/model_file.h"
#include "model/strict_json.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Symbols, points of the history and settings of any model; fewer than the text has bytes.
constexpr std::int64_t kMostDescribedValues = std::int64_t{1} << 25;

// The values that are text. The others are JSON already.
constexpr std::array<std::string_view, 2> kPlainKeys{"format", "precision"};

bool is_plain(std::string_view key) { return std::ranges::find(kPlainKeys, key) != kPlainKeys.end(); }

}  // namespace

std::string description_of(const Model& model) {
  std::string text;
  for (const auto& [key, value] :
       model_file_metadata(model.config(), model.tokenizer(), model.training(), model.data().use, Precision::kF32)) {
    text += text.empty() ? "{" : ",";
    text += fmt::format("{}:{}", write_json(key), is_plain(key) ? write_json(value) : value);
  }
  return text + "}";
}

std::map<std::string, std::string> metadata_from_description(const std::string& text, const std::string& where) {
  const Json object = parse_json(text, kMostDescribedValues, where);
  const JsonFields fields(object, where, {"config", "format", "history", "tokenizer", "training"},
                          {"policy", "precision", "task"});
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : object.items()) {
    metadata[key] = is_plain(key) ? fields.string(key) : write_json(value);
  }
  const std::string& format = metadata.at("format");
  if (format != kModelFormat && format != kPolicyModelFormat) {
    throw Error(ErrorCode::kFormat, fmt::format("{} has the format {}: expected {} or {}; a newer version of unroll "
                                                "may read it",
                                                where, quote(format), kModelFormat, kPolicyModelFormat));
  }
  return metadata;
}

}  // namespace unroll
