// Serves models over HTTP until a signal ends it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/api/completion_request.h"
#include "server/http.h"
#include "server/models/models.h"

namespace unroll {

struct ServerOptions {
  HttpOptions http = {};
  ModelsOptions models = {};
  RequestLimits limits = {};
  std::string api_key = {};                       // empty: none is needed
  std::vector<std::string> allowed_origins = {};  // "*": all
  std::string web_root = {};                      // the folder of the page's files; empty: those of the program
  std::string page_link = {};                     // the view that the page opens with: "#unrolled?tour=1"
  double drain_seconds = 10;                      // that requests in progress have once the server is to stop
  bool log_texts = false;                         // the log has what was asked, too
  int log_descriptor = 1;
  std::function<void(const std::string&)> note = [](const std::string&) {};  // for people: where it listens
};

// Listens, loads the models, and answers; /health says 503 until all are loaded.
//
// One thread owns all sockets and answers what needs no model; one reads the bodies of requests and cuts texts; each
// model has one that writes texts and one that answers the rest. SIGHUP loads all models anew; where that fails, those
// of before stay. SIGTERM and SIGINT end it: requests in progress have drain_seconds, new ones get 503. A second signal
// ends the process at once with status 130.
//
// Returns once it has ended. Throws what HttpServer and, of the first time, Models::load() throw.
void serve(const ServerOptions& options);

}  // namespace unroll
