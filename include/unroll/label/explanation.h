// Why a classifier gives a text a label: how much each token speaks for it.
//
//   unroll::Explainer explainer(unroll::Model::load("reviews.safetensors"));
//   for (const unroll::ExplainedToken& token : explainer.explain("what a film").tokens) { ... }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/model.h"

namespace unroll {

struct ExplainedToken {
  std::string text;         // as the input has it
  std::int64_t offset = 0;  // first byte in the text
  bool is_unknown = false;  // the network reads the symbol of all unknown words
  double attribution = 0;   // what it adds to the label's score: > 0 speaks for the label, < 0 against it
  // p(label) of the text minus p(label) of the text without this token; none of texts of more than 512 tokens.
  std::optional<double> left_out = {};
};

// Integrated gradients (Sundararajan, Taly & Yan 2017) of a label's score y, before temperature and softmax. Of the
// embeddings x_1 .. x_n of a text and of the boundary after it, token t gets
//
//   a_t = x_t . mean over alpha in (0, 1) of dy/dx_t at alpha x
//
// where all embeddings are multiplied by alpha. Their sum is y - y_0, where y_0 is the score if all embeddings are
// zero: the mean is taken over so many alphas that the sum is within 1% of it.
struct Explanation {
  std::int32_t label = 0;
  double probability = 0;     // of the label; the bits of Classifier
  double score = 0;           // y
  double baseline_score = 0;  // y_0
  std::vector<ExplainedToken> tokens;
  double end_attribution = 0;  // of the boundary
  std::int64_t alphas = 0;     // how many

  // The sum of all attributions minus (y - y_0). It exceeds 1% only where y hardly differs from y_0, or in texts so
  // long that more alphas would take minutes.
  [[nodiscard]] double error() const noexcept;
};

// Explains what one model answers. Not for two threads at once; several may share a Model. Gradients are those of the
// model's weights in f32, whatever its precision.
class Explainer {
 public:
  // Throws as Classifier.
  explicit Explainer(Model model, int threads = 0);
  ~Explainer();
  Explainer(Explainer&&) noexcept;
  Explainer& operator=(Explainer&&) noexcept;

  // Explains a label, or else the most probable one. Throws as Classifier::classify(), and Error{kUsage} for a label
  // outside 0 .. K - 1.
  [[nodiscard]] Explanation explain(std::string_view text, std::optional<std::int32_t> label = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
