#include <fmt/core.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/quote.h"
#include "data/message_parts.h"
#include "data/text_collector.h"
#include "model/strict_json.h"
#include "text/lines.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostValuesOfAnObject = 1'000'000;

// One line of a file.
struct JsonLine {
  const Json& object;
  std::string where;
  std::int64_t number = 0;

  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorCode::kInput, fmt::format("{}: {}", where, why));
  }

  // The value of a key that must be there. `field`: of the options that names it.
  [[nodiscard]] const Json& at(const std::string& key, std::string_view field) const {
    if (const auto found = object.find(key); found != object.end()) return *found;
    std::vector<std::string> keys;
    for (const auto& [name, value] : object.items()) keys.push_back(name);
    refuse(fmt::format("there is no key {} (`{}`): the object has {}", quote(key), field,
                       keys.empty() ? "none" : quoted_list(keys)));
  }
};

void add_label(const Json& value, const JsonLine& line, TextCollector& collector) {
  if (value.is_string()) return collector.label(value.get_ref<const std::string&>(), line.number);
  if (value.is_number() || value.is_boolean()) return collector.label(value.dump(), line.number);
  line.refuse(fmt::format("the label is {}: expected a string, a number or a list of them",
                          value.is_null() ? "null within a list" : value.type_name()));
}

void add_labels(const Json& value, const JsonLine& line, TextCollector& collector) {
  if (value.is_null()) return;
  if (value.is_string() && trimmed(value.get_ref<const std::string&>()).empty()) return;
  if (!value.is_array()) return add_label(value, line, collector);
  for (const Json& label : value) add_label(label, line, collector);
}

double weight_of_json(const Json& value, const JsonLine& line) {
  if (!value.is_number() && !value.is_string()) {
    line.refuse(fmt::format("the weight is {}: expected a number of at least 0 (`weight_column`)", value.type_name()));
  }
  return weight_of(value.is_string() ? value.get<std::string>() : value.dump(), line.where);
}

void add_object(const JsonLine& line, TextCollector& collector) {
  const LabelledTextOptions& options = collector.options();
  const Json& text = line.at(options.text_column, "text_column");
  if (!text.is_string()) {
    line.refuse(fmt::format("the text ({}) is {}: expected a string", quote(options.text_column), text.type_name()));
  }
  const std::string& label = options.label_column;
  if (options.labels_needed || (!label.empty() && line.object.contains(label))) {
    add_labels(line.at(label, "label_column"), line, collector);
  }
  double weight = 1;
  if (!options.weight_column.empty()) weight = weight_of_json(line.at(options.weight_column, "weight_column"), line);
  collector.add(text.get<std::string>(), weight, line.number);
}

}  // namespace

void read_json_lines(const TextFile& file, TextCollector& collector) {
  std::int64_t number = 0;
  for_each_line(file.text(), [&](std::string_view line, std::int64_t /*at*/, bool /*whole*/) {
    ++number;
    line = trimmed(line);
    if (line.empty()) return collector.skip_blank_line();
    const std::string where = line_place(file.path(), number);
    if (!line.starts_with('{')) {
      throw Error(ErrorCode::kInput,
                  fmt::format("{}: expected a JSON object, on one line{}", where,
                              line.starts_with('[') ? "; of a list, write each object on a line of its own" : ""));
    }
    const Json object = parse_json(line, kMostValuesOfAnObject, where, ErrorCode::kInput);
    add_object({object, where, number}, collector);
  });
}

}  // namespace unroll
