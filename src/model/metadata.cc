#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "base/quote.h"
#include "model/base64.h"
#include "model/model_file.h"
#include "model/strict_json.h"
#include "model/task_metadata.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// More small values than any valid file has, so that a hostile file cannot turn few bytes into many values.
constexpr std::int64_t kMostConfigValues = 64;
constexpr std::int64_t kMostPolicyValues = 16;
constexpr std::int64_t kMostTrainingValues = 1024;
constexpr std::int64_t kMostHistoryValues = std::int64_t{1} << 24;

std::string place(const std::string& path, std::string_view key) {
  return fmt::format("'{}': the metadata \"{}\"", path, key);
}

const std::string& required_metadata(const std::map<std::string, std::string>& metadata, const std::string& key,
                                     const std::string& path) {
  const auto found = metadata.find(key);
  if (found != metadata.end()) return found->second;
  throw Error(ErrorCode::kFormat, fmt::format("'{}' lacks the metadata \"{}\"", path, key));
}

// The JSON under `key`.
Json parse_metadata(const std::map<std::string, std::string>& metadata, const std::string& key,
                    std::int64_t most_values, const std::string& path) {
  return parse_json(required_metadata(metadata, key, path), most_values, place(path, key));
}

// Runs `f`, which knows nothing of files, and turns its errors into errors of the file.
template <class F>
auto as_format_error(const std::string& where, const F& f) {
  try {
    return f();
  } catch (const Error& error) {
    throw Error(ErrorCode::kFormat, fmt::format("{} is invalid: {}", where, error.what()));
  }
}

// Bytes are never unknown.
bool lacks_unknown(const Tokenizer& tokenizer) noexcept {
  return tokenizer.unknown() < 0 && tokenizer.kind() != TokenizerKind::kByte;
}

Json config_json(const NetworkConfig& config) {
  Json json = {{"cell", cell_name(config.cell)}, {"vocabulary", config.vocabulary}, {"embed", config.embed},
               {"hidden", config.hidden},        {"layers", config.layers},         {"tied", config.tied}};
  if (config.residual) json["residual"] = true;
  if (config.layer_norm) json["layer_norm"] = true;
  if (!config.cutoffs.empty()) json["cutoffs"] = config.cutoffs;
  if (config.outputs > 0) {
    json["outputs"] = config.outputs;
    json["loss"] = loss_name(config.loss);
    json["readout"] = readout_name(config.readout);
  }
  if (config.bidirectional) json["bidirectional"] = true;
  if (config.characters > 0) {
    json["characters"] = config.characters;
    json["character_hidden"] = config.character_hidden;
  }
  if (config.conditions > 0) json["conditions"] = config.conditions;
  if (config.language) json["language"] = true;
  return json;
}

Json tokenizer_json(const Tokenizer& tokenizer) {
  Json json = {{"kind", tokenizer_kind_name(tokenizer.kind())}, {"lowercase", tokenizer.lowercase()}};
  switch (tokenizer.kind()) {
    case TokenizerKind::kByte:  // the 256 byte values are implied, and are not UTF-8
      break;
    case TokenizerKind::kSentencePiece:
      json["model"] = encode_base64(tokenizer.sentencepiece_model());
      break;
    case TokenizerKind::kChar:
    case TokenizerKind::kWord:
    case TokenizerKind::kWhitespace:
      json["symbols"] = tokenizer.vocabulary();
      break;
  }
  return json;
}

Json training_json(const TrainingRecord& training) {
  Json options = Json::object();
  for (const auto& [name, value] : training.options) options[name] = value;
  return {{"options", options}, {"complete", training.complete}};
}

Json history_json(const TrainingRecord& training) {
  Json history = Json::array();
  for (const HistoryPoint& point : training.history) {
    Json json = {
        {"step", point.step}, {"tokens", point.tokens}, {"nats_per_token", point.nats_per_token}, {"lr", point.lr}};
    if (point.valid_nats_per_token) json["valid_nats_per_token"] = *point.valid_nats_per_token;
    if (point.average_valid_nats_per_token) {
      json["average_valid_nats_per_token"] = *point.average_valid_nats_per_token;
    }
    if (point.valid_accuracy) json["valid_accuracy"] = *point.valid_accuracy;
    history.push_back(std::move(json));
  }
  return history;
}

