#include "server/api/api.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "server/api/completion.h"
#include "server/api_error.h"

namespace unroll {
namespace {

// Values that a body may have besides ids.
constexpr std::int64_t kOtherValues = 20'000;

}  // namespace

const std::vector<Api::HandledRoute>& Api::table() {
  static const std::vector<HandledRoute> kTable{
      {{"POST", "/v1/completions"}, &Api::complete},
      {{"POST", "/v1/chat/completions"}, &Api::chat},
      {{"POST", "/v1/score"}, &Api::score},
      {{"POST", "/v1/classify"}, &Api::classify},
      {{"POST", "/v1/tag"}, &Api::tag},
      {{"POST", "/v1/states"}, &Api::states},
      {{"POST", "/v1/gradients"}, &Api::gradients},
      {{"POST", "/v1/draw"}, &Api::draw_picture},
      {{"POST", "/v1/units"}, &Api::units},
      {{"GET", "/tokenizer_info"}, &Api::tokenizer_info},
      {{"POST", "/tokenize"}, &Api::tokenize},
      {{"POST", "/detokenize"}, &Api::detokenize},
  };
  return kTable;
}

std::vector<Route> Api::routes() {
  std::vector<Route> routes;
  for (const HandledRoute& handled : table()) routes.push_back(handled.route);
  return routes;
}

void Api::answer(std::unique_ptr<Call> call) {
  if (call->gone()) return call->give_up();
  const HttpRequest& request = call->request();
  const auto found = std::ranges::find_if(table(), [&](const HandledRoute& handled) {
    return handled.route.path == request.path && handled.route.method == request.method;
  });
  try {
    (this->*found->handler)(call);
  } catch (const ApiError& error) {
    if (call) call->fail(error);
  } catch (const Error& error) {
    if (call) call->fail(ApiError(error));
  } catch (const std::bad_alloc&) {
    if (call) call->fail(ApiError(500, "not enough memory for this request"));
  } catch (const std::exception& error) {
    if (call) call->fail(ApiError(500, error.what()));
  }
}

RequestFields Api::fields_of(Call& call) const {
  if (log_texts_) call.record().text = call.request().body;
  RequestFields fields(call.request().body, limits_.symbols + kOtherValues);
  call.drop_body();
  return fields;
}

std::shared_ptr<ServedModel> Api::model_of(RequestFields& fields, Call& call) const {
  std::shared_ptr<ServedModel> model = models_.find(fields.text("model").value_or(""));
  call.record().model = model->name;
  return model;
}

void Api::complete(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> model = model_of(fields, *call);
  static_cast<void>(model->texts());
  CompletionRequest request = read_completion(fields, model->model, limits_);
  request.ignored = fields.ignored();
  write(call, *model, std::move(request));
}

void Api::chat(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> model = model_of(fields, *call);
  static_cast<void>(model->texts());
  CompletionRequest request = read_chat(fields, model->model, limits_);
  request.ignored = fields.ignored();
  write(call, *model, std::move(request));
}

void Api::write(std::unique_ptr<Call>& call, const ServedModel& model, CompletionRequest request) {
  EngineWorker& worker = model.texts();
  // This thread is the only one that pushes: a queue that has room now has room below, after the stream was opened.
  if (worker.full()) throw queue_is_full();
  AnswerSource source{.model = model.name,
                      .fingerprint = model.model.checksum(),
                      .tokenizer = model.model.tokenizer(),
                      .boundary_begins = model.model.begin_policy() == BeginPolicy::kBoundary};
  auto completion = std::make_unique<Completion>(std::move(request), std::move(source), std::move(call));
  completion->begin();
  if (!worker.push(completion)) completion->fail(is_stopping());
}

}  // namespace unroll
