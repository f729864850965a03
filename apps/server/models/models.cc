#include "server/models/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <utility>

#include "server/api_error.h"
#include "unroll/model_bytes.h"
#include "unroll/task.h"

namespace unroll {

EngineWorker& ServedModel::texts() const {
  if (writer) return *writer;
  throw ApiError(
      400, fmt::format("the model \"{}\" writes no text: its task is {}", name, task_name(model.task().kind)), "model");
}

void Models::load() {
  std::vector<std::shared_ptr<ServedModel>> loaded;
  for (const NamedModel& named : options_.models) {
    Model model = named.twin.empty() ? Model::load(named.path) : read_model(named.twin, named.path);
    const TaskKind task = model.task().kind;
    const bool writes = task == TaskKind::kLanguage || task == TaskKind::kConditional;
    auto served = std::make_shared<ServedModel>(ServedModel{.name = named.name,
                                                            .is_twin = !named.twin.empty(),
                                                            .created = std::time(nullptr),
                                                            .model = model,
                                                            .writer = {},
                                                            .answerer = {}});
    if (writes)
      served->writer = std::make_unique<EngineWorker>(model, options_.engine, options_.waiting, options_.seconds);
    served->answerer = std::make_unique<AnswerWorker>(options_.waiting, options_.seconds);
    loaded.push_back(std::move(served));
  }
  {
    const std::lock_guard lock(mutex_);
    std::swap(served_, loaded);
    for (std::shared_ptr<ServedModel>& model : loaded) {
      if (model->writer) model->writer->retire();
      model->answerer->retire();
      replaced_.push_back(std::move(model));
    }
  }
  reap();
}

std::shared_ptr<ServedModel> Models::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  if (served_.empty()) throw is_loading();
  if (name.empty()) return served_.front();
  const auto found = std::ranges::find(served_, name, &ServedModel::name);
  if (found != served_.end()) return *found;
  std::string names;
  for (const auto& model : served_) names += (names.empty() ? "" : ", ") + model->name;
  throw ApiError(404, fmt::format("there is no model \"{}\" here, but {}", name, names), "model", "model_not_found");
}

std::vector<std::shared_ptr<ServedModel>> Models::all() const {
  const std::lock_guard lock(mutex_);
  return served_;
}

void Models::reap() {
  const auto is_busy = [](const std::shared_ptr<ServedModel>& model) {
    return (model->writer && !model->writer->finished()) || !model->answerer->finished();
  };
  std::vector<std::shared_ptr<ServedModel>> done;  // freed without the lock
  const std::lock_guard lock(mutex_);
  const auto first_done = std::partition(replaced_.begin(), replaced_.end(), is_busy);
  done.assign(std::make_move_iterator(first_done), std::make_move_iterator(replaced_.end()));
  replaced_.erase(first_done, replaced_.end());
}

void Models::stop() {
  std::vector<std::shared_ptr<ServedModel>> served;
  std::vector<std::shared_ptr<ServedModel>> replaced;
  const std::lock_guard lock(mutex_);
  std::swap(served_, served);
  std::swap(replaced_, replaced);
}

}  // namespace unroll
