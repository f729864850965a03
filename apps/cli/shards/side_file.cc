#include "cli/shards/side_file.h"

#include <fmt/core.h>

#include <bit>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

namespace unroll {
namespace {

constexpr int kSideVersion = 1;
constexpr std::string_view kIdentityStart = R"({"unroll_shard":)";

// A line after which all that stands before it is known to be what was written.
std::string sealed(std::string_view line, std::uint64_t before) {
  return fmt::format("{} {:016x}", line, fnv1a(before, line));
}

// The same of an object, whose last member is the hash. Requires an object with members.
std::string sealed_object(std::string_view object) {
  object.remove_suffix(1);
  return fmt::format(R"({},"hash":"{:016x}"}})", object, fnv1a(object));
}

bool is_sealed_object(std::string_view line) {
  const std::size_t last = line.rfind(R"(,"hash":")");
  return last != std::string_view::npos && line == sealed_object(std::string(line.substr(0, last)) + '}');
}

Error damaged(const std::string& path, std::int64_t line) {
  return {ErrorCode::kFormat, fmt::format("'{}' was damaged, in line {}{}: make that shard again with --overwrite",
                                          path, line, line == 1 ? "" : " or before it")};
}

Error no_side_file(const std::string& path) {
  return {ErrorCode::kFormat, fmt::format("'{}' is not the side file of a shard: if it was damaged, make that shard "
                                          "again with --overwrite",
                                          path)};
}

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
  if (!line.starts_with(kIdentityStart)) throw no_side_file(path);
  if (!is_sealed_object(line)) throw damaged(path, 1);
  const auto json = nlohmann::ordered_json::parse(line, nullptr, false);
  if (!json.is_object()) throw damaged(path, 1);
  if (json["unroll_shard"] != kSideVersion) {
    throw Error(ErrorCode::kFormat, fmt::format("'{}' has format {} of side files, and this version of unroll reads "
                                                "format {}: make all shards with one version",
                                                path, json["unroll_shard"].dump(), kSideVersion));
  }
  try {
    const Shard shard{.number = json.at("shard"), .of = json.at("of")};
    if (shard.number < 1 || shard.number > shard.of) throw damaged(path, 1);
    return {.verb = json.at("verb"),
            .shard = shard,
            .units = json.at("lines_of_all"),
            .text = json.at("text"),
            .models = json.at("models"),
            .options = json.at("options"),
            .version = json.at("version"),
            .instruction_set = json.at("instruction_set"),
            .json = json.at("json"),
            .parameters = json.at("parameters").dump()};
  } catch (const nlohmann::json::exception&) {
    throw damaged(path, 1);
  }
}

}  // namespace

std::string ShardIdentity::difference(const ShardIdentity& other, bool same_shard) const {
  if (verb != other.verb) return fmt::format("the verb ({}, not {})", other.verb, verb);
  if (models != other.models) return "the model";
  if (options != other.options || parameters != other.parameters) {
    return "the list of options, as given (a default that is written out counts),";
  }
  if (text != other.text || units != other.units) return "the text";
  if (version != other.version) return fmt::format("the version of unroll ({}, not {})", other.version, version);
  if (shard.of != other.shard.of || (same_shard && shard.number != other.shard.number)) {
    return fmt::format("the shard ({}/{}, not {}/{})", other.shard.number, other.shard.of, shard.number, shard.of);
  }
  return "";
}

std::string side_path(const std::string& path) { return path + ".shard"; }

UnitRange range_of(const Shard& shard, std::int64_t units) noexcept {
  const std::int64_t each = units / shard.of;
  const std::int64_t rest = units % shard.of;
  const auto start = [&](std::int64_t i) { return each * i + rest * i / shard.of; };
  return {.first = start(shard.number - 1), .last = start(shard.number)};
}

Error about_side_file(const std::string& path, const Error& error) {
  return {error.code(),
          fmt::format("'{}' is damaged: {}: make that shard again with --overwrite", side_path(path), error.what())};
}

std::string identity_line(const ShardIdentity& identity) {
  const nlohmann::ordered_json json{
      {"unroll_shard", kSideVersion},   {"verb", identity.verb},
      {"shard", identity.shard.number}, {"of", identity.shard.of},
      {"lines_of_all", identity.units}, {"text", identity.text},
      {"models", identity.models},      {"options", identity.options},
      {"version", identity.version},    {"instruction_set", identity.instruction_set},
      {"json", identity.json},          {"parameters", nlohmann::ordered_json::parse(identity.parameters)}};
  return sealed_object(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)) + '\n';
}

std::string side_line(const SideLine& line) {
  return std::visit([](const auto& of_kind) { return text_of(of_kind); }, line);
}

std::string sealed_side_line(const SideLine& line, std::uint64_t before) {
  std::string text = side_line(line);
  text.pop_back();
  return sealed(text, before) + '\n';
}

bool begins_as_side_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  return std::getline(file, line) && !file.eof() && line.starts_with(kIdentityStart);
}

SideReader::SideReader(const std::string& path) : path_(path), reader_(path, TextCoding::kBytes) {
  std::string line;
  if (!reader_.next(line) || !reader_.line_was_whole() || reader_.had_byte_order_mark()) throw no_side_file(path);
  identity_ = parse_identity(line, path);
  line += '\n';
  bytes_ = std::ssize(line);
  hash_ = fnv1a(line);
  lines_ = 1;
}

std::optional<SideLine> SideReader::next() {
  std::string text;
  if (!reader_.next(text) || !reader_.line_was_whole()) return std::nullopt;
  ++lines_;
  std::string_view content = text;
  if (text.starts_with("mark ") || text.starts_with("end ")) {
    content = content.substr(0, content.rfind(' '));
    if (text != sealed(content, hash_)) throw damaged(path_, lines_);
  }
  std::optional<SideLine> line = parse_side_line(content);
  if (!line) throw damaged(path_, lines_);
  text += '\n';
  bytes_ += std::ssize(text);
  hash_ = fnv1a(hash_, text);
  return line;
}

}  // namespace unroll
