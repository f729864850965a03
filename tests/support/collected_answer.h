// An answer to a request that nobody sends anywhere, for tests of code that answers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/api/completion.h"
#include "server/call.h"
#include "server/http.h"
#include "unroll/engine.h"

namespace unroll {

class CollectedAnswer : public HttpAnswer {
 public:
  void send(HttpResponse response) override { whole = std::move(response); }
  void begin(HttpResponse response) override { whole = std::move(response); }
  void write(std::string part) override { whole.body += part; }
  void end() override { ended = true; }
  [[nodiscard]] std::int64_t unsent() const override { return waiting; }
  [[nodiscard]] bool gone() const noexcept override { return left; }

  HttpResponse whole;
  bool ended = false;
  bool left = false;
  std::int64_t waiting = 0;  // bytes that the reader is behind
};

inline std::unique_ptr<Call> collecting_call(const std::shared_ptr<CollectedAnswer>& answer) {
  HttpRequest request;
  request.method = "POST";
  request.path = "/v1/completions";
  return std::make_unique<Call>(std::move(request), answer, "test", "/v1/completions", [](const CallRecord&) {});
}

// What is answered to a request, with an engine of its own.
inline HttpResponse answer_to(const CompletionRequest& request, const Model& model) {
  const auto answer = std::make_shared<CollectedAnswer>();
  Completion completion(request,
                        {.model = "tiny",
                         .fingerprint = model.checksum(),
                         .tokenizer = model.tokenizer(),
                         .boundary_begins = model.begin_policy() == BeginPolicy::kBoundary},
                        collecting_call(answer));
  completion.begin();
  Engine engine(model, {.texts = 4});
  std::vector<std::int64_t> numbers;
  for (std::size_t t = 0; t < completion.texts(); ++t) numbers.push_back(engine.add(completion.text(t)));
  while (!engine.idle()) {
    for (const TextEvent& event : engine.step()) {
      const auto found = std::find(numbers.begin(), numbers.end(), event.text);
      completion.take(static_cast<std::size_t>(found - numbers.begin()), event);
    }
  }
  return answer->whole;
}

}  // namespace unroll