HistoryPoint history_point(const Json& json, const std::string& where) {
  const JsonFields fields(json, where, {"step", "tokens", "nats_per_token", "lr"},
                          {"valid_nats_per_token", "average_valid_nats_per_token", "valid_accuracy"});
  HistoryPoint point{.step = fields.whole("step"),
                     .tokens = fields.whole("tokens"),
                     .nats_per_token = fields.number("nats_per_token"),
                     .lr = fields.number("lr"),
                     .valid_nats_per_token = {}};
  if (fields.has("valid_nats_per_token")) point.valid_nats_per_token = fields.number("valid_nats_per_token");
  if (fields.has("valid_accuracy")) point.valid_accuracy = fields.number("valid_accuracy");
  if (fields.has("average_valid_nats_per_token")) {
    if (!point.valid_nats_per_token) {
      throw Error(ErrorCode::kFormat,
                  fmt::format("{} has average_valid_nats_per_token without valid_nats_per_token", where));
    }
    point.average_valid_nats_per_token = fields.number("average_valid_nats_per_token");
  }
  return point;
}

std::vector<std::string> all_bytes() {
  std::vector<std::string> bytes;
  for (int value = 0; value < 256; ++value) bytes.emplace_back(1, static_cast<char>(value));
  return bytes;
}

std::vector<std::string> symbols_of(const Json& array, const std::string& where) {
  std::vector<std::string> symbols;
  symbols.reserve(array.size());
  for (const Json& symbol : array) {
    if (!symbol.is_string()) {
      throw Error(ErrorCode::kFormat, fmt::format("{}: symbol {} is not a string", where, symbols.size()));
    }
    symbols.push_back(symbol.get_ref<const std::string&>());
  }
  return symbols;
}

// The tokenizer with the SentencePiece model of the file.
Tokenizer sentencepiece_of(const JsonFields& fields, const std::string& where) {
  const std::optional<std::string> model = decode_base64(fields.string("model"));
  if (!model) throw Error(ErrorCode::kFormat, fmt::format("{}: \"model\" is not base64", where));
  return Tokenizer::from_sentencepiece(*model, where);
}

// Throws if a kind has a field that it does not use, or lacks one that it needs.
void expect_field(const JsonFields& fields, std::string_view key, bool needed, const std::string& where) {
  if (fields.has(key) == needed) return;
  throw Error(ErrorCode::kFormat, fmt::format("{} {} \"{}\", which its kind {}", where, needed ? "lacks" : "has", key,
                                              needed ? "requires" : "does not use"));
}

// Files without a policy are read by versions that need these symbols.
void expect_special_symbols(const std::map<std::string, std::string>& metadata, const Tokenizer& tokenizer,
                            const std::string& where) {
  if (metadata.contains("policy")) return;
  const bool boundary = tokenizer.boundary() < 0;
  if (!boundary && !lacks_unknown(tokenizer)) return;
  throw Error(
      ErrorCode::kFormat,
      fmt::format("{} is invalid: vocabulary: symbol {} is missing; only a file of format {} may lack it", where,
                  boundary ? (tokenizer.kind() == TokenizerKind::kChar ? "\"\\n\"" : "\"<eos>\"") : "\"<unk>\"",
                  kPolicyModelFormat));
}

void expect_size(std::int64_t symbols, std::int64_t network, const std::string& where) {
  if (symbols == network) return;
  throw Error(ErrorCode::kFormat, fmt::format("{} has {} symbols, but the network has {}", where, symbols, network));
}

void check_option(const std::string& name, const std::string& value, std::initializer_list<std::string_view> expected,
                  const std::string& where) {
  if (std::ranges::find(expected, value) != expected.end()) return;
  throw Error(ErrorCode::kFormat, fmt::format("{}: option {} is {}: expected \"{}\"", where, quote(name), quote(value),
                                              fmt::join(expected, "\" or \"")));
}

// The options of a training; "state" is also the default of evaluation, and "precision" that of a resumed run.
std::vector<std::pair<std::string, std::string>> options_of(const Json& object, const std::string& where) {
  std::vector<std::pair<std::string, std::string>> options;
  for (const auto& [name, json] : object.items()) {
    if (!json.is_string()) {
      throw Error(ErrorCode::kFormat, fmt::format("{}: option {} is not a string", where, quote(name)));
    }
    const auto& value = json.get_ref<const std::string&>();
    if (name == "state") {
      check_option(name, value, {state_policy_name(StatePolicy::kCarry), state_policy_name(StatePolicy::kReset)},
                   where);
    }
    if (name == "precision") {
      check_option(name, value, {precision_name(Precision::kF32), precision_name(Precision::kBf16)}, where);
    }
    options.emplace_back(name, value);
  }
  return options;
}

}  // namespace

bool needs_policy(const Tokenizer& tokenizer, BeginPolicy begin) noexcept {
  return begin != BeginPolicy::kBoundary || tokenizer.boundary() < 0 || lacks_unknown(tokenizer);
}

namespace {

// A language model has a task to say only where it reads the characters of words.
bool has_task(const Task& task) { return task.kind != TaskKind::kLanguage || !task.characters.empty(); }

bool needs_third_format(const Tokenizer& tokenizer, const ModelUse& use) {
  return has_task(use.task) || needs_policy(tokenizer, use.begin);
}

}  // namespace

