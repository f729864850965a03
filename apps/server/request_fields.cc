#include "server/request_fields.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "server/api_error.h"

namespace unroll {
namespace {

constexpr int kMostLevels = 16;
constexpr std::size_t kShownBytes = 60;

// Builds the value within the limits.
class LimitedParse {
 public:
  explicit LimitedParse(std::int64_t most_values) : most_values_(most_values) {}

  nlohmann::json run(const std::string& body) {
    using Event = nlohmann::json::parse_event_t;
    try {
      return nlohmann::json::parse(body, [this](int depth, Event event, nlohmann::json& parsed) {
        const auto level = static_cast<std::size_t>(depth);
        if (depth >= kMostLevels) throw ApiError(400, fmt::format("the body nests deeper than {} levels", kMostLevels));
        if (++values_ > most_values_) throw ApiError(400, "the body has more values than this server reads at once");
        if (event == Event::object_start) keys_.at(level + 1).clear();
        if (event == Event::key && !keys_.at(level).insert(parsed.get_ref<const std::string&>()).second) {
          throw ApiError(400, "the body has a key twice in one object", parsed.get<std::string>());
        }
        return true;
      });
    } catch (const nlohmann::json::exception& error) {
      const std::string_view words(error.what());
      throw ApiError(400, fmt::format("the body is not JSON: {}", words.substr(words.find("] ") + 2)));
    }
  }

 private:
  std::int64_t most_values_;
  std::int64_t values_ = 0;
  std::vector<std::set<std::string>> keys_{kMostLevels + 2};
};

}  // namespace

void refuse_field(const std::string& key, const nlohmann::json& value, std::string_view expected) {
  std::string shown = value.is_structured() ? std::string(value.is_array() ? "a list" : "an object")
                                            : value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (shown.size() > kShownBytes) shown = shown.substr(0, kShownBytes) + "...";
  throw ApiError(400, fmt::format("`{}` is {}: expected {}", key, shown, expected), key);
}

std::vector<std::int32_t> read_ids(const std::string& key, const nlohmann::json& list) {
  std::vector<std::int32_t> ids;
  for (const nlohmann::json& id : list) {
    if (!id.is_number_integer() || id.get<double>() < 0 || id.get<double>() > 2147483647) {
      refuse_field(key, id, "ids, whole numbers from 0 on");
    }
    ids.push_back(id.get<std::int32_t>());
  }
  return ids;
}

RequestFields::RequestFields(const std::string& body, std::int64_t most_values) {
  if (body.empty()) throw ApiError(400, "the body is empty: expected a JSON object");
  object_ = LimitedParse(most_values).run(body);
  if (!object_.is_object()) throw ApiError(400, "the body is not a JSON object");
}

const nlohmann::json* RequestFields::find(const std::string& key) {
  known_.insert(key);
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> RequestFields::text(const std::string& key) {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse_field(key, *value, "a string");
  return value->get<std::string>();
}

bool RequestFields::truth(const std::string& key, bool otherwise) {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) refuse_field(key, *value, "true or false");
  return value->get<bool>();
}

std::optional<std::int64_t> RequestFields::whole(const std::string& key, std::int64_t least, std::int64_t most) {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return std::nullopt;
  const NumberRange range{static_cast<double>(least), static_cast<double>(most)};
  // Some clients write 16 as 16.0.
  const double number = value->is_number() ? value->get<double>() : std::numeric_limits<double>::quiet_NaN();
  if (!contains(range, number) || std::trunc(number) != number) refuse_field(key, *value, describe(range, true));
  return static_cast<std::int64_t>(number);
}

double RequestFields::number(const std::string& key, double otherwise, NumberRange range) {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_number() || !contains(range, value->get<double>())) {
    refuse_field(key, *value, describe(range, false));
  }
  return value->get<double>();
}

std::vector<std::string> RequestFields::texts(const std::string& key) {
  const nlohmann::json* const value = find(key);
  if (value == nullptr) return {};
  if (value->is_string()) return {value->get<std::string>()};
  if (!value->is_array()) refuse_field(key, *value, "a string or a list of strings");
  std::vector<std::string> texts;
  for (const nlohmann::json& text : *value) {
    if (!text.is_string()) refuse_field(key, text, "a string or a list of strings");
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::vector<std::string> RequestFields::ignored() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : object_.items()) {
    if (!known_.contains(key) && !value.is_null()) names.push_back(key);
  }
  return names;
}

}  // namespace unroll
