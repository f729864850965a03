#include "server/models/answer_worker.h"

#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "server/api_error.h"
#include "unroll/error.h"

namespace unroll {
namespace {

struct ClientGone {};

}  // namespace

AnswerWorker::AnswerWorker(std::size_t waiting, double seconds)
    : seconds_(seconds), queue_(waiting), thread_([this] { run(); }) {}

AnswerWorker::~AnswerWorker() {
  stopping_ = true;
  queue_.close();
  thread_.join();
}

void AnswerWorker::run() {
  while (std::optional<AnswerJob> job = queue_.wait()) answer(*job);
  finished_ = true;
}

void AnswerWorker::answer(AnswerJob& job) {
  Call& call = *job.call;
  const StillWanted still_wanted = [&] {
    if (call.gone()) throw ClientGone();
    if (stopping_) throw is_stopping();
    if (call.seconds() > seconds_) throw takes_too_long(seconds_);
  };
  try {
    still_wanted();
    call.send({.body = job.answer(still_wanted)});
  } catch (const ClientGone&) {
    call.give_up();
  } catch (const ApiError& error) {
    call.fail(error);
  } catch (const Error& error) {
    call.fail(ApiError(error));
  } catch (const std::bad_alloc&) {
    call.fail(ApiError(500, "not enough memory for this request"));
  } catch (const std::exception& error) {
    call.fail(ApiError(500, error.what()));
  }
}

}  // namespace unroll
