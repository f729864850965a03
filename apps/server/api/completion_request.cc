#include "server/api/completion_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <random>
#include <utility>

#include "server/api_error.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostAlternatives = 100;
constexpr std::size_t kMostStops = 16;
constexpr std::int64_t kMostCopies = 128;
constexpr std::int64_t kMostSymbols = std::int64_t{1} << 40;

// A string, a list of strings, ids, or a list of lists of ids.
std::vector<PromptPieces> read_prompts(RequestFields& fields, const Tokenizer& tokenizer) {
  const nlohmann::json* const value = fields.find("prompt");
  if (value == nullptr) return {cut_prompt(tokenizer, "")};
  if (value->is_string()) return {cut_prompt(tokenizer, value->get<std::string>())};
  if (!value->is_array()) refuse_field("prompt", *value, "a string, a list of strings, ids, or a list of lists of ids");
  if (value->empty() || value->front().is_number()) return {join_prompt(tokenizer, read_ids("prompt", *value))};
  std::vector<PromptPieces> prompts;
  for (const nlohmann::json& prompt : *value) {
    if (prompt.is_string()) {
      prompts.push_back(cut_prompt(tokenizer, prompt.get<std::string>()));
    } else if (prompt.is_array()) {
      prompts.push_back(join_prompt(tokenizer, read_ids("prompt", prompt)));
    } else {
      refuse_field("prompt", prompt, "a string, a list of strings, ids, or a list of lists of ids");
    }
  }
  return prompts;
}

std::vector<LogitBias> read_biases(RequestFields& fields, std::int64_t V) {
  const nlohmann::json* const value = fields.find("logit_bias");
  std::vector<LogitBias> biases;
  if (value == nullptr) return biases;
  if (!value->is_object()) refuse_field("logit_bias", *value, "an object of ids and numbers from -100 to 100");
  for (const auto& [key, bias] : value->items()) {
    std::int32_t id = -1;
    const auto [end, failure] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (failure != std::errc() || fmt::format("{}", id) != key || id < 0 || id >= V) {
      throw ApiError(400, fmt::format("`logit_bias` has the key \"{}\": expected an id from 0 to {}", key, V - 1),
                     "logit_bias");
    }
    if (!bias.is_number() || !contains({-100, 100}, bias.get<double>())) {
      refuse_field("logit_bias", bias, "numbers from -100 to 100");
    }
    biases.push_back({.id = id, .bias = bias.get<double>()});
  }
  return biases;
}

std::uint64_t read_seed(RequestFields& fields) {
  const nlohmann::json* const value = fields.find("seed");
  if (value == nullptr) {
    // Small enough for clients whose numbers are doubles.
    std::random_device random;
    return ((std::uint64_t{random()} << 32U) | random()) >> 11U;
  }
  if (!value->is_number_integer()) refuse_field("seed", *value, "a whole number");
  return value->is_number_unsigned() ? value->get<std::uint64_t>()
                                     : static_cast<std::uint64_t>(value->get<std::int64_t>());
}

std::vector<std::string> read_stops(RequestFields& fields) {
  std::vector<std::string> stops = fields.texts("stop");
  std::erase(stops, "");
  if (stops.size() <= kMostStops) return stops;
  throw ApiError(400, fmt::format("`stop` has {} strings: expected at most {}", stops.size(), kMostStops), "stop");
}

GeneratorOptions read_sampling(RequestFields& fields, const Model& model) {
  GeneratorOptions options;
  options.temperature = fields.number("temperature", 1, {0, 1000});
  options.top_k = std::max<std::int64_t>(0, fields.whole("top_k", -1, kMostSymbols).value_or(0));
  options.top_p = fields.number("top_p", 1, {0, 1});
  options.min_p = fields.number("min_p", 0, {0, 1});
  options.presence_penalty = fields.number("presence_penalty", 0, {-100, 100});
  options.frequency_penalty = fields.number("frequency_penalty", 0, {-100, 100});
  options.logit_bias = read_biases(fields, model.tokenizer().size());
  options.seed = read_seed(fields);
  options.label = fields.text("label").value_or("");
  return options;
}

void read_stream(RequestFields& fields, CompletionRequest& request) {
  request.stream = fields.truth("stream", false);
  const nlohmann::json* const options = fields.find("stream_options");
  if (options == nullptr) return;
  if (!options->is_object()) refuse_field("stream_options", *options, "an object");
  const auto usage = options->find("include_usage");
  if (usage == options->end() || usage->is_null()) return;
  if (!usage->is_boolean()) refuse_field("stream_options.include_usage", *usage, "true or false");
  request.with_usage = usage->get<bool>();
}

