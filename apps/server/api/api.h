// Reads requests about models, and hands them to the threads that answer them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/completion_request.h"
#include "server/api/request_fields.h"
#include "server/call.h"
#include "server/models/models.h"

namespace unroll {

struct Route {
  std::string_view method;
  std::string_view path;
};

// Belongs to one thread.
class Api {
 public:
  Api(Models& models, const RequestLimits& limits, bool log_texts)
      : models_(models), limits_(limits), log_texts_(log_texts) {}

  // The routes that answer() takes.
  [[nodiscard]] static std::vector<Route> routes();

  // Answers a request to one of the routes, or sees to it that it is answered.
  void answer(std::unique_ptr<Call> call);

 private:
  // A member that answers takes the call out of `call`; where one throws instead, the client is told why.
  using Handler = void (Api::*)(std::unique_ptr<Call>& call);
  struct HandledRoute {
    Route route;
    Handler handler;
  };
  static const std::vector<HandledRoute>& table();

  // api.cc
  void complete(std::unique_ptr<Call>& call);
  void chat(std::unique_ptr<Call>& call);
  // token_routes.cc
  void tokenizer_info(std::unique_ptr<Call>& call);
  void tokenize(std::unique_ptr<Call>& call);
  void detokenize(std::unique_ptr<Call>& call);
  // answer_routes.cc
  void score(std::unique_ptr<Call>& call);
  void classify(std::unique_ptr<Call>& call);
  void tag(std::unique_ptr<Call>& call);
  // look_routes.cc
  void states(std::unique_ptr<Call>& call);
  void gradients(std::unique_ptr<Call>& call);
  // draw_routes.cc
  void draw_picture(std::unique_ptr<Call>& call);
  // unit_routes.cc
  void units(std::unique_ptr<Call>& call);

  // The fields of the body, which is freed.
  [[nodiscard]] RequestFields fields_of(Call& call) const;

  // The model that the request names, or the first one. Throws ApiError with status 404 and 503.
  [[nodiscard]] std::shared_ptr<ServedModel> model_of(RequestFields& fields, Call& call) const;

  // Hands the request to the threads of the model.
  void ask(std::unique_ptr<Call>& call, const ServedModel& model,
           std::function<std::string(const StillWanted&)> answer);
  void write(std::unique_ptr<Call>& call, const ServedModel& model, CompletionRequest request);

  Models& models_;
  RequestLimits limits_;
  bool log_texts_;
};

}  // namespace unroll
