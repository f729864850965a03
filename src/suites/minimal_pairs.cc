#include "unroll/suites/minimal_pairs.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "model/strict_json.h"
#include "score/sentences.h"
#include "unroll/error.h"
#include "unroll/scorer.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostValuesOfALine = 1000;
constexpr std::size_t kPairsAtOnce = 512;

// "blimp/wh_island.jsonl.gz": "wh_island".
std::string name_without_end(const std::string& path) {
  std::filesystem::path name = std::filesystem::path(path).filename();
  if (name.extension() == ".gz") name = name.stem();
  return name.stem().string();
}

bool is_json_lines(const std::string& path) { return path.ends_with(".jsonl") || path.ends_with(".jsonl.gz"); }

// The string in `value`.
std::string text_of(const Json& value, std::string_view key, const std::string& where) {
  if (!value.is_string()) throw Error(ErrorCode::kInput, fmt::format("{}: {} is not a string", where, key));
  return value.get<std::string>();
}

MinimalPair pair_of_json(const std::string& line, const std::string& where) {
  const Json object = parse_json(line, kMostValuesOfALine, where, ErrorCode::kInput);
  if (!object.is_object()) throw Error(ErrorCode::kInput, fmt::format("{}: expected a JSON object", where));
  for (const char* key : {"sentence_good", "sentence_bad"}) {
    if (!object.contains(key)) throw Error(ErrorCode::kInput, fmt::format("{}: the key {} is missing", where, key));
  }
  MinimalPair pair{.good = text_of(object["sentence_good"], "sentence_good", where),
                   .bad = text_of(object["sentence_bad"], "sentence_bad", where),
                   .paradigm = {},
                   .phenomenon = {}};
  if (object.contains("UID")) pair.paradigm = text_of(object["UID"], "UID", where);
  if (object.contains("linguistics_term")) {
    pair.phenomenon = text_of(object["linguistics_term"], "linguistics_term", where);
  }
  return pair;
}

MinimalPair pair_of_columns(std::string_view line, const std::string& where) {
  std::array<std::string, 3> columns;
  std::size_t count = 0;
  for (std::size_t first = 0; first <= line.size(); ++count) {
    const std::size_t end = std::min(line.find('\t', first), line.size());
    if (count < columns.size()) columns.at(count) = std::string(line.substr(first, end - first));
    first = end + 1;
  }
  if (count < 2 || count > columns.size()) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("{}: {} column{}: expected the acceptable sentence, a tab, the other sentence, and optionally "
                    "a tab and the paradigm",
                    where, count, count == 1 ? "" : "s"));
  }
  return {.good = columns[0], .bad = columns[1], .paradigm = columns[2], .phenomenon = {}};
}

void check_sentence(const std::string& sentence, std::string_view which, const std::string& where) {
  if (sentence.empty()) throw Error(ErrorCode::kInput, fmt::format("{}: the {} sentence is empty", where, which));
  if (sentence.find('\n') != std::string::npos) {
    throw Error(ErrorCode::kInput, fmt::format("{}: the {} sentence holds a line end", where, which));
  }
}

// Where the first token is given, the sentences of a pair can be compared only if they share it.
void expect_same_beginnings(const Tokenizer& tokenizer, std::span<const MinimalPair> pairs) {
  const auto first_token = [&](const std::string& sentence, const std::string& place) {
    const std::vector<Token> tokens = tokenizer.encode_line({sentence, place});
    return tokens.empty() ? -1 : tokens.front().id;
  };
  for (const MinimalPair& pair : pairs) {
    if (first_token(pair.good, pair.place) == first_token(pair.bad, pair.place)) continue;
    throw Error(ErrorCode::kInput,
                fmt::format("{}{}the sentences begin with different tokens, and this model does not predict the first "
                            "one (it was trained with begin none): their probabilities cannot be compared",
                            pair.place, pair.place.empty() ? "" : ": "));
  }
}

SentenceScore sentence_score(const Score& score) {
  return {.log_prob = score.log_prob, .tokens = score.predictions, .unknown_tokens = score.unknown_tokens};
}

}  // namespace

std::vector<MinimalPair> read_minimal_pairs(const std::string& path) {
  LineReader reader(path);
  std::vector<MinimalPair> pairs;
  std::string line;
  for (std::int64_t number = 1; reader.next(line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    const std::string where = fmt::format("'{}', line {}", path, number);
    MinimalPair pair = is_json_lines(path) ? pair_of_json(line, where) : pair_of_columns(line, where);
    check_sentence(pair.good, "acceptable", where);
    check_sentence(pair.bad, "other", where);
    if (pair.paradigm.empty()) pair.paradigm = name_without_end(path);
    pair.place = where;
    pairs.push_back(std::move(pair));
  }
  if (pairs.empty()) throw Error(ErrorCode::kInput, fmt::format("'{}' holds no pairs", path));
  return pairs;
}

std::vector<PairScore> score_pairs(const Model& model, std::span<const MinimalPair> pairs, const PairOptions& options) {
  if (model.begin_policy() == BeginPolicy::kNone) expect_same_beginnings(model.tokenizer(), pairs);
  Scorer scorer(model, {.accounting = {.end = options.end}, .tokens = false, .threads = options.threads});
  std::vector<PairScore> scores;
  scores.reserve(pairs.size());
  while (scores.size() < pairs.size()) {
    const auto part = pairs.subspan(scores.size(), std::min(kPairsAtOnce, pairs.size() - scores.size()));
    std::vector<PlacedSentence> sentences;
    for (const MinimalPair& pair : part) {
      sentences.push_back({pair.good, pair.place});
      sentences.push_back({pair.bad, pair.place});
    }
    const std::vector<Score> found = score_sentences(scorer, sentences);
    for (std::size_t i = 0; i < found.size(); i += 2) {
      scores.push_back({.good = sentence_score(found[i]), .bad = sentence_score(found[i + 1])});
    }
    if (options.progress) options.progress(std::ssize(scores), std::ssize(pairs));
  }
  return scores;
}

}  // namespace unroll
