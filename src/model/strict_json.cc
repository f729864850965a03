#include "model/strict_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kDeepest = 8;
constexpr std::size_t kMostKeys = 256;

// A first pass that builds nothing. (The library's callbacks while building search the whole enclosing array after each
// object, which takes minutes for a long history.)
class Guard : public nlohmann::json_sax<Json> {
 public:
  Guard(std::int64_t most_values, const std::string& where, ErrorCode code)
      : values_left_(most_values), where_(where), code_(code) {}

  bool null() override { return count_value(); }
  bool boolean(bool /*value*/) override { return count_value(); }
  bool number_integer(number_integer_t /*value*/) override { return count_value(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return count_value(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return count_value(); }
  bool string(string_t& /*value*/) override { return count_value(); }
  bool binary(binary_t& /*value*/) override { return count_value(); }
  bool start_object(std::size_t /*size*/) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(); }
  bool end_array() override { return close(); }

  bool key(string_t& key) override {
    if (!keys_.back().insert(key).second) refuse(fmt::format("has the key {} twice", quote(key)));
    if (keys_.back().size() > kMostKeys) refuse(fmt::format("has an object of more than {} keys", kMostKeys));
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& error) override {
    // The only other error of the parser is a number that is out of range for a double.
    const bool syntax = dynamic_cast<const Json::parse_error*>(&error) != nullptr;
    refuse(fmt::format("{} at byte {}", syntax ? "is not valid JSON" : "has a number out of range", position));
  }

 private:
  bool count_value() {
    if (values_left_-- == 0) refuse("has more values than it can have");
    return true;
  }
  bool open() {
    if (keys_.size() == kDeepest) refuse(fmt::format("is nested more than {} levels deep", kDeepest));
    keys_.emplace_back();
    return count_value();
  }
  bool close() {
    keys_.pop_back();
    return true;
  }
  [[noreturn]] void refuse(const std::string& what) const { throw Error(code_, fmt::format("{} {}", where_, what)); }

  std::int64_t values_left_;
  const std::string& where_;
  ErrorCode code_;
  std::vector<std::set<std::string>> keys_;  // one set per open object or array
};

// nlohmann-json silently writes "null" for these.
void refuse_not_finite(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    throw Error(ErrorCode::kNumeric, "a number to be saved with the model is not finite");
  }
  if (!value.is_structured()) return;
  for (const Json& item : value) refuse_not_finite(item);
}

}  // namespace

Json parse_json(std::string_view text, std::int64_t most_values, const std::string& where, ErrorCode code) {
  // The parser takes a NUL for the end of the text and would ignore the rest.
  if (text.find('\0') != std::string_view::npos) {
    throw Error(code, fmt::format("{} is not valid JSON: it contains a NUL byte", where));
  }
  Guard guard(most_values, where, code);
  Json::sax_parse(text, &guard);
  return Json::parse(text);
}

std::string write_json(const Json& value) {
  refuse_not_finite(value);
  try {
    return value.dump();
  } catch (const Json::exception&) {
    throw Error(ErrorCode::kInput, "a string to be saved with the model is not valid UTF-8");
  }
}

JsonFields::JsonFields(const Json& object, const std::string& where, std::initializer_list<std::string_view> required,
                       std::initializer_list<std::string_view> optional)
    : object_(object), where_(where) {
  if (!object.is_object()) throw Error(ErrorCode::kFormat, fmt::format("{} is not a JSON object", where));
  for (const std::string_view key : required) {
    if (!has(key)) throw Error(ErrorCode::kFormat, fmt::format("{} lacks \"{}\"", where, key));
  }
  const auto among = [](std::initializer_list<std::string_view> keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (const auto& [key, value] : object.items()) {
    if (among(required, key) || among(optional, key)) continue;
    throw Error(ErrorCode::kFormat, fmt::format("{} has {}, which this version does not know", where, quote(key)));
  }
}

bool JsonFields::has(std::string_view key) const { return object_.contains(key); }

const Json& JsonFields::operator[](std::string_view key) const { return object_.at(std::string(key)); }

const Json& JsonFields::array(std::string_view key) const {
  const Json& value = (*this)[key];
  if (!value.is_array()) refuse(key, "an array");
  return value;
}

const Json& JsonFields::object(std::string_view key) const {
  const Json& value = (*this)[key];
  if (!value.is_object()) refuse(key, "an object");
  return value;
}

const std::string& JsonFields::string(std::string_view key) const {
  const Json& value = (*this)[key];
  if (!value.is_string()) refuse(key, "a string");
  return value.get_ref<const std::string&>();
}

bool JsonFields::boolean(std::string_view key) const {
  const Json& value = (*this)[key];
  if (!value.is_boolean()) refuse(key, "true or false");
  return value.get<bool>();
}

std::int64_t JsonFields::whole(std::string_view key) const {
  const Json& value = (*this)[key];
  if (!value.is_number_unsigned() || !std::in_range<std::int64_t>(value.get<std::uint64_t>())) {
    refuse(key, "a whole number from 0 to 2^63 - 1");
  }
  return value.get<std::int64_t>();
}

double JsonFields::number(std::string_view key) const {
  const Json& value = (*this)[key];
  if (!value.is_number()) refuse(key, "a number");
  return value.get<double>();
}

void JsonFields::refuse(std::string_view key, std::string_view expected) const {
  throw Error(ErrorCode::kFormat, fmt::format("{}: \"{}\" is not {}", where_, key, expected));
}

}  // namespace unroll
