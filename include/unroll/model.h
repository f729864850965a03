// A trained language model: weights, tokenizer and how it was trained, in one file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unroll/network.h"
#include "unroll/state_policy.h"
#include "unroll/tokenizer.h"

namespace unroll {

// One point of a training history.
struct HistoryPoint {
  std::int64_t step = 0;                       // updates made
  std::int64_t tokens = 0;                     // predictions trained on so far
  double nats_per_token = 0;                   // mean training loss since the point before
  double lr = 0;                               // learning rate of that step
  std::optional<double> valid_nats_per_token;  // where validation ran
  // The same of the averaged weights, where there were some.
  std::optional<double> average_valid_nats_per_token = {};

  // The lower of the two.
  [[nodiscard]] std::optional<double> best_valid_nats_per_token() const noexcept {
    if (!average_valid_nats_per_token) return valid_nats_per_token;
    return std::min(*valid_nats_per_token, *average_valid_nats_per_token);
  }
};

// How a model came to be. Holds no clock, no thread count and no path.
struct TrainingRecord {
  std::vector<std::pair<std::string, std::string>> options;  // flag name without dashes, value; minutes as steps
  std::vector<HistoryPoint> history;                         // by step
  bool complete = false;                                     // false: saved on the way, training can be resumed
};

// Name and shape of one tensor of a model.
struct TensorInfo {
  std::string name;                       // as PyTorch calls it: "rnn.weight_ih_l0"
  std::vector<std::int64_t> shape;        // row-major
  Precision precision = Precision::kF32;  // of its numbers; int8: with a float for each row besides
};

// An immutable model. Copies share the weights; every const member may be called from any number of threads.
class Model {
 public:
  // Reads a model file (docs/format.md) and checks all of it. Weights stay in the file, which is mapped into memory: as
  // long as a Model uses it, the file may be renamed, removed, or replaced by renaming another one over it, as train()
  // and convert() do, but must not be written over in place. What is not a regular file (a pipe) is read into memory.
  // Throws Error{kFile} when it cannot be read, Error{kFormat} when it is damaged, foreign or newer.
  static Model load(const std::string& path);

  [[nodiscard]] const NetworkConfig& config() const noexcept;
  [[nodiscard]] const Tokenizer& tokenizer() const noexcept;
  [[nodiscard]] const TrainingRecord& training() const noexcept;
  [[nodiscard]] std::vector<TensorInfo> tensors() const;

  // What the weight matrices are stored in and multiplied in: f32 as train() writes them, or what convert() made.
  [[nodiscard]] Precision precision() const noexcept;

  // What the model was trained with, and so what evaluate() takes unless told otherwise.
  [[nodiscard]] StatePolicy trained_state_policy() const;

  struct Data;
  explicit Model(std::shared_ptr<const Data> data) noexcept;
  [[nodiscard]] const Data& data() const noexcept { return *data_; }  // for the library's own use

 private:
  std::shared_ptr<const Data> data_;
};

// Whether `path` is meant as a model file: its name ends in .safetensors, or it is a regular file that begins like one.
[[nodiscard]] bool is_model_file(const std::string& path);

}  // namespace unroll
