// A trained model: weights, tokenizer, task and training record, in one file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unroll/begin_policy.h"
#include "unroll/network.h"
#include "unroll/state_policy.h"
#include "unroll/task.h"
#include "unroll/tokenizer.h"

namespace unroll {

// One point of the training history. Tokens are predictions: of tasks other than language modelling, answers.
struct HistoryPoint {
  std::int64_t step = 0;                       // updates made
  std::int64_t tokens = 0;                     // predictions trained on so far
  double nats_per_token = 0;                   // mean training loss since the point before
  double lr = 0;                               // learning rate of that step
  std::optional<double> valid_nats_per_token;  // if validation ran
  // The same for the averaged weights, if there were any.
  std::optional<double> average_valid_nats_per_token = {};
  // The share of right answers, of the better of both, where answers are labels.
  std::optional<double> valid_accuracy = {};

  // The lower of the two.
  [[nodiscard]] std::optional<double> best_valid_nats_per_token() const noexcept {
    if (!average_valid_nats_per_token) return valid_nats_per_token;
    return std::min(*valid_nats_per_token, *average_valid_nats_per_token);
  }
};

// How a model was trained. Holds no clock time, no thread count and no path.
struct TrainingRecord {
  std::vector<std::pair<std::string, std::string>> options;  // flag name without dashes, value; minutes as steps
  std::vector<HistoryPoint> history;                         // by step
  bool complete = false;                                     // false: saved during training, which can be resumed
};

// Name, shape and precision of one tensor of a model.
struct TensorInfo {
  std::string name;                       // PyTorch's: "rnn.weight_ih_l0"
  std::vector<std::int64_t> shape;        // row-major
  Precision precision = Precision::kF32;  // int8: with a float scale per row
};

// An immutable model. Copies share the weights; const members may be called from any number of threads.
class Model {
 public:
  // Reads a model file (docs/format.md) and checks all of it. Weights stay in the file, which is memory-mapped: while a
  // Model uses it, the file may be renamed, removed, or replaced by renaming another one over it, as train() and
  // convert() do, but must not be overwritten in place. A pipe or device is read into memory.
  // Throws Error{kFile} if it cannot be read, Error{kFormat} if it is damaged, not a model, or of a newer version.
  static Model load(const std::string& path);

  [[nodiscard]] const NetworkConfig& config() const noexcept;
  [[nodiscard]] const Tokenizer& tokenizer() const noexcept;
  [[nodiscard]] const TrainingRecord& training() const noexcept;
  [[nodiscard]] std::vector<TensorInfo> tensors() const;

  // The precision in which weight matrices are stored and multiplied: f32 from train(), any from convert().
  [[nodiscard]] Precision precision() const noexcept;

  // What the network reads before the first symbol of a text: the default wherever a policy may be chosen.
  [[nodiscard]] BeginPolicy begin_policy() const noexcept;

  // What it was trained to do.
  [[nodiscard]] const Task& task() const noexcept;

  // The checksum of the file that it was loaded from, 16 hexadecimal digits; empty where that has none.
  [[nodiscard]] const std::string& checksum() const noexcept;

  // The state policy of training, which is the default of evaluate(); kReset where the vocabulary has no boundary.
  [[nodiscard]] StatePolicy trained_state_policy() const;

  struct Data;
  explicit Model(std::shared_ptr<const Data> data) noexcept;
  [[nodiscard]] const Data& data() const noexcept { return *data_; }  // for the library's own use

 private:
  std::shared_ptr<const Data> data_;
};

// Whether `path` looks like a model file: its name ends in .safetensors, or it is a regular file that begins like one.
[[nodiscard]] bool is_model_file(const std::string& path);

}  // namespace unroll
