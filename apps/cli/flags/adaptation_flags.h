// The flags that say how a model is adapted to the text that it predicts, the same for every verb that predicts one.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/flags/flags.h"
#include "unroll/adapt/adaptation.h"

namespace unroll {

class AdaptationFlags {
 public:
  // Declares them under a heading of their own. This must live until flags->parse() has returned.
  void declare(Flags* flags);

  // What the command line said. Throws Error{kUsage} where a setting is given of something that is not on.
  [[nodiscard]] Adaptation adaptation(const Flags& flags) const;

 private:
  double temperature_ = 1;
  bool with_cache_ = false;
  CacheOptions cache_;
  bool with_dynamic_ = false;
  DynamicOptions dynamic_;
};

// Sets object["temperature"], object["cache"] and object["dynamic"] where they change predictions.
void put_adaptation(nlohmann::ordered_json* object, const Adaptation& adaptation);

// The flags that say `adaptation`: "--temperature 1.1 --cache --cache-size 2000 ..."; empty where nothing is on.
[[nodiscard]] std::string adaptation_as_flags(const Adaptation& adaptation);

}  // namespace unroll
