#include "unroll/scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include "python/bindings.h"
#include "python/bound.h"
#include "python/errors.h"
#include "python/exclusive.h"
#include "python/keywords.h"
#include "python/numbers.h"
#include "python/state.h"
#include "python/text.h"
#include "unroll/error.h"
#include "unroll/score/word_scorer.h"

namespace unroll {
namespace {

// As many lines at once as the command scores: enough to run side by side, with scores that fit in memory.
constexpr std::size_t kBatchBytes = std::size_t{1} << 18;
constexpr std::size_t kBatchLines = std::size_t{1} << 14;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double in_bits(double nats) { return nats / std::numbers::ln2 + 0.0; }

// How minicons writes a log-probability.
struct Scale {
  bool surprisal = false;  // negated
  bool prob = false;       // e to its power
  bool base_two = false;

  [[nodiscard]] double of(double log_prob) const {
    if (prob) return std::exp(log_prob);
    const double scaled = base_two ? in_bits(log_prob) : log_prob;
    return (surprisal ? -scaled : scaled) + 0.0;
  }
};

Scale scale_of(bool surprisal, bool prob, bool base_two) {
  if (prob && (surprisal || base_two)) {
    throw Error(ErrorCode::kUsage,
                "`prob` is a probability, which has no base and no sign: leave `surprisal` and "
                "`base_two` out",
                "prob");
  }
  return {surprisal, prob, base_two};
}

// The lines of the next batch, from `first` on.
std::span<const std::string> next_batch(const std::vector<std::string>& lines, std::size_t first) {
  std::size_t bytes = 0;
  std::size_t last = first;
  while (last < lines.size() && last - first < kBatchLines && bytes < kBatchBytes) bytes += lines[last++].size();
  return std::span(lines).subspan(first, last - first);
}

// "mean", "sum", or what a function of Python makes of an array.
class Reduction {
 public:
  explicit Reduction(const py::object& how) : how_(how) {
    if (!py::isinstance<py::str>(how)) return;
    name_ = how.cast<std::string>();
    if (name_ != "mean" && name_ != "sum") {
      throw Error(ErrorCode::kUsage,
                  "`reduction` is \"" + name_ + "\": expected 'mean', 'sum', or a function of an array", "reduction");
    }
  }

  // The sum is in the order of the tokens, as in the score of a line.
  [[nodiscard]] py::object of(std::vector<double> scores) const {
    if (name_.empty()) return how_(array_of(std::move(scores)));
    double sum = 0;
    for (const double score : scores) sum += score;
    return py::float_(name_ == "sum" ? sum : sum / static_cast<double>(scores.size()));
  }

 private:
  py::object how_;
  std::string name_;  // empty: a function
};

struct ScorerArguments {
  ScorerOptions options;
  WordScorerOptions words;
  std::string not_for_words;  // an argument that scores of words do not follow
};

ScorerArguments scorer_arguments(const py::kwargs& given) {
  Keywords keywords("Scorer", given);
  ScorerArguments arguments;
  ScorerOptions& options = arguments.options;
  options.accounting = take_accounting(keywords);
  keywords.take_name("state", options.accounting.state, parse_state_policy);
  keywords.take_text("context", options.accounting.context);
  options.adaptation = take_adaptation(keywords);
  keywords.take_text("label", options.label);
  options.ngram = take_ngram(keywords);
  keywords.take("threads", options.threads);
  keywords.expect_none_left();
  const Accounting& accounting = options.accounting;
  arguments.words = {.state = accounting.state,
                     .end = accounting.end,
                     .temperature = options.adaptation.temperature,
                     .threads = options.threads};
  const auto unless = [&](bool is_plain, const char* name) {
    if (!is_plain) arguments.not_for_words = name;
  };
  unless(accounting.context.empty(), "context");
  unless(accounting.begin.value_or(BeginPolicy::kBoundary) == BeginPolicy::kBoundary, "begin");
  unless(accounting.unknown == UnknownPolicy::kScore, "unknown");
  unless(!options.adaptation.cache, "cache");
  unless(!options.adaptation.dynamic, "dynamic");
  unless(options.label.empty(), "label");
  unless(!options.ngram, "ngram");
  return arguments;
}

// Scorer and WordScorer of one model, as Python sees them.
class LineScorer {
 public:
  LineScorer(Model model, ScorerArguments arguments)
      : model_(std::move(model)), arguments_(std::move(arguments)), scorer_("Scorer", [this] {
          ScorerOptions options = arguments_.options;
          options.progress = [check = SignalCheck()](std::int64_t, std::int64_t) mutable { check(); };
          return std::make_unique<Scorer>(model_, options);
        }) {}

