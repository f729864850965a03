#include "checkpoints/read_checkpoint.h"

#include <fmt/core.h>

#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "checkpoints/ml5_folder.h"
#include "checkpoints/npz.h"
#include "checkpoints/pickle.h"
#include "checkpoints/safetensors.h"
#include "checkpoints/tensor_bundle.h"
#include "checkpoints/torch7_file.h"
#include "checkpoints/torch_file.h"
#include "checkpoints/torch_tar.h"
#include "checkpoints/zip_archive.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kHdf5Start("\x89HDF\r\n\x1a\n", 8);

[[noreturn]] void refuse_file(const ForeignFile& checkpoint, std::string_view why) {
  throw Error(ErrorCode::kFormat, fmt::format("'{}': {}", checkpoint.path, why));
}

void read_archive(std::string_view bytes, ForeignFile& checkpoint) {
  const std::vector<ZipMember> members = read_zip(bytes, fmt::format("'{}'", checkpoint.path));
  if (is_torch_archive(members)) return read_torch_archive(members, checkpoint);
  if (is_npz(members)) return read_npz(members, checkpoint);
  refuse_file(checkpoint, "it is a zip archive, and not one of PyTorch or NumPy: it has no data.pkl and no arrays");
}

// A pickle by itself: a vocabulary, settings.
void read_plain_pickle(std::string_view bytes, ForeignFile& checkpoint) {
  checkpoint.format = "pickle";
  const std::string name = fmt::format("'{}'", checkpoint.path);
  const Pickle pickle = read_pickle(checkpoint.values, bytes, name);
  if (pickle.bytes != bytes.size()) {
    refuse_file(checkpoint, fmt::format("{} bytes follow the end of the pickle", bytes.size() - pickle.bytes));
  }
  checkpoint.root = pickle.root;
}

// Formats that are known and not read, and what to do about it.
void refuse_known(std::string_view bytes, const ForeignFile& checkpoint) {
  if (bytes.starts_with(kHdf5Start)) {
    refuse_file(checkpoint,
                "it is an HDF5 file (Keras), which is not read: in Python, numpy.savez() of the layers' get_weights(), "
                "or a state dict of PyTorch with the same numbers, can be");
  }
  if (bytes.starts_with("4\n1\n") || bytes.starts_with("3\n1\n")) {
    refuse_file(checkpoint, "it is a file of Torch 7 in ASCII, which is not read: save it in binary");
  }
}

void read_by_content(ForeignFile& checkpoint) {
  if (is_ml5_folder(checkpoint.path)) return read_ml5_folder(checkpoint);
  const std::string& path = checkpoint.path;
  const std::string_view bytes = read_part(checkpoint, path);
  if (bytes.empty()) refuse_file(checkpoint, "the file is empty");
  refuse_known(bytes, checkpoint);
  if (is_zip(bytes)) {
    read_archive(bytes, checkpoint);
  } else if (is_legacy_torch(bytes)) {
    read_legacy_torch(bytes, checkpoint);
  } else if (is_tar(bytes)) {
    read_torch_tar(bytes, checkpoint);
  } else if (is_torch7(bytes)) {
    read_torch7(bytes, checkpoint);
  } else if (is_bundle_index(bytes)) {
    read_bundle(bytes, checkpoint);
  } else if (is_safetensors(bytes)) {
    read_safetensors(bytes, checkpoint);
  } else {
    read_plain_pickle(bytes, checkpoint);
  }
}

}  // namespace

ForeignFile read_checkpoint(const std::string& path) {
  ForeignFile checkpoint{.path = path};
  // TensorFlow names a checkpoint by what its files have in common.
  if (!file_exists(path) && file_exists(path + ".index")) checkpoint.path += ".index";
  try {
    read_by_content(checkpoint);
    walk(checkpoint.values, checkpoint.root, [](const WalkedValue&) { return true; });
  } catch (const GraphLimit& limit) {
    refuse_file(checkpoint, limit.what());
  }
  return checkpoint;
}

}  // namespace unroll
