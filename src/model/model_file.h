// Reads and writes model files; docs/format.md describes their metadata.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "model/model_weights.h"
#include "network/parameters.h"
#include "unroll/model.h"
#include "unroll/task.h"

namespace unroll {

// The metadata "format" of a model file: the first if all weights are f32, the second if the matrices have the
// precision named by the metadata "precision", the third if the model needs_policy() or has a task: it has both
// "precision" and "policy", and with a task other than language modelling "task".
inline constexpr std::string_view kModelFormat = "unroll/1";
inline constexpr std::string_view kRoundedModelFormat = "unroll/2";
inline constexpr std::string_view kPolicyModelFormat = "unroll/3";

// How a model is used: what its outputs are, and what it reads before the first symbol.
struct ModelUse {
  ModelUse(BeginPolicy before = BeginPolicy::kBoundary, Task what = {})  // NOLINT(google-explicit-constructor)
      : begin(before), task(std::move(what)) {}

  BeginPolicy begin;
  Task task;
};

// The content of a model, shared by all copies of a Model.
struct Model::Data {
  NetworkConfig config;
  Tokenizer tokenizer;
  TrainingRecord training;
  ModelWeights weights;
  ModelUse use = {};
  std::string checksum = {};  // of its file; empty: it has none
};

// Whether a model does what readers of unroll/1 and unroll/2 do not: its vocabulary lacks "<unk>" or the boundary, or
// texts do not begin with the boundary. Its files have the metadata "policy".
[[nodiscard]] bool needs_policy(const Tokenizer& tokenizer, BeginPolicy begin) noexcept;

// The metadata strings of a model: "config", "tokenizer", "training", "history" and, where it needs them, "policy" and
// "task" as JSON. Resume files hold them too. Requires distinct option names. Throws Error{kNumeric} for NaN or
// infinity, Error{kInput} for strings that are not UTF-8.
[[nodiscard]] std::map<std::string, std::string> model_metadata(const NetworkConfig& config, const Tokenizer& tokenizer,
                                                                const TrainingRecord& training,
                                                                const ModelUse& use = {});

// The same with "format" and, where the format has one, "precision": all that a model file needs.
[[nodiscard]] std::map<std::string, std::string> model_file_metadata(const NetworkConfig& config,
                                                                     const Tokenizer& tokenizer,
                                                                     const TrainingRecord& training,
                                                                     const ModelUse& use, Precision precision);

// The inverses. `path` is for messages only. The precision is that of the matrices. Throw Error{kFormat} for missing or
// wrong fields, duplicate keys, numbers out of range, a vocabulary that does not fit the sizes, or that lacks a symbol
// which only files with a "policy" may lack.
[[nodiscard]] NetworkConfig config_from_metadata(const std::map<std::string, std::string>& metadata,
                                                 const std::string& path);
[[nodiscard]] Tokenizer tokenizer_from_metadata(const std::map<std::string, std::string>& metadata,
                                                const std::string& path);
[[nodiscard]] TrainingRecord training_from_metadata(const std::map<std::string, std::string>& metadata,
                                                    const std::string& path);

[[nodiscard]] ModelUse use_from_metadata(const std::map<std::string, std::string>& metadata,
                                         const NetworkConfig& config, const Tokenizer& tokenizer,
                                         const std::string& path);

[[nodiscard]] Precision precision_from_metadata(const std::map<std::string, std::string>& metadata,
                                                const std::string& path);

// The metadata "tokenizer", and the tokenizer that it stands for: of `size` symbols, of which special ones may be
// missing. `where` begins messages. Throw as model_metadata() and as the inverses.
[[nodiscard]] std::string tokenizer_metadata(const Tokenizer& tokenizer);
[[nodiscard]] Tokenizer tokenizer_of_metadata(const std::string& text, std::int64_t size, const std::string& where);

// Writes a model file of f32 weights; equal arguments give equal bytes. Throws Error{kFile}, and as model_metadata().
void save_model(const std::string& path, const NetworkConfig& config, const Tokenizer& tokenizer,
                const TrainingRecord& training, const Parameters& parameters, const ModelUse& use = {});

// Throws Error{kUsage} unless the model is a language model: "'m.safetensors' is a model for classify: ...".
void expect_language_model(const Model& model);

// Throws Error{kUsage} unless the model was trained for this task, and reads text: "the model predicts text (task
// language): expected a model of the task classify".
void expect_task(const Model& model, TaskKind task);

}  // namespace unroll