// What texts and messages have in common, apart from prompts, lengths and log-probabilities.
void read_common(RequestFields& fields, const Model& model, CompletionRequest& request) {
  request.text.options = read_sampling(fields, model);
  request.text.stops = read_stops(fields);
  request.n = fields.whole("n", 1, kMostCopies).value_or(1);
  request.best_of = request.n;
  read_stream(fields, request);
  static_cast<void>(fields.text("user"));
}

void check_limits(const CompletionRequest& request, const Model& model, const RequestLimits& limits) {
  if (request.prompts.empty()) throw ApiError(400, "`prompt` is an empty list", "prompt");
  const std::int64_t texts = std::ssize(request.prompts) * request.best_of;
  if (texts > limits.texts) {
    throw ApiError(400, fmt::format("the request is for {} texts: expected at most {}", texts, limits.texts), "n");
  }
  std::int64_t symbols = texts * std::min(request.text.length, limits.symbols + 1);
  for (const PromptPieces& prompt : request.prompts) symbols += request.best_of * std::ssize(prompt.ids);
  if (symbols > limits.symbols) {
    throw ApiError(400,
                   fmt::format("the request is for more than {} symbols, prompts and `max_tokens` of all its texts "
                               "together: the most that this server allows",
                               limits.symbols),
                   "max_tokens", "too_many_symbols");
  }
  const bool given = model.begin_policy() == BeginPolicy::kNone;
  if (given && std::ranges::any_of(request.prompts, [](const PromptPieces& prompt) { return prompt.ids.empty(); })) {
    throw ApiError(400, "the prompt is empty, but this model does not predict the first symbol of a text: give one",
                   "prompt");
  }
}

// The texts of a message: one string, or parts of which each has its text.
std::string read_content(const nlohmann::json& message) {
  if (!message.is_object()) refuse_field("messages", message, "objects with role and content");
  const auto content = message.find("content");
  if (content == message.end() || content->is_null()) return {};
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) refuse_field("messages", *content, "content that is a string or a list of parts");
  std::string text;
  for (const nlohmann::json& part : *content) {
    const bool has_text = part.is_object() && part.contains("text") && part["text"].is_string();
    if (!has_text) refuse_field("messages", part, "parts with text: this server reads nothing else");
    text += part["text"].get<std::string>();
  }
  return text;
}

}  // namespace

CompletionRequest read_completion(RequestFields& fields, const Model& model, const RequestLimits& limits) {
  CompletionRequest request;
  read_common(fields, model, request);
  request.text.length = fields.whole("max_tokens", 0, kMostSymbols).value_or(16);
  request.echo = fields.truth("echo", false);
  request.best_of = fields.whole("best_of", 1, kMostCopies).value_or(request.n);
  if (request.best_of < request.n) {
    throw ApiError(400, fmt::format("`best_of` is {}: expected at least `n`, {}", request.best_of, request.n),
                   "best_of");
  }
  if (request.stream && request.best_of > request.n) {
    throw ApiError(400, "`best_of` above `n` cannot be streamed: the best text is known at the end", "best_of");
  }
  if (const std::optional<std::string> suffix = fields.text("suffix"); suffix && !suffix->empty()) {
    throw ApiError(400, "`suffix` is not supported: the model reads from left to right", "suffix");
  }
  const std::optional<std::int64_t> alternatives = fields.whole("logprobs", 0, kMostAlternatives);
  request.logs = alternatives.has_value();
  request.text.symbols.prompt = request.logs && request.echo;
  request.text.symbols.written = request.logs || request.best_of > request.n;
  request.text.symbols.alternatives = alternatives.value_or(0);
  request.prompts = read_prompts(fields, model.tokenizer());
  check_limits(request, model, limits);
  return request;
}

CompletionRequest read_chat(RequestFields& fields, const Model& model, const RequestLimits& limits) {
  CompletionRequest request{.shape = LogShape::kChat, .prompts = {}};
  read_common(fields, model, request);
  const std::optional<std::int64_t> length = fields.whole("max_completion_tokens", 0, kMostSymbols);
  request.text.length = length ? *length : fields.whole("max_tokens", 0, kMostSymbols).value_or(256);
  request.logs = fields.truth("logprobs", false);
  request.text.symbols.written = request.logs;
  request.text.symbols.alternatives = fields.whole("top_logprobs", 0, kMostAlternatives).value_or(0);
  const nlohmann::json* const messages = fields.find("messages");
  if (messages == nullptr || !messages->is_array() || messages->empty()) {
    throw ApiError(400, "`messages` is missing, or no list: expected a list of objects with role and content",
                   "messages");
  }
  std::string text;
  for (const nlohmann::json& message : *messages) text += (text.empty() ? "" : "\n") + read_content(message);
  request.prompts = {cut_prompt(model.tokenizer(), std::move(text))};
  check_limits(request, model, limits);
  return request;
}

}  // namespace unroll
