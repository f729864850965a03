#include "cli/shards/side_file.h"

#include <fmt/core.h>

#include <bit>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "unroll/error.h"

namespace unroll {
namespace {

constexpr int kSideVersion = 1;

// Takes fields off the front of a line.
class SideFields {
 public:
  explicit SideFields(std::string_view line) : rest_(line) {}

  std::string_view word() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return field;
  }

  std::int64_t whole() { return number<std::int64_t>(word(), 10); }
  std::uint64_t bits() { return number<std::uint64_t>(word(), 16); }

  // Numbers with commas between them, "-" for none.
  template <class Number>
  std::vector<Number> list(int base) {
    std::vector<Number> numbers;
    std::string_view field = word();
    if (field == "-") return numbers;
    while (true) {
      const std::size_t comma = std::min(field.find(','), field.size());
      numbers.push_back(number<Number>(field.substr(0, comma), base));
      if (comma == field.size()) return numbers;
      field.remove_prefix(comma + 1);
    }
  }

  [[nodiscard]] bool read_all() const { return good_ && rest_.empty(); }

 private:
  template <class Number>
  Number number(std::string_view field, int base) {
    Number value = 0;
    const char* const end = field.data() + field.size();
    const auto [rest, failure] = std::from_chars(field.data(), end, value, base);
    good_ = good_ && failure == std::errc() && rest == end;
    return value;
  }

  std::string_view rest_;
  bool good_ = true;
};

UnitSums sums_of(SideFields& fields) {
  UnitSums sums;
  for (const std::uint64_t bits : fields.list<std::uint64_t>(16)) sums.reals.push_back(std::bit_cast<double>(bits));
  sums.counts = fields.list<std::int64_t>(10);
  return sums;
}

std::optional<SideLine> parse_side_line(std::string_view text) {
  SideFields fields(text);
  SideLine line;
  if (text.starts_with("head ")) {
    fields.word();
    line = SideHead{.bytes = fields.whole()};
  } else if (text.starts_with("mark ")) {
    fields.word();
    const std::int64_t bytes = fields.whole();
    line = SideMark{.bytes = bytes, .hash = fields.bits()};
  } else if (text.starts_with("end ")) {
    fields.word();
    SideEnd end{.units = fields.whole()};
    end.bytes = fields.whole();
    end.hash = fields.bits();
    end.tail = fields.whole();
    line = end;
  } else {
    SideUnit unit{.bytes = fields.whole()};
    unit.sums = sums_of(fields);
    line = std::move(unit);
  }
  if (!fields.read_all()) return std::nullopt;
  return line;
}

template <class Number>
std::string joined(const std::vector<Number>& numbers) {
  if (numbers.empty()) return "-";
  std::string text;
  for (const Number number : numbers) {
    if (!text.empty()) text += ',';
    if constexpr (std::is_same_v<Number, double>) {
      text += fmt::format("{:016x}", std::bit_cast<std::uint64_t>(number));
    } else {
      text += fmt::format("{}", number);
    }
  }
  return text;
}

std::string text_of(const SideHead& head) { return fmt::format("head {}\n", head.bytes); }
std::string text_of(const SideUnit& unit) {
  return fmt::format("{} {} {}\n", unit.bytes, joined(unit.sums.reals), joined(unit.sums.counts));
}
std::string text_of(const SideMark& mark) { return fmt::format("mark {} {:016x}\n", mark.bytes, mark.hash); }
std::string text_of(const SideEnd& end) {
  return fmt::format("end {} {} {:016x} {}\n", end.units, end.bytes, end.hash, end.tail);
}

ShardIdentity parse_identity(const std::string& line, const std::string& path) {
  const auto json = nlohmann::ordered_json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("unroll_shard")) {
    throw Error(ErrorCode::kFormat, fmt::format("'{}' is not the side file of a shard", path));
  }
  if (json["unroll_shard"] != kSideVersion) {
    throw Error(ErrorCode::kFormat, fmt::format("'{}' has format {} of side files, and this version of unroll reads "
                                                "format {}",
                                                path, json["unroll_shard"].dump(), kSideVersion));
  }
  try {
    return {.verb = json.at("verb"),
            .shard = {.number = json.at("shard"), .of = json.at("of")},
            .units = json.at("lines_of_all"),
            .text = json.at("text"),
            .models = json.at("models"),
            .options = json.at("options"),
            .version = json.at("version"),
            .instruction_set = json.at("instruction_set"),
            .json = json.at("json"),
            .parameters = json.at("parameters").dump()};
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kFormat, fmt::format("'{}', line 1: {}", path, error.what()));
  }
}

}  // namespace

std::string ShardIdentity::difference(const ShardIdentity& other, bool same_shard) const {
  if (verb != other.verb) return fmt::format("the verb ({}, not {})", other.verb, verb);
  if (models != other.models) return "the model";
  if (options != other.options || parameters != other.parameters) return "the options";
  if (text != other.text || units != other.units) return "the text";
  if (version != other.version) return fmt::format("the version of unroll ({}, not {})", other.version, version);
  if (shard.of != other.shard.of || (same_shard && shard.number != other.shard.number)) {
    return fmt::format("the shard ({}/{}, not {}/{})", other.shard.number, other.shard.of, shard.number, shard.of);
  }
  return "";
}

std::string side_path(const std::string& path) { return path + ".shard"; }

std::string identity_line(const ShardIdentity& identity) {
  const nlohmann::ordered_json json{
      {"unroll_shard", kSideVersion},   {"verb", identity.verb},
      {"shard", identity.shard.number}, {"of", identity.shard.of},
      {"lines_of_all", identity.units}, {"text", identity.text},
      {"models", identity.models},      {"options", identity.options},
      {"version", identity.version},    {"instruction_set", identity.instruction_set},
      {"json", identity.json},          {"parameters", nlohmann::ordered_json::parse(identity.parameters)}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

std::string side_line(const SideLine& line) {
  return std::visit([](const auto& of_kind) { return text_of(of_kind); }, line);
}

SideReader::SideReader(const std::string& path) : path_(path), reader_(path, TextCoding::kBytes) {
  std::string line;
  if (reader_.next(line) && reader_.line_was_whole()) {
    identity_ = parse_identity(line, path);
    bytes_ = std::ssize(line) + 1;
    lines_ = 1;
    return;
  }
  throw Error(ErrorCode::kFormat, fmt::format("'{}' is not the side file of a shard", path));
}

std::optional<SideLine> SideReader::next() {
  std::string text;
  if (!reader_.next(text) || !reader_.line_was_whole()) return std::nullopt;
  ++lines_;
  std::optional<SideLine> line = parse_side_line(text);
  if (!line) {
    throw Error(ErrorCode::kFormat,
                fmt::format("'{}', line {}: not a line of a side file: was it damaged? Make the shard "
                            "again with --overwrite",
                            path_, lines_));
  }
  bytes_ += std::ssize(text) + 1;
  return line;
}

}  // namespace unroll
