#include <algorithm>
#include <string>
#include <vector>

#include "support/sealed_file.h"
#include "target.h"
#include "targets.h"
#include "unroll/generator.h"
#include "unroll/label/classifier.h"
#include "unroll/label/tagger.h"
#include "unroll/model.h"
#include "unroll/scorer.h"
#include "unroll/state.h"

namespace unroll {
namespace {

// The file that the input stands for. One that begins with a brace is a header, up to the first line end, and data:
// they get their length and their checksum, so that what is behind these checks is reached. Anything else is a file as
// it is.
std::string framed(std::string_view input) {
  if (!input.starts_with('{')) return std::string(input);
  const std::size_t end = std::min(input.find('\n'), input.size());
  return sealed_file(std::string(input.substr(0, end)), std::string(input.substr(std::min(end + 1, input.size()))));
}

void use_language_model(const Model& model) {
  static_cast<void>(model.trained_state_policy());
  const std::string label = model.task().labels.empty() ? "" : model.task().labels.front();
  const Score score = Scorer(model, {.threads = 1, .label = label}).score("a b");
  expect(score.log_prob <= 0, "a probability is at most 1");
  int symbols = 0;
  const bool given = model.begin_policy() == BeginPolicy::kNone;
  Generator generator(model, {.label = label});
  generator.write(given ? model.tokenizer().symbol(0) : "", 4, [&](std::string_view) { return ++symbols < 4; });
}

void use(const Model& model) {
  expect(!model.tensors().empty(), "a model has tensors");
  switch (model.task().kind) {
    case TaskKind::kLanguage:
    case TaskKind::kConditional:
      return use_language_model(model);
    case TaskKind::kClassify:
      expect(Classifier(model, {.threads = 1}).classify("a b").probabilities.size() == model.task().labels.size(),
             "each label has a probability");
      return;
    case TaskKind::kTag:
      expect(Tagger(model, {.threads = 1}).tag({"a", "b"}).front().tags.size() == 2, "each word has a tag");
      return;
    case TaskKind::kRegress:
      return;
  }
}

}  // namespace

// A state that was saved begins with letters of its own.
std::string fuzz_model(std::string_view input) {
  if (input.starts_with("unroll"))
    return refusal_of([&] { expect(State::load(input).save() == input, "bits are kept"); });
  const std::string path = file_of(framed(input), "model");
  static_cast<void>(is_model_file(path));
  return refusal_of([&] { use(Model::load(path)); });
}

}  // namespace unroll