std::map<std::string, std::string> model_metadata(const NetworkConfig& config, const Tokenizer& tokenizer,
                                                  const TrainingRecord& training, const ModelUse& use) {
  std::map<std::string, std::string> metadata{{"config", write_json(config_json(config))},
                                              {"tokenizer", tokenizer_metadata(tokenizer)},
                                              {"training", write_json(training_json(training))},
                                              {"history", write_json(history_json(training))}};
  if (needs_third_format(tokenizer, use)) {
    metadata["policy"] = write_json({{"begin", begin_policy_name(use.begin)}});
  }
  if (has_task(use.task)) metadata["task"] = task_metadata(use.task);
  return metadata;
}

std::map<std::string, std::string> model_file_metadata(const NetworkConfig& config, const Tokenizer& tokenizer,
                                                       const TrainingRecord& training, const ModelUse& use,
                                                       Precision precision) {
  std::map<std::string, std::string> metadata = model_metadata(config, tokenizer, training, use);
  const bool policy = needs_third_format(tokenizer, use);
  const bool rounded = precision != Precision::kF32;
  metadata["format"] = policy ? kPolicyModelFormat : rounded ? kRoundedModelFormat : kModelFormat;
  if (policy || rounded) metadata["precision"] = precision_name(precision);
  return metadata;
}

NetworkConfig config_from_metadata(const std::map<std::string, std::string>& metadata, const std::string& path) {
  const std::string where = place(path, "config");
  const Json json = parse_metadata(metadata, "config", kMostConfigValues, path);
  const JsonFields fields(json, where, {"cell", "vocabulary", "embed", "hidden", "layers", "tied"},
                          {"residual", "layer_norm", "cutoffs", "dropout", "outputs", "loss", "readout",
                           "bidirectional", "characters", "character_hidden", "conditions", "language"});
  NetworkConfig config{.vocabulary = fields.whole("vocabulary"),
                       .embed = fields.whole("embed"),
                       .hidden = fields.whole("hidden"),
                       .layers = fields.whole("layers"),
                       .tied = fields.boolean("tied")};
  if (fields.has("residual")) config.residual = fields.boolean("residual");
  if (fields.has("layer_norm")) config.layer_norm = fields.boolean("layer_norm");
  // Older files named the dropout of training.
  if (fields.has("dropout")) static_cast<void>(fields.number("dropout"));
  if (fields.has("cutoffs")) {
    for (const Json& cutoff : fields.array("cutoffs")) {
      if (!cutoff.is_number_integer()) {
        throw Error(ErrorCode::kFormat, fmt::format("{}: a cutoff is {}, not a whole number", where, cutoff.dump()));
      }
      config.cutoffs.push_back(cutoff.get<std::int64_t>());
    }
  }
  for (const auto& [name, size] :
       {std::pair("outputs", &config.outputs), std::pair("characters", &config.characters),
        std::pair("character_hidden", &config.character_hidden), std::pair("conditions", &config.conditions)}) {
    if (fields.has(name)) *size = fields.whole(name);
  }
  if (fields.has("bidirectional")) config.bidirectional = fields.boolean("bidirectional");
  if (fields.has("language")) config.language = fields.boolean("language");
  const std::string& cell = fields.string("cell");
  as_format_error(where, [&] {
    config.cell = parse_cell(cell);
    if (fields.has("loss")) config.loss = parse_loss(fields.string("loss"));
    if (fields.has("readout")) config.readout = parse_readout(fields.string("readout"));
    check(config);
  });
  return config;
}

std::string tokenizer_metadata(const Tokenizer& tokenizer) { return write_json(tokenizer_json(tokenizer)); }

Tokenizer tokenizer_of_metadata(const std::string& text, std::int64_t size, const std::string& where) {
  const Json json = parse_json(text, size + kMostConfigValues, where);
  const JsonFields fields(json, where, {"kind", "lowercase"}, {"symbols", "model"});
  const std::string& kind_name = fields.string("kind");
  const bool lowercase = fields.boolean("lowercase");
  const TokenizerKind kind = as_format_error(where, [&] { return parse_tokenizer_kind(kind_name); });
  const bool has_model = kind == TokenizerKind::kSentencePiece;
  const bool needs_symbols = kind != TokenizerKind::kByte && !has_model;
  expect_field(fields, "symbols", needs_symbols, where);
  expect_field(fields, "model", has_model, where);
  if (has_model) {
    if (lowercase) throw Error(ErrorCode::kFormat, fmt::format("{}: its kind has no lower case", where));
    Tokenizer tokenizer = sentencepiece_of(fields, where);
    expect_size(tokenizer.size(), size, where);
    return tokenizer;
  }
  std::vector<std::string> symbols = needs_symbols ? symbols_of(fields.array("symbols"), where) : all_bytes();
  if (size == 0) {  // inputs are numbers
    expect_size(std::ssize(symbols), std::ssize(all_bytes()), where);
  } else {
    expect_size(std::ssize(symbols), size, where);
  }
  return as_format_error(where, [&] { return Tokenizer::from_vocabulary(kind, lowercase, std::move(symbols)); });
}

