// What a model says about texts: /v1/score, /v1/classify, /v1/tag.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/answers.h"
#include "json/json_text.h"
#include "server/api/api.h"
#include "server/api/json_parts.h"
#include "server/api_error.h"
#include "unroll/label/classifier.h"
#include "unroll/label/tagger.h"
#include "unroll/score/word_scorer.h"
#include "unroll/scorer.h"
#include "unroll/task.h"

namespace unroll {
namespace {

// Lines that are scored between two looks at whether the client still waits.
constexpr std::size_t kTextsAtOnce = 64;
constexpr std::int64_t kMostSequences = 1000;
constexpr std::int64_t kMostAnswers = 1'000'000;  // of a request: tags, or probabilities of labels

std::vector<std::string> read_texts(RequestFields& fields) {
  std::vector<std::string> texts = fields.texts("text");
  if (texts.empty()) texts = fields.texts("input");
  if (texts.empty()) throw ApiError(400, "`text` is missing: expected a string or a list of strings", "text");
  return texts;
}

void expect_task(const ServedModel& model, TaskKind task) {
  if (model.model.task().kind == task) return;
  throw ApiError(400,
                 fmt::format("the task of the model \"{}\" is {}: expected a model of the task {}", model.name,
                             task_name(model.model.task().kind), task_name(task)),
                 "model");
}

// The answers of a request, as they are found.
class AnswerList {
 public:
  void add(const nlohmann::ordered_json& answer) {
    std::string line = json_line(answer);
    line.pop_back();
    append_element(list_, line);
  }

  // `more`: fields after the list.
  [[nodiscard]] std::string body(const std::string& model, const std::vector<std::string>& ignored,
                                 const std::string& more = "") const {
    std::string fields;
    for (const std::string& field : ignored) append_element(fields, json_string(field));
    return fmt::format(R"({{"object":"list","model":{},"data":[{}]{}{}}})", json_string(model), list_, more,
                       fields.empty() ? "" : ",\"unroll\":{\"ignored\":[" + fields + "]}");
  }

 private:
  std::string list_;
};

// Throws ApiError with status 400 for more than the server answers at once.
void check_size(std::int64_t size, std::int64_t most, std::string_view of, const std::string& field) {
  if (size <= most) return;
  throw ApiError(400, fmt::format("the request has {} {}: this server answers at most {} at once", size, of, most),
                 field, "too_many_symbols");
}

struct ScoreRequest {
  std::vector<std::string> texts;
  ScorerOptions options;
  bool words = false;
  WordScorerOptions of_words;
};

Accounting read_accounting(RequestFields& fields, const Model& model) {
  Accounting accounting;
  accounting.begin = model.begin_policy();
  if (const auto begin = fields.text("begin")) accounting.begin = parse_begin_policy(*begin);
  if (const auto state = fields.text("state")) accounting.state = parse_state_policy(*state);
  if (const auto unknown = fields.text("unk")) accounting.unknown = parse_unknown_policy(*unknown);
  accounting.unknown_words = fields.whole("unk_words", 1, kMostUnknownWords).value_or(1);
  accounting.context = fields.text("context").value_or("");
  accounting.end = fields.truth("end", true) && model.tokenizer().boundary() >= 0;
  return accounting;
}

ScoreRequest read_score(RequestFields& fields, const Model& model) {
  ScoreRequest request{.texts = read_texts(fields), .options = {}, .of_words = {}};
  request.options.accounting = read_accounting(fields, model);
  request.options.label = fields.text("label").value_or("");
  request.options.threads = 1;
  request.words = fields.truth("words", false);
  request.of_words = {.state = request.options.accounting.state,
                      .end = request.options.accounting.end,
                      .top = fields.whole("top", 0, 1000).value_or(0),
                      .threads = 1};
  return request;
}

// What all texts of a request come to.
class ScoreTotals {
 public:
  explicit ScoreTotals(const Accounting& accounting)
      : ends_(accounting.end), comparable_(accounting.end && accounting.begin == BeginPolicy::kBoundary) {}

  void add(const Tokenizer& tokenizer, const std::string& text, const Score& score) {
    log_prob_ += score.log_prob;
    tokens_ += score.predictions;
    unknown_ += score.unknown_tokens;
    bytes_ += std::ssize(text) + (ends_ ? 1 : 0);
    comparable_ = comparable_ && score.unknown_tokens == 0 && tokenizer.encode({text, "the text"}).lossless;
  }

  [[nodiscard]] std::string field() const {
    nlohmann::ordered_json totals{
        {"log_prob", log_prob_ + 0.0}, {"tokens", tokens_}, {"bytes", bytes_}, {"unknown_tokens", unknown_}};
    totals["bits_per_byte"] = nullptr;
    if (bytes_ > 0) totals["bits_per_byte"] = (0 - log_prob_) / std::numbers::ln2 / static_cast<double>(bytes_);
    totals["comparable"] = comparable_;
    std::string line = json_line(totals);
    line.pop_back();
    return ",\"totals\":" + line;
  }

