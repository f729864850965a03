// Puts the answer to a request for a completion together, from what an engine tells of its texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/api/completion_request.h"
#include "server/api/symbol_log.h"
#include "server/call.h"
#include "unroll/engine.h"
#include "unroll/tokenizer.h"

namespace unroll {

// Who answers.
struct AnswerSource {
  std::string model;
  std::string fingerprint;  // of the model's file
  Tokenizer tokenizer;
  bool boundary_begins = true;  // a text begins with the boundary (BeginPolicy::kBoundary)
};

// Text t of a request (from 0) is number t % best_of of prompt t / best_of. Used by one thread at a time.
class Completion {
 public:
  Completion(CompletionRequest request, AnswerSource source, std::unique_ptr<Call> call);

  // What the engine has to write.
  [[nodiscard]] std::size_t texts() const noexcept { return choices_.size(); }
  [[nodiscard]] TextRequest text(std::size_t t) const;

  // Opens the stream, where one is asked for.
  void begin();

  // Takes an event of text t. Answers, once all have ended.
  void take(std::size_t t, const TextEvent& event);

  void fail(const ApiError& error) { call_->fail(error); }
  [[nodiscard]] Call& call() noexcept { return *call_; }
  [[nodiscard]] bool ended() const noexcept { return call_->ended(); }

 private:
  struct Choice {
    std::size_t prompt = 0;
    SymbolLog log;
    std::string text = {};     // of a stream what is not sent yet
    std::size_t reported = 0;  // symbols of the prompt
    std::size_t echoed = 0;    // bytes of the prompt
    double log_prob = 0;       // nats, of what was written
    std::int64_t written = 0;
    std::optional<double> first_log_prob = {};  // of the prompt's first symbol after the boundary
    std::optional<Finish> finish = {};
    bool told = false;  // in a stream: that it has finished
  };

  [[nodiscard]] bool skips_first(const PromptPieces& prompt) const noexcept;
  void begin_log(Choice& choice);
  void take_symbol(Choice& choice, const SymbolReport& report);
  void echo(Choice& choice);
  void stream(const Choice& choice);
  void send_parts();
  void append_part(std::string& parts, std::size_t t, bool is_last);
  void end();
  [[nodiscard]] std::string head() const;
  void append_choice(std::string& json, std::size_t index, Choice& choice, bool is_part, bool is_last) const;
  [[nodiscard]] std::string extras(const Choice& choice) const;
  [[nodiscard]] std::string usage() const;
  [[nodiscard]] std::string notes() const;
  [[nodiscard]] std::vector<std::size_t> answered() const;

  CompletionRequest request_;
  AnswerSource source_;
  std::unique_ptr<Call> call_;
  std::string head_;
  std::vector<Choice> choices_;
  std::size_t open_;   // texts that have not ended
  bool held_ = false;  // something is not sent yet
};

}  // namespace unroll
