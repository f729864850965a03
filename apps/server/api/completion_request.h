// What a request for a completion asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/api/prompt_pieces.h"
#include "server/api/request_fields.h"
#include "server/api/symbol_log.h"
#include "unroll/engine.h"
#include "unroll/model.h"

namespace unroll {

// What one request may ask for.
struct RequestLimits {
  std::int64_t symbols = 200'000;  // of its prompts and of the texts that it may write, together
  std::int64_t texts = 256;        // that it may write
  double seconds = 600;            // until it is answered
};

struct CompletionRequest {
  LogShape shape = LogShape::kText;
  std::vector<PromptPieces> prompts;
  TextRequest text = {};  // of each one, but for its prompt and copy
  std::int64_t n = 1;     // texts answered for each prompt: the most probable ones of `best_of`
  std::int64_t best_of = 1;
  bool logs = false;  // log-probabilities are answered
  bool echo = false;  // the prompt is a part of the text
  bool stream = false;
  bool with_usage = false;  // in a stream
  std::vector<std::string> ignored = {};
};

// Reads /v1/completions. Throws ApiError with status 400.
//
// Where the seed is missing it is drawn, and told in the answer. Text i (from 0) of a prompt is the one that call i of
// a Generator with that seed writes.
[[nodiscard]] CompletionRequest read_completion(RequestFields& fields, const Model& model, const RequestLimits& limits);

// Reads /v1/chat/completions. The prompt is the texts of all messages, joined by newlines: the model has never seen a
// role.
[[nodiscard]] CompletionRequest read_chat(RequestFields& fields, const Model& model, const RequestLimits& limits);

}  // namespace unroll
