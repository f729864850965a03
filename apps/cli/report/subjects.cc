#include "cli/report/subjects.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "unroll/error.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;

bool begins_like_a_log(const fs::path& path) {
  constexpr std::string_view kBegin = "{\"step\":";
  std::ifstream file(path, std::ios::binary);
  std::string begin(kBegin.size(), '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return file && begin == kBegin;
}

bool is_subject_file(const fs::directory_entry& entry) {
  std::error_code failure;
  if (!entry.is_regular_file(failure) || entry.path().filename().string().starts_with('.')) return false;
  return entry.path().extension() == ".safetensors" || begins_like_a_log(entry.path());
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure)) {
    if (is_subject_file(entry)) files.push_back(entry.path().string());
  }
  if (failure) throw Error(ErrorCode::kFile, fmt::format("cannot read the folder {}: {}", folder, failure.message()));
  if (files.empty()) {
    throw Error(ErrorCode::kUsage, fmt::format("{}: the folder has neither a training log nor a model", folder));
  }
  std::ranges::sort(files);
  return files;
}

// A log and a model of one name.
struct SubjectFiles {
  std::string name;
  std::string log;
  std::string model;
};

std::vector<SubjectFiles> paired(const std::vector<std::string>& files) {
  std::vector<SubjectFiles> pairs;
  std::map<fs::path, std::size_t> places;  // of folder and stem
  for (const std::string& file : files) {
    const fs::path path = fs::path(file).lexically_normal();
    const auto [place, is_new] = places.emplace(path.parent_path() / path.stem(), pairs.size());
    if (is_new) pairs.push_back({.name = path.stem().string(), .log = {}, .model = {}});
    SubjectFiles& pair = pairs[place->second];
    std::string& slot = is_model_file(file) ? pair.model : pair.log;
    if (slot.empty()) {
      slot = file;
    } else if (slot != file) {
      const bool model = is_model_file(file);
      pairs.push_back({.name = path.filename().string(), .log = model ? "" : file, .model = model ? file : ""});
    }
  }
  return pairs;
}

// The only log of a folder is that of its only model, whatever they are called.
void join_lonely(std::vector<SubjectFiles>& pairs) {
  if (pairs.size() != 2 || pairs[0].log.empty() == pairs[1].log.empty()) return;
  SubjectFiles& log = pairs[pairs[0].log.empty() ? 1 : 0];
  SubjectFiles& model = pairs[pairs[0].log.empty() ? 0 : 1];
  if (!log.model.empty() || !model.log.empty()) return;
  if (fs::path(log.log).parent_path() != fs::path(model.model).parent_path()) return;
  pairs = {{.name = model.name, .log = log.log, .model = model.model}};
}

// Two of one name are called by their folders too.
void tell_apart(std::vector<SubjectFiles>& pairs) {
  std::map<std::string, int> counts;
  for (const SubjectFiles& pair : pairs) ++counts[pair.name];
  for (SubjectFiles& pair : pairs) {
    if (counts[pair.name] == 1) continue;
    const fs::path path(pair.model.empty() ? pair.log : pair.model);
    const fs::path folder = path.parent_path().filename();
    if (!folder.empty()) pair.name = (folder / pair.name).string();
  }
}

std::vector<SubjectFiles> found_subjects(const std::vector<std::string>& paths) {
  std::vector<std::string> named;
  std::vector<SubjectFiles> all;
  for (const std::string& path : paths) {
    std::error_code failure;
    if (!fs::is_directory(path, failure)) {
      named.push_back(path);
      continue;
    }
    std::vector<SubjectFiles> pairs = paired(files_in(path));
    join_lonely(pairs);
    all.insert(all.end(), pairs.begin(), pairs.end());
  }
  std::vector<SubjectFiles> pairs = paired(named);
  all.insert(all.begin(), pairs.begin(), pairs.end());
  tell_apart(all);
  if (all.size() > kMostSubjects) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} runs and models: a report compares at most {}", all.size(), kMostSubjects));
  }
  return all;
}

RunCurves curves_of_history(const Model& model) {
  RunCurves curves;
  for (const HistoryPoint& point : model.training().history) {
    curves.add({.step = point.step,
                .tokens = point.tokens,
                .nats_per_token = point.nats_per_token,
                .lr = point.lr,
                .valid_nats_per_token = point.valid_nats_per_token,
                .average_valid_nats_per_token = point.average_valid_nats_per_token,
                .valid_accuracy = point.valid_accuracy});
  }
  return curves;
}

}  // namespace

std::vector<std::string> subject_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const SubjectFiles& pair : found_subjects(paths)) {
    for (const std::string& file : {pair.log, pair.model}) {
      if (!file.empty()) files.push_back(file);
    }
  }
  return files;
}

std::vector<Subject> read_subjects(const std::vector<std::string>& paths) {
  std::vector<Subject> subjects;
  for (const SubjectFiles& pair : found_subjects(paths)) {
    Subject subject{.name = pair.name};
    if (!pair.model.empty()) subject.model = Model::load(pair.model);
    if (!pair.log.empty()) subject.log = read_run_log(pair.log);
    if (subject.log) {
      subject.curves = subject.log->curves;
    } else {
      subject.curves = curves_of_history(*subject.model);
    }
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

std::vector<NamedRun> named_runs(const std::vector<Subject>& subjects) {
  std::vector<NamedRun> runs;
  for (const Subject& subject : subjects) {
    if (!subject.curves.bins().empty()) runs.push_back({.name = subject.name, .curves = &subject.curves});
  }
  return runs;
}

}  // namespace unroll