Tokenizer tokenizer_from_metadata(const std::map<std::string, std::string>& metadata, const std::string& path) {
  const std::string where = place(path, "tokenizer");
  const std::int64_t size = config_from_metadata(metadata, path).vocabulary;
  Tokenizer tokenizer = tokenizer_of_metadata(required_metadata(metadata, "tokenizer", path), size, where);
  if (tokenizer.kind() != TokenizerKind::kSentencePiece) expect_special_symbols(metadata, tokenizer, where);
  return tokenizer;
}

TrainingRecord training_from_metadata(const std::map<std::string, std::string>& metadata, const std::string& path) {
  const std::string where = place(path, "training");
  const Json json = parse_metadata(metadata, "training", kMostTrainingValues, path);
  const JsonFields fields(json, where, {"options", "complete"});
  TrainingRecord training{
      .options = options_of(fields.object("options"), where), .history = {}, .complete = fields.boolean("complete")};
  const std::string history_where = place(path, "history");
  const Json history = parse_metadata(metadata, "history", kMostHistoryValues, path);
  if (!history.is_array()) throw Error(ErrorCode::kFormat, fmt::format("{} is not an array", history_where));
  for (const Json& point : history) training.history.push_back(history_point(point, history_where));
  return training;
}

namespace {

BeginPolicy begin_from_metadata(const std::map<std::string, std::string>& metadata, const Tokenizer& tokenizer,
                                const std::string& path) {
  const bool has_policy = metadata.contains("policy");
  const std::string where = place(path, "policy");
  if (has_policy != (metadata.at("format") == kPolicyModelFormat)) {
    throw Error(ErrorCode::kFormat,
                fmt::format("{} is {}: files of format {} alone have one", where,
                            has_policy ? "there in a file of format " + metadata.at("format") : std::string("missing"),
                            kPolicyModelFormat));
  }
  if (!has_policy) return BeginPolicy::kBoundary;
  const Json json = parse_metadata(metadata, "policy", kMostPolicyValues, path);
  const JsonFields fields(json, where, {"begin"}, {});
  const BeginPolicy begin = as_format_error(where, [&] { return parse_begin_policy(fields.string("begin")); });
  if (begin == BeginPolicy::kBoundary && tokenizer.boundary() < 0) {
    throw Error(ErrorCode::kFormat,
                fmt::format("{} has begin \"boundary\", but the vocabulary has no symbol for the end of a line: "
                            "expected \"none\"",
                            where));
  }
  return begin;
}

}  // namespace

ModelUse use_from_metadata(const std::map<std::string, std::string>& metadata, const NetworkConfig& config,
                           const Tokenizer& tokenizer, const std::string& path) {
  ModelUse use = begin_from_metadata(metadata, tokenizer, path);
  const auto found = metadata.find("task");
  const bool needed = config.outputs > 0 || config.conditions > 0 || config.characters > 0;
  const bool third = metadata.at("format") == kPolicyModelFormat;
  const std::string where = place(path, "task");
  if ((found != metadata.end()) != needed || (needed && !third)) {
    throw Error(ErrorCode::kFormat,
                fmt::format("{} is {}: files of format {} have one where the network has outputs, conditions or "
                            "characters, and no others",
                            where, found == metadata.end() ? "missing" : "there", kPolicyModelFormat));
  }
  if (needed) use.task = task_from_metadata(found->second, config, where);
  return use;
}

Precision precision_from_metadata(const std::map<std::string, std::string>& metadata, const std::string& path) {
  const auto found = metadata.find("precision");
  const std::string& format = metadata.at("format");
  if (format == kModelFormat && found == metadata.end()) return Precision::kF32;
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
    const bool allowed =
        format == kPolicyModelFormat || (format == kRoundedModelFormat && precision != Precision::kF32);
    if (allowed && found != metadata.end() && found->second == precision_name(precision)) return precision;
  }
  std::string_view expected = "\"bf16\" or \"int8\"";
  if (format == kModelFormat) expected = "none";
  if (format == kPolicyModelFormat) expected = "\"f32\", \"bf16\" or \"int8\"";
  throw Error(ErrorCode::kFormat,
              fmt::format("{} is {}: a file of format {} has {}", place(path, "precision"),
                          found == metadata.end() ? "missing" : quote(found->second), format, expected));
}

}  // namespace unroll
