#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "support/sealed_file.h"
#include "target.h"
#include "targets.h"
#include "unroll/train.h"

namespace unroll {
namespace {

TrainOptions options_of_run() {
  TrainOptions options;
  options.text.paths = {fuzz_folder().path("resume.txt")};
  options.text.valid_split = 0.2;
  options.network.hidden = 3;
  options.run.batch_size = 2;
  options.run.bptt = 4;
  options.run.steps = 8;
  options.run.validate_every = 2;
  options.run.average = Average::kEma;
  options.run.threads = 1;
  options.files.save = fuzz_folder().path("resumed");
  options.files.save_every = 3;
  return options;
}

// Calls train(), and stops after so many steps of this call.
void train_steps(const TrainOptions& options, int steps) {
  int made = 0;
  train(options, {.on_step = [&](const StepReport&) { ++made; }, .stop_requested = [&] { return made >= steps; }});
}

std::string resume_path() { return options_of_run().files.save + ".resume"; }

// The parts of the resume file of a run that was stopped after half of its steps.
struct ResumeFile {
  nlohmann::ordered_json header;
  std::string data;
};

ResumeFile stopped_run() {
  TrainOptions options = options_of_run();
  std::string text;
  for (int line = 0; line < 20; ++line) text += line % 3 == 0 ? "the cat\n" : "a dog sees\n";
  write_bytes(options.text.paths.front(), text);
  train_steps(options, 4);
  const std::string bytes = bytes_of(resume_path());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  ResumeFile file{.header = nlohmann::ordered_json::parse(bytes.substr(sizeof length, length)),
                  .data = bytes.substr(sizeof length + length)};
  file.header["__metadata__"]["checksum"] = std::string(16, '0');
  return file;
}

// Each line "KEY VALUE" sets a metadata string, and "KEY" removes it. What follows an empty line replaces the first
// bytes of the data.
ResumeFile changed(ResumeFile file, std::string_view input) {
  auto& metadata = file.header["__metadata__"];
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    const std::string line(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
    if (line.empty()) break;
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string key = line.substr(0, space);
    if (key == "checksum") continue;
    if (space == line.size()) {
      metadata.erase(key);
    } else {
      metadata[key] = line.substr(space + 1);
    }
  }
  const std::size_t replaced = std::min(input.size(), file.data.size());
  file.data.replace(0, replaced, input.substr(0, replaced));
  return file;
}

}  // namespace

std::string fuzz_resume(std::string_view input) {
  static const ResumeFile kStopped = stopped_run();
  const ResumeFile file = changed(kStopped, input);
  const std::string header = file.header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  write_bytes(resume_path(), sealed_file(header, file.data));
  TrainOptions options = options_of_run();
  std::filesystem::remove(options.files.save);
  options.files.resume = true;
  return refusal_of([&] { train_steps(options, 6); });
}

}  // namespace unroll