  [[nodiscard]] const Model& model() const noexcept { return model_; }

  // Scores all lines batch by batch; take(scores, index of the first) is called with the interpreter's lock.
  template <class Take>
  void score(const std::vector<std::string>& lines, bool tokens, bool ranks, const Take& take) {
    for (std::size_t first = 0; first < lines.size();) {
      const std::span<const std::string> batch = next_batch(lines, first);
      const std::vector<Score> scores = score_batch(batch, first, tokens, ranks);
      take(scores, first);
      first += batch.size();
    }
  }

  template <class Use>
  auto use(const Use& use) {
    return scorer_.use(use);
  }

  // The words of all lines: take(words, index of the line), with the interpreter's lock.
  template <class Take>
  void score_words(const std::vector<std::string>& lines, const WordScorerOptions& options, const Take& take) {
    if (!arguments_.not_for_words.empty()) {
      const std::string& field = arguments_.not_for_words;
      throw Error(ErrorCode::kUsage, "scores of words know no `" + field + "`: make a Scorer without it", field);
    }
    const std::shared_ptr<Exclusive<WordScorer>> scorer = words(options);
    SignalCheck check_signals;
    for (std::size_t first = 0; first < lines.size();) {
      const std::span<const std::string> batch = next_batch(lines, first);
      const auto scored =
          scorer->use([&](WordScorer& words) { return score_batch(words, batch, first, check_signals); });
      for (std::size_t i = 0; i < scored.size(); ++i) take(scored[i], first + i);
      first += batch.size();
    }
  }

  [[nodiscard]] WordScorerOptions word_options() const { return arguments_.words; }

 private:
  std::vector<Score> score_batch(std::span<const std::string> batch, std::size_t first, bool tokens, bool ranks) {
    const LineNames names = [first](std::size_t index) { return "line " + std::to_string(first + index + 1); };
    try {
      return scorer_.use([&](Scorer& scorer) {
        scorer.keep(tokens, ranks);
        return scorer.score(batch, names);
      });
    } catch (const Error& error) {
      if (!error.index()) throw;
      throw error.at(*error.index() + static_cast<std::int64_t>(first));
    } catch (const py::error_already_set&) {
      scorer_.forget();  // it stands somewhere within the lines
      throw;
    }
  }

  static std::vector<std::vector<WordScore>> score_batch(WordScorer& words, std::span<const std::string> batch,
                                                         std::size_t first, SignalCheck& check_signals) {
    std::vector<std::vector<WordScore>> scored;
    scored.reserve(batch.size());
    for (const std::string& line : batch) {
      const auto index = static_cast<std::int64_t>(first + scored.size());
      check_signals();
      try {
        scored.push_back(words.score(line, index + 1));
      } catch (const Error& error) {
        throw error.at(index);
      }
    }
    return scored;
  }

  // The one that is there, if it has these options.
  std::shared_ptr<Exclusive<WordScorer>> words(const WordScorerOptions& options) {
    const auto is_it = [&](const WordScorerOptions& has) {
      return has.outcomes == options.outcomes && has.top == options.top && has.budget == options.budget &&
             has.longest == options.longest;
    };
    if (!words_ || !is_it(words_options_)) {
      words_ = std::make_shared<Exclusive<WordScorer>>(
          "Scorer", [model = model_, options] { return std::make_unique<WordScorer>(model, options); });
      words_options_ = options;
    }
    return words_;
  }

