#include "server/api/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

#include "server/api/json_parts.h"
#include "unroll/character.h"

namespace unroll {
namespace {

constexpr std::int64_t kBehind = 16384;  // bytes that a reader has not taken yet
constexpr std::size_t kMostGathered = std::size_t{1} << 20;
constexpr std::size_t kBytesOfFields = 1024;  // more than those of a choice, besides text and lists

std::string_view finish_name(Finish finish) noexcept { return finish == Finish::kLength ? "length" : "stop"; }

// How many bytes of `text` are whole characters, if its last one may be unfinished.
std::size_t whole_characters(std::string_view text) noexcept {
  std::size_t end = text.size();
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;
    const std::size_t needs = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
    if (needs > back) end = text.size() - back;
    break;
  }
  return end;
}

}  // namespace

Completion::Completion(CompletionRequest request, AnswerSource source, std::unique_ptr<Call> call)
    : request_(std::move(request)), source_(std::move(source)), call_(std::move(call)) {
  const auto copies = static_cast<std::size_t>(request_.best_of);
  for (std::size_t t = 0; t < request_.prompts.size() * copies; ++t) {
    choices_.push_back({.prompt = t / copies, .log = SymbolLog(source_.tokenizer, request_.shape)});
    begin_log(choices_.back());
  }
  open_ = choices_.size();
  CallRecord& record = call_->record();
  record.model = source_.model;
  for (const PromptPieces& prompt : request_.prompts) record.prompt_tokens += std::ssize(prompt.ids);
  head_ = head();
}

// Whether the first symbol stands for the boundary with which every text begins.
bool Completion::skips_first(const PromptPieces& prompt) const noexcept {
  return !prompt.ids.empty() && prompt.ids.front() == source_.tokenizer.boundary() && source_.boundary_begins;
}

TextRequest Completion::text(std::size_t t) const {
  TextRequest text = request_.text;
  const PromptPieces& prompt = request_.prompts[choices_[t].prompt];
  text.prompt_ids.emplace(prompt.ids.begin() + (skips_first(prompt) ? 1 : 0), prompt.ids.end());
  if (!prompt.text.empty()) text.prompt = prompt.text.substr(prompt.text.size() - 1);  // whether it ends in a space
  text.copy = static_cast<std::uint32_t>(t % static_cast<std::size_t>(request_.best_of));
  return text;
}

void Completion::begin_log(Choice& choice) {
  const PromptPieces& prompt = request_.prompts[choice.prompt];
  if (!request_.text.symbols.prompt || prompt.ids.empty()) {
    return choice.log.skip(prompt.ids.empty() ? -1 : prompt.ids.back(), prompt.text);
  }
  if (!skips_first(prompt)) return;
  choice.log.add_given(prompt.ids.front(), prompt.piece(0));
  choice.reported = 1;
}

void Completion::begin() {
  if (!request_.stream) return;
  call_->begin_events();
  for (std::size_t t = 0; t < choices_.size(); ++t) {
    if (request_.shape == LogShape::kChat) {
      call_->write(
          fmt::format("data: {{{},\"choices\":[{{\"index\":{},\"delta\":{{\"role\":\"assistant\",\"content\":\"\"}},"
                      "\"logprobs\":null,\"finish_reason\":null}}]{}}}\n\n",
                      head_, t, request_.with_usage ? ",\"usage\":null" : ""),
          false);
    } else if (request_.echo && !request_.logs) {
      echo(choices_[t]);
      held_ = true;
    }
  }
  if (held_) send_parts();
}

void Completion::take(std::size_t t, const TextEvent& event) {
  if (ended()) return;
  if (event.error) return fail(ApiError(*event.error));
  Choice& choice = choices_[t];
  for (const SymbolReport& report : event.symbols) take_symbol(choice, report);
  if (request_.echo) echo(choice);
  choice.text += event.piece;
  // The boundary that ends a text is not written, but is one of the symbols that were asked for.
  choice.written = event.written + (event.finish == Finish::kEnd ? 1 : 0);
  choice.finish = event.finish;
  if (event.finish) --open_;
  if (request_.stream) stream(choice);
  if (open_ == 0) end();
}

// Sends what there is, unless the reader is behind: then it gathers until the reader has caught up, in far fewer bytes
// than parts of their own would have.
void Completion::stream(const Choice& choice) {
  const std::size_t gathered = choice.text.size() + choice.log.bytes();
  const bool waits = call_->unsent() > kBehind && gathered < kMostGathered && open_ > 0;
  held_ = held_ || gathered > 0 || choice.finish;
  if (held_ && !waits) send_parts();
}

void Completion::take_symbol(Choice& choice, const SymbolReport& report) {
  if (report.written) {
    choice.log_prob += report.log_prob;
    if (request_.logs) choice.log.add(report, report.text);
    return;
  }
  const PromptPieces& prompt = request_.prompts[choice.prompt];
  const std::string_view piece = prompt.piece(choice.reported);
  if (choice.reported++ > 0) return choice.log.add(report, piece);
  choice.log.add_given(report.id, piece);
  if (!report.given) choice.first_log_prob = report.log_prob;
}

// Adds what is known of the prompt to the text: all of it, or what was reported.
void Completion::echo(Choice& choice) {
  const PromptPieces& prompt = request_.prompts[choice.prompt];
  const bool all = !request_.logs || choice.reported == prompt.ids.size();
  std::size_t end = prompt.text.size();
  if (!all) end = choice.reported == 0 ? 0 : prompt.ends[choice.reported - 1];
  if (end < prompt.text.size()) end = whole_characters(std::string_view(prompt.text).substr(0, end));
  if (end <= choice.echoed) return;
  choice.text.append(prompt.text, choice.echoed, end - choice.echoed);
  choice.echoed = end;
}

