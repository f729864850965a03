#include "server/api/request_fields.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "server/api_error.h"

namespace unroll {
namespace {

constexpr std::size_t kMostLevels = 16;
constexpr std::size_t kShownBytes = 60;
constexpr std::size_t kShownBytesOfError = 300;
constexpr std::size_t kShownFields = 20;

std::string shortened(std::string_view text, std::size_t most) {
  return text.size() <= most ? std::string(text) : std::string(text.substr(0, most)) + "...";
}

// Holds a text against the limits, before anything is built of it. (A parser that asks a callback about each value
// looks through the whole of a list again for each object in it.)
class LimitedText final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit LimitedText(std::int64_t most_values) : most_values_(most_values) {}

  bool null() override { return note(); }
  bool boolean(bool) override { return note(); }
  bool number_integer(std::int64_t) override { return note(); }
  bool number_unsigned(std::uint64_t) override { return note(); }
  bool number_float(double, const std::string&) override { return note(); }
  bool string(std::string&) override { return note(); }
  bool binary(nlohmann::json::binary_t&) override { return note(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }

  bool key(std::string& key) override {
    if (!keys_.at(levels_).insert(key).second) {
      throw ApiError(400, "the body has a key twice in one object", shortened(key, kShownBytes));
    }
    return note();
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    std::string_view words(error.what());
    words.remove_prefix(words.find("] ") + 2);
    throw ApiError(400, "the body is not JSON: " + shortened(words, kShownBytesOfError));
  }

 private:
  bool note() {
    if (++values_ > most_values_) throw ApiError(400, "the body has more values than this server reads at once");
    return true;
  }
  bool enter() {
    if (levels_ == kMostLevels) throw ApiError(400, fmt::format("the body nests deeper than {} levels", kMostLevels));
    keys_.at(++levels_).clear();
    return note();
  }
  bool leave() {
    --levels_;
    return note();
  }

  std::int64_t most_values_;
  std::int64_t values_ = 0;
  std::size_t levels_ = 0;
  std::array<std::set<std::string>, kMostLevels + 1> keys_;  // of the objects that are open
};

std::int64_t whole_within(const std::string& key, const nlohmann::json& value, const NumberRange& range) {
  // Some clients write 16 as 16.0.
  const double number = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
  if (!contains(range, number) || std::trunc(number) != number) refuse_field(key, value, describe(range, true));
  return static_cast<std::int64_t>(number);
}

}  // namespace

void refuse_field(const std::string& key, const nlohmann::json& value, std::string_view expected) {
  const std::string shown = value.is_structured() ? std::string(value.is_array() ? "a list" : "an object")
                                                  : value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  throw ApiError(400, fmt::format("`{}` is {}: expected {}", key, shortened(shown, kShownBytes), expected), key);
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
  LimitedText text(most_values);
  static_cast<void>(nlohmann::json::sax_parse(body, &text));
  object_ = nlohmann::json::parse(body);
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

std::string RequestFields::filled_text(const std::string& key) {
  std::optional<std::string> value = text(key);
  if (!value) throw ApiError(400, fmt::format("`{}` is missing: expected a string", key), key);
  if (value->empty()) refuse_field(key, *value, "a string that is not empty");
  return *std::move(value);
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
  return whole_within(key, *value, {static_cast<double>(least), static_cast<double>(most)});
}

std::vector<std::int64_t> RequestFields::wholes(const std::string& key, NumberRange range) {
  const nlohmann::json* const list = find(key);
  if (list == nullptr) return {};
  if (!list->is_array()) refuse_field(key, *list, "a list of whole numbers");
  std::vector<std::int64_t> numbers;
  for (const nlohmann::json& value : *list) numbers.push_back(whole_within(key, value, range));
  return numbers;
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
    if (names.size() == kShownFields) break;
    if (!known_.contains(key) && !value.is_null()) names.push_back(shortened(key, kShownBytes));
  }
  return names;
}

}  // namespace unroll
