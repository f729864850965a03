// The models that are served, each with the threads that own its networks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/models/answer_worker.h"
#include "server/models/engine_worker.h"
#include "unroll/engine.h"
#include "unroll/model.h"

namespace unroll {

struct NamedModel {
  std::string name;
  std::string path;
  std::string_view twin = {};  // the bytes of a model that is built into the program; empty: it is read from `path`
};

struct ModelsOptions {
  std::vector<NamedModel> models;
  EngineOptions engine = {};
  std::size_t waiting = 128;  // requests of a model that may wait
  double seconds = 600;       // for a request
};

struct ServedModel {
  std::string name;
  bool is_twin = false;      // built into the program
  std::int64_t created = 0;  // Unix time of loading
  Model model;
  std::unique_ptr<EngineWorker> writer;  // of language models and conditional ones; null for others
  std::unique_ptr<AnswerWorker> answerer;

  // Where it is asked for texts: throws ApiError with status 400 for a model of another task.
  [[nodiscard]] EngineWorker& texts() const;
};

// For any number of threads, but for load(), which belongs to one.
class Models {
 public:
  explicit Models(ModelsOptions options) : options_(std::move(options)) {}

  // Loads all files. Where a model is served under the name already, requests in progress end on it, and new ones go to
  // the new one. Throws as Model::load() and Engine do; then all models are those of before.
  void load();

  // The model of that name; of no name the first one. Throws ApiError: 404 for an unknown name, 503 before load().
  [[nodiscard]] std::shared_ptr<ServedModel> find(const std::string& name) const;

  [[nodiscard]] std::vector<std::shared_ptr<ServedModel>> all() const;
  [[nodiscard]] bool loaded() const { return !all().empty(); }

  // Frees replaced models that have answered everything.
  void reap();

  // Stops: fails what is not answered yet.
  void stop();

 private:
  ModelsOptions options_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<ServedModel>> served_;
  std::vector<std::shared_ptr<ServedModel>> replaced_;
};

}  // namespace unroll
