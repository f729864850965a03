#include "cli/flags/field_flags.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "unroll/train_options.h"

namespace unroll {
namespace {

// Fields of other structs than TrainOptions whose flags have another name than the field, by the end of their path.
constexpr std::array<std::pair<std::string_view, std::string_view>, 21> kOtherFlags{{
    {"adaptation.cache", "--cache"},
    {"cache.size", "--cache-size"},
    {"cache.theta", "--cache-theta"},
    {"cache.weight", "--cache-weight"},
    {"adaptation.dynamic", "--dynamic"},
    {"dynamic.bptt", "--dynamic-bptt"},
    {"dynamic.rate", "--dynamic-rate"},
    {"dynamic.decay", "--dynamic-decay"},
    {"accounting.end", "--no-end"},
    {"end", "--no-end"},
    {"accounting.unknown", "--unk"},
    {"unknown", "--unk"},
    {"unknown_words", "--unk-words"},
    {"noise", "--noise-vocab"},
    {"thresholds", "--threshold"},
    {"tag_column", "--column"},
    {"kind", "--model-type"},  // of SentencePieceOptions
    {"step", "--step-size"},
    {"target_columns", "--target-column"},
    {"target_paths", "--targets"},
    {"target_per_step", "--per-step"},
}};

// What to add to an error for which a field is to blame, where the verb has the flag.
struct Advice {
  std::string_view field;
  ErrorCode code;
  std::string_view flag;
  std::string_view unless_given;  // the flag that rules it out
  std::string_view words;
};

constexpr std::array<Advice, 1> kAdvice{{
    {"tokenizer.kind", ErrorCode::kInput, "--tokenizer", "--from", " or give --tokenizer byte"},
}};

bool contains(const std::vector<std::string>& flags, std::string_view flag) {
  return std::ranges::find(flags, flag) != flags.end();
}

bool is_field(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

bool ends_path(std::string_view path, std::string_view end) {
  return path.ends_with(end) && (path.size() == end.size() || path[path.size() - end.size() - 1] == '.');
}

// The last part of a path with `space` between its words.
std::string last_part(std::string_view field, char space) {
  std::string name(field.substr(field.rfind('.') + 1));
  std::ranges::replace(name, '_', space);
  return name;
}

std::string replace_fields(std::string_view message, const std::function<std::string(std::string_view)>& words) {
  std::string result;
  while (!message.empty()) {
    const std::size_t open = message.find('`');
    const std::size_t close = open == message.npos ? message.npos : message.find('`', open + 1);
    if (close == message.npos) break;
    const std::string_view field = message.substr(open + 1, close - open - 1);
    const bool known = is_field(field);
    result += message.substr(0, open);
    result += known ? words(field) : "`";
    message.remove_prefix(known ? close + 1 : open + 1);
  }
  return result.append(message);
}

}  // namespace

VerbFlags& present_verb() {
  static VerbFlags verb;
  return verb;
}

std::string flag_of(std::string_view field) {
  std::string flag;
  const TrainOptions options;
  for_each_option(options, [&](const TrainOption& option, const auto&) {
    if (option.field == field) flag = "--" + std::string(option.name);
  });
  if (!flag.empty()) return flag;
  for (const auto& [end, other] : kOtherFlags) {
    if (ends_path(field, end)) return std::string(other);
  }
  return "--" + last_part(field, '-');
}

std::string with_flags(std::string_view message) { return replace_fields(message, flag_of); }

std::string with_flags(std::string_view message, const VerbFlags& verb) {
  return replace_fields(message, [&](std::string_view field) {
    std::string flag = flag_of(field);
    // "train one with --task conditional", "make the cache with a --valid-split of 0", whatever the verb.
    const bool of_another_verb = field == "task.kind" || field == "text.valid_split";
    return of_another_verb || contains(verb.flags, flag) ? flag : last_part(field, ' ');
  });
}

std::string message_for(const Error& error, const VerbFlags& verb) {
  std::string message = with_flags(error.what(), verb);
  for (const Advice& advice : kAdvice) {
    if (error.field() != advice.field || error.code() != advice.code) continue;
    if (contains(verb.flags, advice.flag) && !contains(verb.given, advice.unless_given)) message += advice.words;
  }
  return message;
}

}  // namespace unroll
