#include "train/run_files.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "train/checkpoint.h"
#include "unroll/error.h"
#include "unroll/paths.h"

namespace unroll {
namespace {

std::vector<std::string> read_files(const TrainOptions& options) {
  std::vector<std::string> paths = options.text.paths;
  for (const std::vector<std::string>* const targets :
       {&options.task.dense.target_paths, &options.task.valid_targets}) {
    paths.insert(paths.end(), targets->begin(), targets->end());
  }
  for (const std::string& path : {options.text.valid, options.tokenizer.vocab_file, options.files.from,
                                  options.transfer.init, options.transfer.unlabelled, options.transfer.vectors}) {
    if (!path.empty()) paths.push_back(path);
  }
  return paths;
}

}  // namespace

std::vector<std::string> written_files(const TrainOptions& options) {
  std::vector<std::string> paths{options.files.save, checkpoint_path(options.files.save)};
  if (options.transfer.unlabelled.empty()) return paths;
  paths.push_back(language_model_path(options.files.save));
  paths.push_back(checkpoint_path(paths.back()));
  return paths;
}

void expect_files_apart(const TrainOptions& options) {
  for (const std::string& written : written_files(options)) {
    for (const std::string& read : read_files(options)) {
      if (!same_file(written, read)) continue;
      throw Error(
          ErrorCode::kUsage,
          fmt::format("`files.save` {} would replace '{}', which is read: give another path", options.files.save, read),
          "files.save");
    }
    expect_writable(written);
  }
}

void expect_own_checkpoint(const FileOptions& files) {
  const std::string path = checkpoint_path(files.save);
  if (!files.overwrite || !file_exists(path) || is_checkpoint(path)) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("`files.save` {} would replace '{}', which is not a resume file of unroll: move it, or give "
                          "another path",
                          files.save, path),
              "files.save");
}

}  // namespace unroll
