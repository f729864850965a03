#include "server/api/completion.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/collected_answer.h"
#include "support/tiny_model.h"
#include "unroll/generator.h"

namespace unroll {
namespace {

constexpr RequestLimits kLimits{.symbols = 1'000'000, .texts = 16};

CompletionRequest request_of(const std::string& body, const Model& model) {
  RequestFields fields(body, 1000);
  return read_completion(fields, model, kLimits);
}

// The objects of a stream, without the [DONE] at its end.
std::vector<nlohmann::json> events_of(const std::string& body) {
  std::vector<nlohmann::json> events;
  for (std::size_t at = 0; (at = body.find("data: {", at)) != std::string::npos; ++at) {
    events.push_back(nlohmann::json::parse(body.substr(at + 6, body.find("\n\n", at) - at - 6)));
  }
  return events;
}

std::string text_of(const std::vector<nlohmann::json>& events) {
  std::string text;
  for (const nlohmann::json& event : events) {
    for (const nlohmann::json& choice : event["choices"]) text += choice["text"].get<std::string>();
  }
  return text;
}

TEST(Completion, WritesWhatAGeneratorWrites) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const HttpResponse answer =
      answer_to(request_of(R"({"prompt": "ab", "max_tokens": 40, "seed": 5, "n": 2})", model), model);
  const nlohmann::json choices = nlohmann::json::parse(answer.body)["choices"];
  Generator generator(model, {.seed = 5});
  for (std::size_t i = 0; i < 2; ++i) {
    std::string text;
    generator.write("ab", 40, [&](std::string_view piece) { return text += piece, true; });
    EXPECT_EQ(choices[i]["text"], text);
  }
}

TEST(Completion, EchoesThePromptWithAndWithoutLists) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  for (const std::string lists : {"null", "0", "3"}) {
    for (const std::string stream : {"false", "true"}) {
      const CompletionRequest request =
          request_of(R"({"prompt": "a\u20acb", "max_tokens": 3, "seed": 5, "echo": true, "logprobs": )" + lists +
                         ", \"stream\": " + stream + "}",
                     model);
      const HttpResponse answer = answer_to(request, model);
      const std::string text = request.stream
                                   ? text_of(events_of(answer.body))
                                   : nlohmann::json::parse(answer.body)["choices"][0]["text"].get<std::string>();
      EXPECT_EQ(text.substr(0, 5),
                "a\xE2\x82\xAC"
                "b")
          << lists << stream;
      EXPECT_GT(text.size(), 5U);
    }
  }
}

TEST(Completion, FirstPartThatIsTimedHasText) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  RequestFields fields(R"({"messages": [{"role": "user", "content": "ab"}], "stream": true})", 1000);
  Completion completion(read_chat(fields, model, kLimits),
                        {.model = "tiny", .fingerprint = "", .tokenizer = model.tokenizer()},
                        collecting_call(std::make_shared<CollectedAnswer>()));
  completion.begin();
  EXPECT_EQ(completion.call().record().first_seconds, std::nullopt);
  TextEvent event;
  event.piece = "a";
  completion.take(0, event);
  EXPECT_TRUE(completion.call().record().first_seconds.has_value());
}

// Gives a text to a reader that is `behind` until its end.
std::string streamed(const Model& model, const CompletionRequest& request, std::int64_t behind) {
  const auto answer = std::make_shared<CollectedAnswer>();
  Completion completion(request, {.model = "tiny", .fingerprint = "", .tokenizer = model.tokenizer()},
                        collecting_call(answer));
  completion.begin();
  Engine engine(model);
  engine.add(completion.text(0));
  answer->waiting = behind;
  while (!engine.idle()) {
    for (const TextEvent& event : engine.step()) completion.take(0, event);
  }
  EXPECT_TRUE(answer->ended);
  return answer->whole.body;
}

TEST(Completion, GathersTextForAReaderThatIsBehind) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const CompletionRequest request =
      request_of(R"({"prompt": "ab", "max_tokens": 300, "seed": 5, "stream": true, "logprobs": 1})", model);
  const std::vector<nlohmann::json> prompt_reader = events_of(streamed(model, request, 0));
  const std::vector<nlohmann::json> slow_reader = events_of(streamed(model, request, 1 << 20));
  EXPECT_GT(prompt_reader.size(), 200U);
  EXPECT_EQ(slow_reader.size(), 2U);  // all of it, and that it has finished
  EXPECT_EQ(text_of(slow_reader), text_of(prompt_reader));
  EXPECT_EQ(slow_reader[0]["choices"][0]["logprobs"]["tokens"].size(), 300U);
  EXPECT_EQ(slow_reader[1]["choices"][0]["finish_reason"], "length");
}

TEST(Completion, GathersNoMoreThanAReaderMayBeBehind) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const CompletionRequest request =
      request_of(R"({"prompt": "ab", "max_tokens": 20000, "seed": 5, "stream": true, "logprobs": 1})", model);
  EXPECT_GT(events_of(streamed(model, request, 1 << 20)).size(), 2U);
}

}  // namespace
}  // namespace unroll