std::string Completion::head() const {
  const bool chat = request_.shape == LogShape::kChat;
  const std::string_view object = !chat             ? "text_completion"
                                  : request_.stream ? "chat.completion.chunk"
                                                    : "chat.completion";
  return fmt::format(R"("id":{},"object":"{}","created":{},"model":{},"system_fingerprint":{})",
                     json_string((chat ? "chatcmpl-" : "cmpl-") + std::as_const(*call_).record().id), object,
                     std::time(nullptr), json_string(source_.model), json_string(source_.fingerprint));
}

// In place: the lists of a long prompt have megabytes, and other texts wait.
void Completion::append_choice(std::string& json, std::size_t index, Choice& choice, bool is_part, bool is_last) const {
  const std::string text = json_string(choice.text);
  json.reserve(json.size() + text.size() + choice.log.bytes() + kBytesOfFields);
  json += fmt::format("{{\"index\":{},", index);
  if (request_.shape == LogShape::kText) {
    json.append("\"text\":").append(text);
  } else if (is_part && is_last) {
    json += "\"delta\":{}";
  } else if (is_part) {
    json.append("\"delta\":{\"content\":").append(text).append("}");
  } else {
    json.append("\"message\":{\"role\":\"assistant\",\"content\":").append(text).append(",\"refusal\":null}");
  }
  json += ",\"logprobs\":";
  if (request_.logs) {
    choice.log.take(json);
  } else {
    json += "null";
  }
  json += ",\"finish_reason\":";
  json += is_last && choice.finish ? fmt::format("\"{}\"", finish_name(*choice.finish)) : "null";
  if (is_last) json += extras(choice);
  json += '}';
}

// What only this server tells.
std::string Completion::extras(const Choice& choice) const {
  std::string fields = fmt::format("\"seed\":{}", request_.text.options.seed);
  if (choice.first_log_prob) fields += ",\"first_logprob\":" + json_number(*choice.first_log_prob);
  return ",\"unroll\":{" + fields + "}";
}

std::string Completion::notes() const {
  std::string notes;
  if (request_.shape == LogShape::kChat) {
    notes += "\"note\":\"this is no chat model: the texts of the messages were joined by newlines and continued\"";
  }
  std::string ignored;
  for (const std::string& field : request_.ignored) append_element(ignored, json_string(field));
  if (!ignored.empty()) append_element(notes, "\"ignored\":[" + ignored + "]");
  return notes.empty() ? "" : ",\"unroll\":{" + notes + "}";
}

std::string Completion::usage() const {
  std::int64_t written = 0;
  for (const Choice& choice : choices_) written += choice.written;
  const std::int64_t prompts = std::as_const(*call_).record().prompt_tokens;
  return fmt::format(R"("usage":{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}})", prompts, written,
                     prompts + written);
}

void Completion::send_parts() {
  std::string parts;
  for (std::size_t t = 0; t < choices_.size(); ++t) {
    Choice& choice = choices_[t];
    if (!choice.text.empty() || choice.log.bytes() > 0) append_part(parts, t, false);
    if (choice.finish && !std::exchange(choice.told, true)) append_part(parts, t, true);
  }
  held_ = false;
  if (open_ == 0) {
    if (request_.with_usage) parts += fmt::format("data: {{{},\"choices\":[],{}{}}}\n\n", head_, usage(), notes());
    parts += "data: [DONE]\n\n";
  }
  call_->write(std::move(parts));
}

void Completion::append_part(std::string& parts, std::size_t t, bool is_last) {
  Choice& choice = choices_[t];
  parts.append("data: {").append(head_).append(",\"choices\":[");
  append_choice(parts, t, choice, true, is_last);
  parts.append(request_.with_usage ? "],\"usage\":null}\n\n" : "]}\n\n");
  choice.text.clear();
}

// Of each prompt the texts with the highest log-probability per symbol, of equal ones the first ones.
std::vector<std::size_t> Completion::answered() const {
  std::vector<std::size_t> chosen;
  const auto copies = static_cast<std::size_t>(request_.best_of);
  const auto mean = [this](std::size_t t) {
    const Choice& choice = choices_[t];
    return choice.written == 0 ? 0 : choice.log_prob / static_cast<double>(choice.written);
  };
  for (std::size_t first = 0; first < choices_.size(); first += copies) {
    std::vector<std::size_t> texts(copies);
    for (std::size_t i = 0; i < copies; ++i) texts[i] = first + i;
    if (request_.best_of > request_.n) std::ranges::stable_sort(texts, std::ranges::greater{}, mean);
    chosen.insert(chosen.end(), texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(request_.n));
  }
  return chosen;
}

void Completion::end() {
  for (const Choice& choice : choices_) call_->record().completion_tokens += choice.written;
  if (request_.stream) return call_->end();
  std::string body = "{";
  body.append(head_).append(",\"choices\":[");
  std::size_t index = 0;
  for (const std::size_t t : answered()) {
    if (index > 0) body += ',';
    append_choice(body, index++, choices_[t], false, true);
  }
  body.append("],").append(usage()).append(notes()).append("}");
  call_->send({.body = std::move(body)});
}

}  // namespace unroll
