// Scores, labels and tags as JSON: the command and the server print the same objects.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "unroll/label/classifier.h"
#include "unroll/label/tagger.h"
#include "unroll/score/word_scorer.h"
#include "unroll/scorer.h"

namespace unroll {

// A line with its tokens: {"text", "log_base", "log_prob", "unknown_tokens", "tokens": [...]}.
[[nodiscard]] nlohmann::ordered_json score_json(const std::string& line, const Score& score);

// Its words: [{"text", "log_prob", "entropy": [low, high], "rank", "top", "offset", "end"}, ...].
[[nodiscard]] nlohmann::ordered_json words_json(const std::vector<WordScore>& words);

// A text with its answers, and the probabilities of all labels or of the `most` most probable ones.
[[nodiscard]] nlohmann::ordered_json classified_json(const std::string& text, const ClassifiedText& classified,
                                                     const Classifier& classifier,
                                                     std::optional<std::size_t> most = {});

// Words with their tags; with `list` all sequences, too.
[[nodiscard]] nlohmann::ordered_json tagged_json(const std::vector<std::string>& words,
                                                 const std::vector<TagSequence>& sequences, bool list);

}  // namespace unroll
