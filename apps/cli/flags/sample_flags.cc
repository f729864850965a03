#include "cli/flags/sample_flags.h"

#include <fmt/core.h>

#include "unroll/error.h"

namespace unroll {

void declare_sample_flags(Flags* flags, TaskKind task, SampleRequest* request) {
  if (task != TaskKind::kLanguage && task != TaskKind::kConditional) {
    flags->elsewhere({"--sample-every", "--sample-prompt", "--sample-label"},
                     fmt::format(" is for models that write, those of --task language and conditional; this run is of "
                                 "--task {}",
                                 task_name(task)));
    return;
  }
  flags->whole({"--sample-every", "N",
                "show what the network writes after every N steps, and add it to the log: 200 characters, or 50 words, "
                "as unroll generate writes them with seed 1; trains the same model",
                "never"},
               {1, kLargestCount}, [request](std::int64_t steps) { request->every = steps; });
  flags->text({"--sample-prompt", "TEXT", "what samples begin with", "the beginning of a line"},
              [request](const std::string& prompt) { request->prompt = prompt; });
  if (task != TaskKind::kConditional) {
    flags->elsewhere({"--sample-label"}, " is for --task conditional: a language model is given no label");
    return;
  }
  flags->text({"--sample-label", "LABEL", "what samples are to be", "the first label"},
              [request](const std::string& label) { request->label = label; });
}

void check_sample_flags(const Flags& flags) {
  for (const char* const flag : {"--sample-prompt", "--sample-label"}) {
    if (!flags.given(flag) || flags.given("--sample-every")) continue;
    throw Error(ErrorCode::kUsage, fmt::format("{} is of samples: give --sample-every N too", flag));
  }
}

}  // namespace unroll
