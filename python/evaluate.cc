#include "unroll/evaluate.h"

#include "python/bindings.h"
#include "python/bound.h"
#include "python/errors.h"
#include "python/keywords.h"
#include "python/results.h"
#include "python/text.h"

namespace unroll {
namespace {

EvaluateOptions evaluate_options(const py::kwargs& given) {
  Keywords keywords("evaluate", given);
  EvaluateOptions options;
  const Accounting accounting = take_accounting(keywords);
  options.begin = accounting.begin;
  options.end = accounting.end;
  options.unknown = accounting.unknown;
  options.unknown_words = accounting.unknown_words;
  keywords.take_name("state", options.state, parse_state_policy);
  keywords.take("exact", options.exact);
  options.adaptation = take_adaptation(keywords);
  options.ngram = take_ngram(keywords);
  keywords.take("threads", options.threads);
  keywords.expect_none_left();
  return options;
}

py::dict dict_of(const Evaluation& evaluation) {
  py::dict dict;
  dict["tokens"] = evaluation.tokens;
  dict["unknown_tokens"] = evaluation.unknown_tokens;
  dict["nats_per_token"] = evaluation.nats_per_token;
  dict["perplexity"] = evaluation.perplexity;
  dict["nats_per_known_token"] = evaluation.nats_per_known_token;
  dict["perplexity_without_unknown"] = evaluation.perplexity_without_unknown;
  dict["characters"] = evaluation.characters;
  dict["bytes"] = evaluation.bytes;
  dict["bits_per_char"] = evaluation.bits_per_char;
  dict["bits_per_byte"] = evaluation.bits_per_byte;
  dict["comparable"] = evaluation.comparable;
  dict["state"] = str_of(state_policy_name(evaluation.state));
  dict["begin"] = str_of(begin_policy_name(evaluation.begin));
  dict["exact"] = evaluation.exact;
  dict["seconds"] = evaluation.seconds;
  return dict;
}

// The mixture, where n-grams take part.
py::object evaluate_text(const py::object& of, const py::object& text, const py::kwargs& given) {
  const Model& model = model_of(of, "evaluate");
  EvaluateOptions options = evaluate_options(given);
  const std::string bytes = bytes_of(text, "the text");
  options.progress = [check = SignalCheck()](std::int64_t, std::int64_t) mutable { check(); };
  Evaluation evaluation;
  {
    const py::gil_scoped_release unlocked;
    evaluation = evaluate(model, {bytes, "the text"}, options);
  }
  return result_of("Evaluation", dict_of(evaluation));
}

constexpr const char* kEvaluateText =
    "How well a language model predicts a text (str or bytes; read_text() reads one from files): an Evaluation, with "
    "the figures of `unroll eval`.\n\n"
    "Options: state ('carry' or 'reset'; unset: as the model was trained), begin, end, unknown, unknown_words, "
    "temperature, cache, dynamic, ngram and their settings, threads, as a Scorer has them; exact: with carried state "
    "the text is read as one piece, which is slower. With ngram the figures are those of the mixture.";

}  // namespace

void bind_evaluate(py::module_& module) {
  module.def("evaluate", &evaluate_text, py::arg("model"), py::arg("text"), kEvaluateText);
}

}  // namespace unroll
