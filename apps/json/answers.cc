#include "json/answers.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "json/json_text.h"

namespace unroll {
namespace {

nlohmann::ordered_json token_json(const TokenScore& token) {
  nlohmann::ordered_json entry;
  put_text(&entry, token.text);
  entry["log_prob"] = nullptr;
  if (token.counted) entry["log_prob"] = token.log_prob + 0.0;
  entry["rank"] = nullptr;
  entry["entropy"] = nullptr;
  if (!token.given) entry["rank"] = token.rank;
  if (!token.given) entry["entropy"] = token.entropy;
  entry["offset"] = token.offset;
  if (token.unknown) entry["unknown"] = true;
  return entry;
}

nlohmann::ordered_json word_json(const WordScore& word) {
  nlohmann::ordered_json entry;
  put_text(&entry, word.text);
  entry["log_prob"] = word.log_prob + 0.0;
  entry["entropy"] = {word.entropy.lower, word.entropy.upper};
  entry["rank"] = nullptr;
  if (word.rank) entry["rank"] = *word.rank;
  if (!word.top.empty()) {
    nlohmann::ordered_json& top = entry["top"] = nlohmann::ordered_json::array();
    for (const WordAlternative& alternative : word.top) {
      nlohmann::ordered_json other;
      put_text(&other, alternative.text);
      other["log_prob"] = alternative.log_prob + 0.0;
      if (alternative.end) other["end"] = true;
      top.push_back(std::move(other));
    }
  }
  entry["unknown_symbols"] = word.unknown_symbols;
  entry["offset"] = word.offset;
  entry["end"] = word.end;
  return entry;
}

nlohmann::ordered_json sequence_json(const TagSequence& sequence) {
  nlohmann::ordered_json object{{"tags", sequence.tags}, {"log_prob", sequence.log_prob}};
  if (!sequence.confidence.empty()) object["confidence"] = sequence.confidence;
  return object;
}

}  // namespace

nlohmann::ordered_json score_json(const std::string& line, const Score& score) {
  nlohmann::ordered_json object;
  put_text(&object, line);
  object["log_base"] = "e";
  object["log_prob"] = score.log_prob + 0.0;
  object["unknown_tokens"] = score.unknown_tokens;
  nlohmann::ordered_json& tokens = object["tokens"] = nlohmann::ordered_json::array();
  for (const TokenScore& token : score.tokens) tokens.push_back(token_json(token));
  return object;
}

nlohmann::ordered_json words_json(const std::vector<WordScore>& words) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const WordScore& word : words) list.push_back(word_json(word));
  return list;
}

nlohmann::ordered_json classified_json(const std::string& text, const ClassifiedText& classified,
                                       const Classifier& classifier, std::optional<std::size_t> most) {
  const auto name = [&](std::int32_t label) { return classifier.labels()[static_cast<std::size_t>(label)]; };
  nlohmann::ordered_json object;
  put_text(&object, text);
  const std::vector<std::int32_t> answers = classifier.answers(classified);
  if (classifier.multi_label()) {
    object["labels"] = nlohmann::ordered_json::array();
    for (const std::int32_t label : answers) object["labels"].push_back(name(label));
  } else if (answers.empty()) {
    object["label"] = nullptr;
  } else {
    object["label"] = name(answers.front());
  }
  object["probabilities"] = nlohmann::ordered_json::object();
  // Not by key, which would search all labels before it.
  auto& probabilities = object["probabilities"].get_ref<nlohmann::ordered_json::object_t&>();
  for (const std::int32_t label : classifier.ranked(classified)) {
    if (most && probabilities.size() >= *most) break;
    probabilities.emplace_back(name(label), classified.probabilities[static_cast<std::size_t>(label)]);
  }
  object["tokens"] = classified.tokens;
  object["unknown_tokens"] = classified.unknown_tokens;
  if (classified.was_cut) object["cut"] = true;
  return object;
}

nlohmann::ordered_json tagged_json(const std::vector<std::string>& words, const std::vector<TagSequence>& sequences,
                                   bool list) {
  nlohmann::ordered_json object{{"words", words}};
  object.update(sequence_json(sequences.front()));
  if (!list) return object;
  nlohmann::ordered_json& all = object["n_best"] = nlohmann::ordered_json::array();
  for (const TagSequence& sequence : sequences) all.push_back(sequence_json(sequence));
  return object;
}

}  // namespace unroll
