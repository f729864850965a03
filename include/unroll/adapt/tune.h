// Finding good settings of unroll/adapt/adaptation.h, and the share of n-grams, on a validation text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unroll/adapt/adaptation.h"
#include "unroll/model.h"
#include "unroll/ngram/ngram.h"
#include "unroll/state_policy.h"
#include "unroll/text.h"

namespace unroll {

// Settings that were tried and how well they did.
struct TuneTrial {
  Adaptation adaptation;
  double lambda = 1;          // the network's share beside the n-grams; 1: it is alone
  std::int64_t tokens = 0;    // of the text's beginning that were predicted; only equal ones compare
  double nats_per_token = 0;  // infinity where dynamic evaluation overflowed
  double perplexity = 0;      // exp of that
};

struct TuneOptions {
  bool temperature = true;  // what to find
  bool cache = true;
  bool dynamic = true;
  std::optional<Ngram> ngram = {};        // find its lambda, too
  std::optional<StatePolicy> state = {};  // empty: what the model was trained with
  std::int64_t tokens = 10000;            // of the text's beginning that dynamic evaluation is tried on; above 0
  int threads = 0;                        // 0: one per core that the process may use
  // Of the pass that is under way: what it looks for, predictions made, predictions in all. May be empty.
  std::function<void(const std::string& what, std::int64_t done, std::int64_t total)> progress = {};
};

struct TuneResult {
  TuneTrial plain;                // nothing adapted, on all tokens that cache and temperature are tried on
  std::vector<TuneTrial> trials;  // in the order in which they were made; of a cache's weights the best for each theta
                                  // and size. With dynamic evaluation, also `plain` on its tokens
  TuneTrial best;                 // all that helped, together, on the tokens that it was tried on
};

// Tries coarse steps, then finer ones around the best.
//
// Temperature and cache: the network runs once and its states are kept, of 200,000 tokens at most; settings are swept
// over these. The cache is found with the best temperature. Dynamic evaluation: the rate, then the decay, then the rate
// again, on options.tokens tokens; with a cache too, that is found anew beside the best of them. A thing is part of
// `best` only if it helped. Lambda comes last, beside the best of all these: the best there is, in three
// decimals. The text is read in order. The result does not depend on the number of threads.
//
// Throws what evaluate() throws, and Error{kUsage} where there is nothing to find, or for dynamic evaluation of an int8
// model, before anything is tried.
[[nodiscard]] TuneResult tune(const Model& model, const NamedText& text, const TuneOptions& options = {});

}  // namespace unroll