  Model model_;
  ScorerArguments arguments_;
  Exclusive<Scorer> scorer_;
  WordScorerOptions words_options_;
  std::shared_ptr<Exclusive<WordScorer>> words_;  // another call may still use one that was replaced
};

}  // namespace

template <>
inline constexpr bool kIsBound<LineScorer> = true;

namespace {

py::object score_lines(LineScorer& self, const py::object& lines) {
  const std::vector<std::string> texts = one_or_more_texts(lines, "line");
  std::vector<double> sums;
  sums.reserve(texts.size());
  self.score(texts, false, false, [&](const std::vector<Score>& scores, std::size_t) {
    for (const Score& score : scores) sums.push_back(score.log_prob + 0.0);
  });
  if (is_text(lines)) return py::float_(sums.front());
  return array_of(std::move(sums));
}

// What a token adds to its line.
double added(const TokenScore& token) { return token.counted ? token.log_prob : 0; }

py::list token_score(LineScorer& self, const py::object& lines, bool surprisal, bool prob, bool base_two, bool rank) {
  const Scale scale = scale_of(surprisal, prob, base_two);
  py::list all;
  self.score(one_or_more_texts(lines, "line"), true, rank, [&](const std::vector<Score>& scores, std::size_t) {
    for (const Score& score : scores) {
      py::list tokens(score.tokens.size());
      for (std::size_t i = 0; i < score.tokens.size(); ++i) {
        const TokenScore& token = score.tokens[i];
        const double value = scale.of(added(token));
        tokens[i] = rank ? py::make_tuple(str_of(token.text), value, token.given ? 0 : token.rank)
                         : py::make_tuple(str_of(token.text), value);
      }
      all.append(std::move(tokens));
    }
  });
  return all;
}

// Of the tokens that count, from the one on that reaches beyond the first `bytes` of the line.
std::vector<double> counted_scores(const Score& score, std::size_t bytes, const Scale& scale) {
  std::vector<double> values;
  for (const TokenScore& token : score.tokens) {
    const std::size_t end = static_cast<std::size_t>(token.offset) + token.text.size();
    if (token.counted && (bytes == 0 || end > bytes)) values.push_back(scale.of(token.log_prob));
  }
  return values;
}

py::list sequence_score(LineScorer& self, const py::object& lines, const py::object& reduction, bool surprisal,
                        bool prob, bool base_two) {
  const Scale scale = scale_of(surprisal, prob, base_two);
  const Reduction reduce(reduction);
  py::list all;
  self.score(one_or_more_texts(lines, "line"), true, false, [&](const std::vector<Score>& scores, std::size_t) {
    for (const Score& score : scores) all.append(reduce.of(counted_scores(score, 0, scale)));
  });
  return all;
}

py::list conditional_score(LineScorer& self, const py::object& prefix, const py::object& continuation,
                           const std::string& separator, const py::object& reduction, bool surprisal, bool prob,
                           bool base_two) {
  const Scale scale = scale_of(surprisal, prob, base_two);
  const Reduction reduce(reduction);
  std::vector<std::string> prefixes = one_or_more_texts(prefix, "prefix");
  std::vector<std::string> lines = one_or_more_texts(continuation, "continuation");
  if (is_text(prefix)) prefixes.resize(lines.size(), prefixes.front());
  if (prefixes.size() != lines.size()) {
    throw Error(ErrorCode::kUsage,
                std::to_string(prefixes.size()) + " prefixes for " + std::to_string(lines.size()) +
                    " continuations: give one for each, or one for all",
                "prefix");
  }
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i] = prefixes[i] + separator + lines[i];
  py::list all;
  self.score(lines, true, false, [&](const std::vector<Score>& scores, std::size_t first) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      all.append(reduce.of(counted_scores(scores[i], prefixes[first + i].size(), scale)));
    }
  });
  return all;
}

py::dict token_table(LineScorer& self, const py::object& lines) {
  std::vector<std::int64_t> line;
  py::list text;
  std::vector<std::int32_t> id;
  std::vector<std::int64_t> offset;
  std::vector<double> log_prob;
  std::vector<std::int64_t> rank;
  std::vector<double> entropy;
  self.score(one_or_more_texts(lines, "line"), true, true, [&](const std::vector<Score>& scores, std::size_t first) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      for (const TokenScore& token : scores[i].tokens) {
        line.push_back(static_cast<std::int64_t>(first + i));
        text.append(str_of(token.text));
        id.push_back(token.id);
        offset.push_back(token.offset);
        log_prob.push_back(token.counted ? token.log_prob + 0.0 : kNone);
        rank.push_back(token.given ? 0 : token.rank);
        entropy.push_back(token.given ? kNone : token.entropy);
      }
    }
  });
  py::dict table;
  table["line"] = array_of(std::move(line));
  table["token"] = text;
  table["id"] = array_of(std::move(id));
  table["offset"] = array_of(std::move(offset));
  table["log_prob"] = array_of(std::move(log_prob));
  table["rank"] = array_of(std::move(rank));
  table["entropy"] = array_of(std::move(entropy));
  return table;
}

