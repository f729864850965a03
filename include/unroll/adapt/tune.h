// Finds settings of unroll/adapt/adaptation.h, and the lambda of a mixture with n-grams, on a validation text.
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

// Settings that were tried, and their result.
struct TuneTrial {
  Adaptation adaptation;
  double lambda = 1;          // the network's share in the mixture with n-grams; 1: without n-grams
  std::int64_t tokens = 0;    // of the text's beginning that were predicted; compare only trials with the same number
  double nats_per_token = 0;  // infinity where dynamic evaluation overflowed
  double perplexity = 0;      // exp of that
};

struct TuneOptions {
  bool temperature = true;  // the settings to find
  bool cache = true;
  bool dynamic = true;
  std::optional<Ngram> ngram = {};        // find the lambda of a mixture with these
  std::optional<StatePolicy> state = {};  // empty: what the model was trained with
  std::int64_t tokens = 10000;            // of the text's beginning that dynamic evaluation is tried on; above 0
  int threads = 0;                        // 0: one per core that the process may use
  // Progress of the present pass: what it looks for, predictions made, predictions in all. May be empty.
  std::function<void(const std::string& what, std::int64_t done, std::int64_t total)> progress = {};
};

struct TuneResult {
  TuneTrial plain;                // without adaptation, on all tokens that cache and temperature are tried on
  std::vector<TuneTrial> trials;  // in the order in which they were made; for each size and theta of a cache only the
                                  // best weight. With dynamic evaluation, also `plain` on its tokens
  TuneTrial best;                 // everything that helped, together, on the tokens that it was tried on
  // Settings of `best` beyond which nothing was tried, though it might be better: "cache.size" for one of 10,000 steps.
  std::vector<std::string> at_end = {};
};

// Tries coarse steps, then finer ones around the best, and further ones where the best is the last that was tried.
//
// Temperature: the loss is convex in 1 / temperature, and its least value is found, to about a hundredth of the
// temperature. Temperature and cache are tried on at most 200,000 tokens. For the cache, which is found at the best
// temperature, the network runs once, and its states are kept to sweep settings over; its size is at most 10,000 steps.
// Dynamic evaluation: the rate, then the decay, then the rate again, on options.tokens tokens; the cache is then found
// again together with the best of them. After the cache and after dynamic evaluation, the temperature is found again. A
// setting is part of `best` only if it helped. Lambda comes last, together with the best of all these: the optimum to
// three decimals. The text is read in order. The result does not depend on the number of threads.
//
// Throws what evaluate() throws, and Error{kUsage} where there is nothing to find, or for dynamic evaluation of an int8
// model, before anything is tried.
[[nodiscard]] TuneResult tune(const Model& model, const NamedText& text, const TuneOptions& options = {});

}  // namespace unroll
