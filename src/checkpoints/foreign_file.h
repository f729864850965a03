// A file of another program that was read, and what is known of it besides its values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoints/value.h"

namespace unroll {

// Source text that a file carries, of a class whose objects it holds. It is shown and never run.
struct SourceText {
  std::string name;  // of the class
  std::string file;  // where it stood on its author's machine
  std::string text;
};

// Whose names and shapes a file has.
enum class ForeignKind {
  kTorch,       // of PyTorch, whatever the container
  kNpz,         // of whoever saved the arrays
  kTorch7,      // of torch-rnn
  kTensorFlow,  // of TensorFlow: checkpoints, folders of ml5
};

struct ForeignFile {
  std::string path = {};
  ForeignKind kind = ForeignKind::kTorch;
  std::string format = {};  // for people: "PyTorch, zip", "NumPy arrays (npz)"
  ValueGraph values = {};
  ValueId root = kNoValue;
  std::string description = {};  // what unroll wrote beside the weights (export/description.h); empty: nothing
  std::vector<SourceText> sources = {};
  std::vector<std::string> notes = {};  // what a person should know of the file, one line each
  std::vector<std::string> files = {};  // paths of all that was read
};

// Maps a file that `file` consists of, keeps its bytes for as long as the values, and notes its path. Throws
// Error{kFile} where it cannot be read, or is no regular file.
[[nodiscard]] std::string_view read_part(ForeignFile& file, const std::string& path);

}  // namespace unroll