py::list word_score(LineScorer& self, const py::object& lines, bool surprisal, bool prob, bool base_two) {
  const Scale scale = scale_of(surprisal, prob, base_two);
  WordScorerOptions options = self.word_options();
  options.outcomes = false;
  py::list all;
  self.score_words(one_or_more_texts(lines, "line"), options, [&](const std::vector<WordScore>& words, std::size_t) {
    py::list scored(words.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
      scored[i] = py::make_tuple(str_of(words[i].text), scale.of(words[i].log_prob));
    }
    all.append(std::move(scored));
  });
  return all;
}

// Characters of UTF-8; of other bytes those that cannot continue one.
std::int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80; });
}

// The columns of `unroll score --words`.
py::dict word_table(LineScorer& self, const py::object& lines, const py::object& budget, const py::object& longest) {
  WordScorerOptions options = self.word_options();
  options.budget = whole_number(budget, "budget");
  options.longest = whole_number(longest, "longest");
  py::list text;
  std::vector<std::int64_t> sentid;
  std::vector<std::int64_t> sentpos;
  std::vector<std::int64_t> wlen;
  std::vector<double> surp;
  std::vector<double> entropy;
  std::vector<double> entred;
  std::vector<double> entropyhi;
  self.score_words(one_or_more_texts(lines, "line"), options,
                   [&](const std::vector<WordScore>& words, std::size_t line) {
                     for (std::size_t i = 0; i < words.size(); ++i) {
                       const WordScore& word = words[i];
                       text.append(str_of(word.text));
                       sentid.push_back(static_cast<std::int64_t>(line));
                       sentpos.push_back(static_cast<std::int64_t>(i));
                       wlen.push_back(characters(word.text));
                       surp.push_back(in_bits(-word.log_prob));
                       entropy.push_back(in_bits(word.entropy.lower));
                       entropyhi.push_back(in_bits(word.entropy.upper));
                       const double before = i == 0 ? entropy.back() : in_bits(words[i - 1].entropy.lower);
                       entred.push_back(std::max(0.0, before - entropy.back()));
                     }
                   });
  py::dict table;
  table["word"] = text;
  table["sentid"] = array_of(std::move(sentid));
  table["sentpos"] = array_of(std::move(sentpos));
  table["wlen"] = array_of(std::move(wlen));
  table["surp"] = array_of(std::move(surp));
  table["entropy"] = array_of(std::move(entropy));
  table["entred"] = array_of(std::move(entred));
  table["entropyhi"] = array_of(std::move(entropyhi));
  return table;
}

SeenState initial_state(LineScorer& self) {
  const auto make = [](Scorer& scorer) { return scorer.initial_state(); };
  return {self.use(make), self.model().config().layers};
}

const SeenState& seen_of(const py::object& state) {
  return bound<SeenState>(state, "the state", "a State, which initial_state() and step() return");
}

py::tuple step(LineScorer& self, const py::object& state, const py::object& token) {
  SeenState next = seen_of(state);
  const std::int32_t id = id_of(token, self.model().tokenizer().size());
  const double log_prob = self.use([&](Scorer& scorer) { return scorer.step(next.state, id); });
  return py::make_tuple(log_prob, std::move(next));
}

py::array_t<double> next_log_probs(LineScorer& self, const py::object& state) {
  const SeenState& seen = seen_of(state);
  return array_of(self.use([&](Scorer& scorer) { return scorer.next_log_probs(seen.state); }));
}

constexpr const char* kScorerText =
    "The probability of text under a language model. Scores are natural logarithms (nats) unless said otherwise, and "
    "equal to those of `unroll score` to the bit: the same line gets the same bits in any company, on any number of "
    "threads.\n\n"
    "Scorer(model, **options), with the options of `unroll score`:\n"
    "  state          'reset': each line by itself; 'carry': the state goes on from line to line, and from call to "
    "call\n"
    "  begin          'boundary' or 'none': what is read before the first token; unset: the model's\n"
    "  context        text that is read before each line and not scored\n"
    "  end            True: the end of a line is scored like a token; False: it is left out\n"
    "  unknown        'score', 'skip' or 'share': what an unknown token adds; with 'share', unknown_words says of how "
    "many\n"
    "  label          of a model of text given a label: that label\n"
    "  temperature    divides the logits\n"
    "  cache          True: a neural cache (cache_size, cache_theta, cache_weight)\n"
    "  dynamic        True: dynamic evaluation (dynamic_bptt, dynamic_rate, dynamic_decay)\n"
    "  ngram          path of an ARPA file that is mixed with the model; ngram_lambda: the model's share\n"
    "  threads        0: one per core\n\n"
    "Lines are one text or an iterable of texts: str, or bytes where they are not UTF-8; without line ends. Calls let "
    "other threads run; two threads that use one Scorer take turns. Ctrl-C ends a call; with state 'carry', a cache or "
    "dynamic evaluation the Scorer then begins anew.";

