// A very short training run, and the bytes of its model.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/philox.h"
#include "support/temporary_folder.h"
#include "unroll/train.h"

namespace unroll {

inline std::string some_text(int lines = 120) {
  const std::vector<std::string> words{"the", "a", "cat", "dog", "sees", "hears", "old", "small", "and", "house"};
  std::string text;
  for (int line = 0; line < lines; ++line) {
    const auto picks = random_words(1, 0, RandomPurpose::kTestPoint, 2, 0, static_cast<std::uint32_t>(line));
    for (const std::uint32_t pick : picks) text += words[pick % words.size()] + (pick % 3 == 0 ? ", " : " ");
    text.back() = '\n';
  }
  return text;
}

// A test with a folder of its own.
class SmallRun : public testing::Test {
 protected:
  // Forty steps on some_text().
  TrainOptions small(const std::string& name = "model") {
    if (!text_written_) write_bytes(folder_.path("text"), some_text());
    text_written_ = true;
    TrainOptions options;
    options.text.paths = {folder_.path("text")};
    options.files.save = folder_.path(name);
    options.network.hidden = 12;
    options.run.batch_size = 5;
    options.run.bptt = 9;
    options.run.steps = 40;
    options.files.save_every = 7;
    options.run.threads = 1;
    return options;
  }

  // The bytes of the model trained with these options.
  std::string trained(const TrainOptions& options, const TrainObserver& observer = {}) {
    train(options, observer);
    return bytes_of(options.files.save);
  }

  // The same by a run that stops after every third step, each time in a new call. Only the model is left.
  std::string trained_in_parts(TrainOptions options) {
    options.files.save = folder_.path("parts");
    int calls = 0;
    TrainResult result;
    do {
      options.files.overwrite = calls == 0;
      options.files.resume = calls > 0;
      int steps = 0;
      result = train(options,
                     {.on_step = [&](const StepReport&) { ++steps; }, .stop_requested = [&] { return steps == 3; }});
      ++calls;
    } while (result.interrupted && calls < 100);
    EXPECT_GT(calls, 10);
    EXPECT_FALSE(std::filesystem::exists(options.files.save + ".resume"));
    return bytes_of(options.files.save);
  }

  TemporaryFolder folder_;
  bool text_written_ = false;
};

}  // namespace unroll
