// beam_search MODEL DIGITS [BEAM]: decodes text typed on the keys of a telephone, where 2 is a, b or c, 3 is d, e or f,
// and 0 is the space: "8430228" may be "the cat" or "tid bat". Follows the BEAM most probable texts (default 10) under
// a model of characters.
#include <unroll/error.h>
#include <unroll/model.h>
#include <unroll/scorer.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::array<std::string_view, 10> kKeys = {" ",   ".,!?'", "abc",  "def", "ghi",
                                                    "jkl", "mno",   "pqrs", "tuv", "wxyz"};

// A prefix of the text. The model's state after it is a value: each extension gets a copy.
struct Hypothesis {
  unroll::State state;
  std::string text;
  double log_prob = 0;  // nats
};

// A hypothesis and a symbol that may follow it.
struct Extension {
  const Hypothesis* from = nullptr;
  std::int32_t symbol = 0;
  double log_prob = 0;  // of both, nats
};

// The symbols of the model's vocabulary that are on a key.
std::vector<std::int32_t> symbols_on(const unroll::Tokenizer& tokenizer, char key) {
  std::vector<std::int32_t> symbols;
  for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string& symbol = tokenizer.symbol(id);
    if (symbol.size() == 1 && kKeys.at(static_cast<std::size_t>(key - '0')).find(symbol[0]) != std::string_view::npos) {
      symbols.push_back(id);
    }
  }
  return symbols;
}

// The best `beam` extensions by one of `symbols`.
std::vector<Hypothesis> extended(unroll::Scorer& scorer, const unroll::Tokenizer& tokenizer,
                                 const std::vector<Hypothesis>& hypotheses, const std::vector<std::int32_t>& symbols,
                                 std::size_t beam) {
  std::vector<Extension> extensions;
  for (const Hypothesis& hypothesis : hypotheses) {
    const std::vector<double> log_probs = scorer.next_log_probs(hypothesis.state);
    for (const std::int32_t symbol : symbols) {
      extensions.push_back({&hypothesis, symbol, hypothesis.log_prob + log_probs[static_cast<std::size_t>(symbol)]});
    }
  }
  std::stable_sort(extensions.begin(), extensions.end(),
                   [](const Extension& a, const Extension& b) { return a.log_prob > b.log_prob; });
  extensions.resize(std::min(extensions.size(), beam));

  std::vector<Hypothesis> result;
  for (const Extension& extension : extensions) {
    Hypothesis next = *extension.from;
    next.log_prob += scorer.step(next.state, extension.symbol);
    next.text += tokenizer.symbol(extension.symbol);
    result.push_back(std::move(next));
  }
  return result;
}

int decode(const std::string& path, const std::string& digits, std::size_t beam) {
  const auto model = unroll::Model::load(path);
  const unroll::Tokenizer& tokenizer = model.tokenizer();
  unroll::Scorer scorer(model);
  std::vector<Hypothesis> hypotheses{{scorer.initial_state(), "", 0}};
  for (const char key : digits) {
    hypotheses = extended(scorer, tokenizer, hypotheses, symbols_on(tokenizer, key), beam);
    if (hypotheses.empty()) {
      std::cerr << "beam_search: the model's vocabulary has no symbol of key " << key << '\n';
      return 1;
    }
  }
  std::cout.precision(17);
  for (const Hypothesis& hypothesis : hypotheses) std::cout << hypothesis.log_prob << '\t' << hypothesis.text << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto is_number = [](const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  };
  const bool has_beam = arguments.size() == 3 && arguments[2].size() <= 4 && arguments[2].find_first_not_of('0') == 0;
  if (!(arguments.size() == 2 || has_beam) || !std::all_of(arguments.begin() + 1, arguments.end(), is_number)) {
    std::cerr << "usage: beam_search MODEL DIGITS [BEAM]\n";
    return 2;
  }
  try {
    return decode(arguments[0], arguments[1], has_beam ? std::stoul(arguments[2]) : 10);
  } catch (const std::exception& error) {  // unroll::Error says what failed, where, and what to try
    std::cerr << "beam_search: " << error.what() << '\n';
    return 1;
  }
}
