#include <fmt/core.h>

#include <map>

#include "model/strict_json.h"
#include "rescore/nbest_line.h"
#include "text/utf8.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostValuesOfALine = 100000;

// The end of the JSON string that begins at `at`.
std::size_t end_of_string(std::string_view bytes, std::size_t at) {
  for (++at; bytes[at] != '"'; ++at) {
    if (bytes[at] == '\\') ++at;
  }
  return at + 1;
}

// Where the values of an object stand, by the keys as they are written. Requires valid JSON.
std::map<std::string_view, NumberPlace> places_of_values(std::string_view bytes) {
  std::map<std::string_view, NumberPlace> places;
  std::string_view key;
  int depth = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const char c = bytes[at];
    if (c == '"') {
      const std::size_t end = end_of_string(bytes, at);
      if (depth == 1 && key.empty()) key = bytes.substr(at + 1, end - at - 2);
      at = end;
      continue;
    }
    depth += c == '{' || c == '[' ? 1 : 0;
    depth -= c == '}' || c == ']' ? 1 : 0;
    ++at;
    if (depth == 1 && c == ':') {
      while (is_ascii_space(bytes[at])) ++at;
      const std::size_t end = bytes.find_first_of(",}", at);  // of a number; other values are not replaced
      places[key] = {.first = at, .size = trimmed(bytes.substr(at, end - at)).size()};
    }
    if (depth == 1 && c == ',') key = {};
  }
  return places;
}

class ObjectLine {
 public:
  explicit ObjectLine(const NbestLine& line) : line_(line) {
    object_ = parse_json(line.bytes, kMostValuesOfALine,
                         fmt::format("{}, line {}, column 1: the line", line.file, line.number), ErrorCode::kInput);
    if (!object_.is_object()) line.refuse(0, "expected a JSON object");
    places_ = places_of_values(line.bytes);
  }

  [[nodiscard]] bool has(const std::string& key) const { return object_.contains(key); }

  [[nodiscard]] const Json& operator[](const std::string& key) const {
    if (!has(key)) line_.refuse(line_.bytes.size(), fmt::format("the key {} is missing", key));
    return object_[key];
  }

  [[nodiscard]] std::size_t column(const std::string& key) const { return written_place(key).first; }

  [[nodiscard]] double number(const std::string& key) const {
    if (!(*this)[key].is_number()) line_.refuse(column(key), fmt::format("{} is not a number", key));
    const double value = object_[key].get<double>();
    line_.check_size(column(key), value, key);
    return value;
  }

  // Where the number of a key stands, or would stand as the object's last one.
  [[nodiscard]] NumberPlace place(const std::string& key) const {
    if (has(key)) {
      static_cast<void>(number(key));
      return written_place(key);
    }
    return {.first = line_.bytes.rfind('}'), .before = fmt::format(",\"{}\":", key)};
  }

 private:
  [[nodiscard]] const NumberPlace& written_place(const std::string& key) const {
    const auto found = places_.find(key);
    if (found == places_.end())
      line_.refuse(0, fmt::format("the key {} is written with escapes: write it plainly", key));
    return found->second;
  }

  const NbestLine& line_;
  Json object_;
  std::map<std::string_view, NumberPlace> places_;
};

}  // namespace

void read_json(const NbestLine& line, std::string& id, Hypothesis& hypothesis) {
  const ObjectLine object(line);
  const Json& given = object["id"];
  const std::size_t id_at = object.column("id");
  if (!given.is_string() && !given.is_number_integer()) line.refuse(id_at, "id is neither text nor a whole number");
  id = given.is_string() ? given.get<std::string>() : given.dump();
  hypothesis.id_column = static_cast<std::int64_t>(id_at) + 1;
  if (id.empty()) line.refuse(id_at, "the id is empty");
  if (id.find('\n') != std::string::npos) line.refuse(id_at, "the id holds a line end");
  if (!object["text"].is_string()) line.refuse(object.column("text"), "text is not a string");
  hypothesis.text = object["text"].get<std::string>();
  if (hypothesis.text.find('\n') != std::string::npos) line.refuse(object.column("text"), "text holds a line end");
  hypothesis.text_column = static_cast<std::int64_t>(object.column("text")) + 1;
  hypothesis.words = count_words(hypothesis.text);
  if (object.has("score")) hypothesis.score = object.number("score");
  if (object.has("lscore")) hypothesis.lm_score = object.number("lscore");
  hypothesis.lm = object.place("lscore");
  hypothesis.total = object.place("total");
  if (object.has("rank")) hypothesis.rank = object.place("rank");
}

}  // namespace unroll
