// The flags that put n-grams beside a model, the same for every verb that predicts a text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/flags/flags.h"
#include "cli/streams/terminal.h"
#include "unroll/ngram/ngram.h"

namespace unroll {

class NgramFlags {
 public:
  // Declares --ngram and --lambda under a heading of their own. This must live until flags->parse() has returned.
  void declare(Flags* flags);

  // Throws Error{kUsage} where --lambda is given without --ngram.
  void check(const Flags& flags) const;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // Reads the file, if one is named. Throws what Ngram::load() throws.
  [[nodiscard]] std::optional<NgramMix> read(Terminal* terminal) const;

 private:
  std::string path_;
  double lambda_ = 0.5;
};

// Reads an ARPA file, saying so and how many n-grams there are.
[[nodiscard]] Ngram read_ngram(const std::string& path, Terminal* terminal);

// "3-grams, lambda 0.5 (the network's share)"; empty where there are none or lambda is 1, so that they change nothing.
[[nodiscard]] std::string describe(const std::optional<NgramMix>& mix);

// Sets object["ngram"] where n-grams change predictions.
void put_ngram(nlohmann::ordered_json* object, const std::optional<NgramMix>& mix);

}  // namespace unroll
