#include "cli/flags/ngram_flags.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/streams/escaped.h"
#include "cli/streams/quantities.h"
#include "unroll/error.h"

namespace unroll {
namespace {

bool takes_part(const std::optional<NgramMix>& mix) { return mix && mix->lambda < 1; }

// What is wrong with the sums; empty: nothing.
std::string sums_words(const NgramSums& sums) {
  if (sums.wrong == 0) return "";
  const std::string where = sums.worst_context.empty()
                                ? std::string("the 1-grams")
                                : fmt::format("the words after \"{}\"", escaped(sums.worst_context));
  return fmt::format(
      "the probabilities of {} sum to {:.4g}, and those after {} of {} contexts that were summed are not within {} of "
      "1: "
      "the file was edited or filtered, or is not a back-off model; its numbers are used as they are",
      where, sums.worst_sum, grouped(sums.wrong), grouped(sums.contexts), kNgramSumTolerance);
}

}  // namespace

void NgramFlags::declare(Flags* flags) {
  flags->heading("N-grams beside the network");
  flags->path({"--ngram", "FILE",
               "an ARPA file, whose probability of each word is mixed with the network's; for models of words", ""},
              &path_);
  flags->real({"--lambda", "L",
               "the network's share, 1 - L is the n-grams'; 1: the network alone, 0: the n-grams alone (unroll tune "
               "finds it)",
               fmt::format("{}", lambda_)},
              {.least = 0, .most = 1}, [this](double x) { lambda_ = x; });
}

void NgramFlags::check(const Flags& flags) const {
  if (path_.empty() && flags.given("--lambda")) {
    throw Error(ErrorCode::kUsage, "--lambda does nothing without --ngram: give both, or neither");
  }
}

std::optional<NgramMix> NgramFlags::read(Terminal* terminal) const {
  if (path_.empty()) return std::nullopt;
  return NgramMix{.ngram = read_ngram(path_, terminal), .lambda = lambda_};
}

Ngram read_ngram(const std::string& path, Terminal* terminal) {
  if (terminal->live_due()) terminal->live(fmt::format("reading n-grams of {}", path));
  Ngram ngram = Ngram::load(path);
  std::string counts;
  for (std::int64_t order = 1; order <= ngram.order(); ++order) {
    counts += fmt::format("{}{} {}-grams", order == 1 ? "" : ", ", grouped(ngram.count(order)), order);
  }
  terminal->line(fmt::format("{}: {}", path, counts));
  if (const std::string words = sums_words(ngram.sums()); !words.empty()) {
    terminal->line(fmt::format("warning: {}: {}", path, words));
  }
  return ngram;
}

std::string describe(const std::optional<NgramMix>& mix) {
  if (!takes_part(mix)) return "";
  return fmt::format("{}-grams, lambda {} (the network's share)", mix->ngram.order(), mix->lambda);
}

void put_ngram(nlohmann::ordered_json* object, const std::optional<NgramMix>& mix) {
  if (takes_part(mix))
    (*object)["ngram"] = {
        {"order", mix->ngram.order()}, {"lambda", mix->lambda}, {"worst_sum", mix->ngram.sums().worst_sum}};
}

}  // namespace unroll