void bind_arrays(py::class_<LineScorer>& scorer) {
  scorer
      .def("score", &score_lines, py::arg("lines"),
           "The log-probability of each line, in nats: (N,) float64, or a float for one text. The sum over its tokens "
           "that count.")
      .def("token_table", &token_table, py::arg("lines"),
           "All tokens of all lines as columns, for a data frame: line (from 0), token, id, offset (first byte in the "
           "line), log_prob (nats; NaN if it does not count), rank (1: the most probable symbol; 0 if it is not "
           "predicted), entropy (of the prediction, nats).")
      .def("word_table", &word_table, py::arg("lines"), py::kw_only(), py::arg("budget") = 256, py::arg("longest") = 16,
           "All words of all lines as columns: those of `unroll score --words`. word, sentid and sentpos (from 0), "
           "wlen (characters), surp, entropy, entred, entropyhi (bits). Where tokens are not words the entropy lies "
           "between entropy and entropyhi, and budget and longest say how far it is searched for.");
}

void bind_minicons(py::class_<LineScorer>& scorer) {
  scorer
      .def(
          "token_score", &token_score, py::arg("lines"), py::arg("surprisal") = false, py::arg("prob") = false,
          py::arg("base_two") = false, py::arg("rank") = false,
          "A list for each line of (token, score), with rank=True of (token, score, rank). The score is what the token "
          "adds to its line: ln p; surprisal: -ln p; base_two: in bits; prob: p. A token that does not count adds 0.")
      .def("word_score", &word_score, py::arg("lines"), py::arg("surprisal") = false, py::arg("prob") = false,
           py::arg("base_two") = false,
           "A list for each line of (word, score), whatever the tokens are; the end of a word is part of its "
           "probability. Scores as token_score().")
      .def("sequence_score", &sequence_score, py::arg("lines"), py::arg("reduction") = "mean",
           py::arg("surprisal") = false, py::arg("prob") = false, py::arg("base_two") = false,
           "One score for each line, as a list: what reduction makes of the scores of its tokens that count: 'mean', "
           "'sum' (the bits of score()), or a function of an array (T,) float64. Scores as token_score().")
      .def(
          "conditional_score", &conditional_score, py::arg("prefix"), py::arg("continuation"),
          py::arg("separator") = " ", py::arg("reduction") = "mean", py::arg("surprisal") = false,
          py::arg("prob") = false, py::arg("base_two") = false,
          "One score for each continuation given its prefix, as a list: of the line prefix + separator + continuation, "
          "those tokens that reach beyond the prefix (the separator is one of them where it is a token, and the end of "
          "the line, unless end=False). One prefix may be for all. Reduction and scores as sequence_score().");
}

void bind_steps(py::class_<LineScorer>& scorer) {
  scorer.def("initial_state", &initial_state, "The State before anything was read.")
      .def("step", &step, py::arg("state"), py::arg("token"),
           "(ln p of the symbol with the id `token` after `state`, in nats; the State after it). The bits of score(). "
           "Of "
           "the options only temperature and label apply.")
      .def("next_log_probs", &next_log_probs, py::arg("state"),
           "ln p of each of the V symbols after `state`, in nats: (V,) float64.");
}

}  // namespace

void bind_scorer(py::module_& module) {
  auto scorer = bind_class<LineScorer>(module, "Scorer", kScorerText, "make another one, of its model and options");
  scorer.def(py::init([](const py::object& model, const py::kwargs& given) {
               return std::make_unique<LineScorer>(model_of(model, "Scorer"), scorer_arguments(given));
             }),
             py::arg("model"), "See the class.");
  scorer.def_property_readonly("model", &LineScorer::model, "The Model.");
  bind_arrays(scorer);
  bind_minicons(scorer);
  bind_steps(scorer);
}

}  // namespace unroll