 private:
  bool ends_;
  bool comparable_;
  double log_prob_ = 0;
  std::int64_t tokens_ = 0;
  std::int64_t unknown_ = 0;
  std::int64_t bytes_ = 0;
};

std::string score_texts(const std::string& name, const Model& model, ScoreRequest request,
                        const StillWanted& still_wanted, const std::vector<std::string>& ignored) {
  request.options.progress = [&](std::int64_t, std::int64_t) { still_wanted(); };
  const LineNames names = [](std::size_t index) { return fmt::format("text {}", index + 1); };
  Scorer scorer(model, request.options);
  const std::vector<Score> scores = scorer.score(request.texts, names);
  std::optional<WordScorer> words;
  if (request.words) words.emplace(model, request.of_words);
  AnswerList answers;
  ScoreTotals totals(request.options.accounting);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    still_wanted();
    totals.add(model.tokenizer(), request.texts[i], scores[i]);
    nlohmann::ordered_json answer = score_json(request.texts[i], scores[i]);
    if (words) answer["words"] = words_json(words->score(request.texts[i], static_cast<std::int64_t>(i) + 1));
    answers.add(answer);
  }
  return answers.body(name, ignored, totals.field());
}

std::vector<std::string> read_words(const nlohmann::json& list) {
  std::vector<std::string> words;
  for (const nlohmann::json& word : list) {
    if (!word.is_string() || word.get_ref<const std::string&>().empty()) {
      refuse_field("words", word, "a list of words, or a list of such lists");
    }
    words.push_back(word.get<std::string>());
  }
  return words;
}

std::vector<std::vector<std::string>> read_sentences(RequestFields& fields) {
  const nlohmann::json* const value = fields.find("words");
  if (value == nullptr)
    throw ApiError(400, "`words` is missing: expected a list of words, or a list of such lists", "words");
  if (!value->is_array()) refuse_field("words", *value, "a list of words, or a list of such lists");
  if (value->empty() || !value->front().is_array()) return {read_words(*value)};
  std::vector<std::vector<std::string>> sentences;
  for (const nlohmann::json& sentence : *value) {
    if (!sentence.is_array()) refuse_field("words", sentence, "a list of words, or a list of such lists");
    sentences.push_back(read_words(sentence));
  }
  return sentences;
}

}  // namespace

void Api::ask(std::unique_ptr<Call>& call, const ServedModel& model,
              std::function<std::string(const StillWanted&)> answer) {
  AnswerJob job{.call = std::move(call), .answer = std::move(answer)};
  if (!model.answerer->push(job)) job.call->fail(queue_is_full());
}

void Api::score(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> served = model_of(fields, *call);
  static_cast<void>(served->texts());
  ScoreRequest request = read_score(fields, served->model);
  std::int64_t symbols = 0;
  for (const std::string& text : request.texts) {
    symbols += 1 + std::ssize(served->model.tokenizer().encode_line({text, "the text"}));
  }
  check_size(symbols, limits_.symbols, "symbols", "text");
  ask(call, *served,
      [name = served->name, model = served->model, request = std::move(request), ignored = fields.ignored()](
          const StillWanted& still_wanted) { return score_texts(name, model, request, still_wanted, ignored); });
}

void Api::classify(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> served = model_of(fields, *call);
  expect_task(*served, TaskKind::kClassify);
  ClassifierOptions options{.threads = 1};
  if (fields.find("threshold") != nullptr) options.threshold = fields.number("threshold", 0, {0, 1});
  const std::optional<std::int64_t> most = fields.whole("top_k", 1, 1 << 24);
  std::vector<std::string> texts = read_texts(fields);
  const std::int64_t labels = std::ssize(served->model.task().labels);
  check_size(std::ssize(texts) * std::max<std::int64_t>(1, labels), kMostAnswers, "probabilities", "text");
  ask(call, *served,
      [name = served->name, model = served->model, options, most, texts = std::move(texts),
       ignored = fields.ignored()](const StillWanted& still_wanted) {
        Classifier classifier(model, options);
        AnswerList found;
        for (std::size_t begin = 0; begin < texts.size(); begin += kTextsAtOnce) {
          still_wanted();
          const std::span<const std::string> some =
              std::span(texts).subspan(begin, std::min(kTextsAtOnce, texts.size() - begin));
          const std::vector<ClassifiedText> classified =
              classifier.classify(some, [&](std::size_t i) { return fmt::format("text {}", begin + i + 1); });
          for (std::size_t i = 0; i < some.size(); ++i) {
            found.add(classified_json(some[i], classified[i], classifier,
                                      most ? std::optional(static_cast<std::size_t>(*most)) : std::nullopt));
          }
        }
        return found.body(name, ignored);
      });
}

void Api::tag(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> served = model_of(fields, *call);
  expect_task(*served, TaskKind::kTag);
  TaggerOptions options{.threads = 1,
                        .n_best = fields.whole("n_best", 1, kMostSequences).value_or(1),
                        .confidence = fields.truth("confidence", false)};
  std::vector<std::vector<std::string>> sentences = read_sentences(fields);
  std::int64_t words = 0;
  for (const std::vector<std::string>& sentence : sentences) words += std::ssize(sentence);
  check_size(words * options.n_best, kMostAnswers, "tags", "words");
  ask(call, *served,
      [name = served->name, model = served->model, options, sentences = std::move(sentences),
       ignored = fields.ignored()](const StillWanted& still_wanted) {
        Tagger tagger(model, options);
        AnswerList found;
        for (std::size_t begin = 0; begin < sentences.size(); begin += kTextsAtOnce) {
          still_wanted();
          const auto some = std::span<const std::vector<std::string>>(sentences).subspan(
              begin, std::min(kTextsAtOnce, sentences.size() - begin));
          const std::vector<std::vector<TagSequence>> answers = tagger.tag(some);
          for (std::size_t i = 0; i < some.size(); ++i) found.add(tagged_json(some[i], answers[i], options.n_best > 1));
        }
        return found.body(name, ignored);
      });
}

}  // namespace unroll
