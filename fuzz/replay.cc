// Reads the files of CORPUS/TARGET/ through each target, in a build without libFuzzer: a test.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "target.h"
#include "targets.h"

namespace unroll {
namespace {

struct Target {
  const char* name;  // of the folder of its corpus
  std::string (*read)(std::string_view);
};

constexpr std::array<Target, 17> kTargets{{{"arpa", fuzz_arpa},
                                           {"columns", fuzz_columns},
                                           {"dense", fuzz_dense},
                                           {"http", fuzz_http},
                                           {"id_cache", fuzz_id_cache},
                                           {"import", fuzz_import},
                                           {"labelled_texts", fuzz_labelled_texts},
                                           {"lists", fuzz_lists},
                                           {"model", fuzz_model},
                                           {"pairs", fuzz_pairs},
                                           {"recipe", fuzz_recipe},
                                           {"request", fuzz_request},
                                           {"resume", fuzz_resume},
                                           {"sentencepiece", fuzz_sentencepiece},
                                           {"text", fuzz_text},
                                           {"vocabulary", fuzz_vocabulary},
                                           {"word_vectors", fuzz_word_vectors}}};

// Inputs named valid* must be accepted, so that a corpus does not grow stale unnoticed. The name comes first: where a
// sanitizer ends the program, the last one is to blame.
void replay(const Target& target, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::ranges::sort(paths);
  expect(!paths.empty(), "a corpus has an input");
  for (const std::filesystem::path& path : paths) {
    std::fprintf(stderr, "%s\n", path.c_str());
    const std::string refusal = target.read(bytes_of(path.string()));
    const bool valid = path.filename().string().starts_with("valid");
    if (valid) expect(refusal.empty(), ("a valid input is accepted: " + refusal).c_str());
  }
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_replay CORPUS\n");
    return 2;
  }
  for (const unroll::Target& target : unroll::kTargets) {
    unroll::replay(target, std::filesystem::path(argv[1]) / target.name);
  }
  return 0;
}
