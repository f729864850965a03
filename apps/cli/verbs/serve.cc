#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/verbs.h"
#include "server/models/twins.h"
#include "server/server.h"
#include "unroll/error.h"
#include "unroll/paths.h"

namespace unroll {
namespace {

constexpr std::int64_t kChapters = 5;  // of docs/tutorial

struct ServeCommand {
  ServerOptions options;
  std::string key_file;
  std::int64_t tour = 0;
  bool quiet = false;
};

void add_flags(Flags& flags, ServeCommand& command) {
  ServerOptions& options = command.options;
  flags.heading("Where");
  flags.text({"--host", "HOST", "the address to listen at; 0.0.0.0 for all of this machine", "127.0.0.1"},
             [&options](const std::string& host) {
               const bool has_brackets = host.starts_with('[') && host.ends_with(']');
               options.http.host = has_brackets ? host.substr(1, host.size() - 2) : host;
             });
  flags.whole({"--port", "N", "0: any free one, which is printed", "8080"}, {0, 65535},
              [&options](std::int64_t port) { options.http.port = port; });
  flags.heading("Who may ask");
  flags.text({"--api-key", "KEY",
              "requests need the header Authorization: Bearer KEY; --api-key-file keeps it out of "
              "the list of processes",
              "anybody"},
             [&options](const std::string& key) { options.api_key = key; });
  flags.path({"--api-key-file", "FILE", "the first line of FILE is the key", ""}, &command.key_file);
  flags.exclusive({"--api-key", "--api-key-file"});
  flags.texts({"--allow-origin", "ORIGIN",
               "pages of this origin, as https://example.org, may ask; * for all; may be "
               "given several times",
               "no other server's pages"},
              [&options](const std::string& origin) {
                if (origin != "*" && origin.find("://") == std::string::npos) {
                  throw Error(ErrorCode::kUsage,
                              "expected an origin with its scheme, such as https://example.org, or *");
                }
                options.allowed_origins.push_back(origin);
              });
  flags.heading("The page");
  flags.whole({"--tour", "N", "the printed link opens the page with chapter N of the tutorial (docs/tutorial)", ""},
              {1, kChapters}, [&command](std::int64_t chapter) { command.tour = chapter; });
  flags.path({"--web-root", "DIR", "read the page's files from DIR at each request, for whoever edits them", ""},
             &options.web_root);
  flags.heading("Bounds");
  flags.whole({"--texts", "N", "texts that a model writes side by side; others wait", "64"}, {1, 4096},
              [&options](std::int64_t n) { options.models.engine.texts = n; });
  flags.whole({"--queue", "N", "requests of each model that may wait; more are answered 429", "128"}, {1, 65536},
              [&options](std::int64_t n) { options.models.waiting = static_cast<std::size_t>(n); });
  flags.whole({"--max-symbols", "N", "symbols of a request: prompts and texts to be written", "200000"},
              {1, kLargestCount}, [&options](std::int64_t n) { options.limits.symbols = n; });
  flags.real({"--max-seconds", "S", "until a request is answered", "600"}, {0.001, 1e6},
             [&options](double seconds) { options.limits.seconds = options.models.seconds = seconds; });
  flags.whole({"--max-body", "BYTES", "of a request", "1048576"}, {1, kLargestCount},
              [&options](std::int64_t bytes) { options.http.body_bytes = bytes; });
  flags.whole({"--connections", "N", "open at once; more wait", "1024"}, {1, 65536},
              [&options](std::int64_t n) { options.http.connections = n; });
  flags.whole({"--cache", "MIB", "for the states after prompts, of each model; 0: none is kept", "64"}, {0, 1 << 20},
              [&options](std::int64_t mebibytes) { options.models.engine.cache_bytes = mebibytes << 20; });
  flags.real({"--drain", "S", "what requests in progress have after SIGTERM", "10"}, {0, 1e6},
             [&options](double seconds) { options.drain_seconds = seconds; });
  flags.heading("Run");
  flags.whole({"--threads,-t", "N",
               "threads of each model's network; 0: all usable cores; any number gives the same result", "1"},
              {0, 1024}, [&options](std::int64_t n) { options.models.engine.threads = static_cast<int>(n); });
  flags.toggle({"--log-texts", "", "log what is asked, too", ""}, &options.log_texts);
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
}

// "NAME=FILE", or a file, whose name without folders and ending is the name.
NamedModel named_model(const std::string& argument) {
  const std::size_t at = argument.find('=');
  if (at == std::string::npos || std::filesystem::exists(argument)) {
    return {.name = std::filesystem::path(argument).stem().string(), .path = argument};
  }
  if (at == 0 || at + 1 == argument.size()) {
    throw Error(ErrorCode::kUsage, fmt::format("\"{}\": expected a model file, or NAME=FILE", argument));
  }
  return {.name = argument.substr(0, at), .path = argument.substr(at + 1)};
}

// Those of the arguments, then the twins, as far as their names are free.
void add_models(const std::vector<std::string>& arguments, ServerOptions& options) {
  std::vector<NamedModel>& models = options.models.models;
  for (const std::string& argument : arguments) {
    NamedModel named = named_model(argument);
    if (std::ranges::find(models, named.name, &NamedModel::name) != models.end()) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("two models are called {}: give one another name, as NAME=FILE", named.name));
    }
    models.push_back(std::move(named));
  }
  for (NamedModel& twin : twin_models()) {
    if (std::ranges::find(models, twin.name, &NamedModel::name) == models.end()) models.push_back(std::move(twin));
  }
  if (models.empty()) throw Error(ErrorCode::kUsage, "no MODEL is given (unroll serve --help has examples)");
}

std::string read_key(const std::string& path) {
  std::ifstream file(path);
  std::string key;
  if (!file || !std::getline(file, key)) {
    throw Error(ErrorCode::kFile, fmt::format("cannot read a key from {}", path));
  }
  if (key.starts_with("\xEF\xBB\xBF")) key.erase(0, 3);  // a byte-order mark
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ' || key.back() == '\t')) key.pop_back();
  return key;
}

std::optional<ServeCommand> parse_serve(const std::vector<std::string>& arguments) {
  ServeCommand command;
  Flags flags(
      "unroll serve [MODEL]... [flags]",
      "Shows models in a browser: the network unrolled over a text, what it writes and reads, gradients, units. And "
      "answers other programs over HTTP, as OpenAI's servers do: completions with log-probabilities to the bit of "
      "unroll score, scores, labels, tags. MODEL is a file, or NAME=FILE; requests name the model, or get the first. "
      "Three small models of the program are served after these, or alone: tanh-twin, gru-twin, lstm-twin. "
      "Writes a JSON object per request to standard output. SIGHUP loads the models anew, SIGTERM and Ctrl-C end it; "
      "TLS is left to a proxy in front (docs/server.md).");
  add_flags(flags, command);
  flags.example("unroll serve book.safetensors", "Open http://127.0.0.1:8080 to look into it.");
  flags.example("curl localhost:8080/v1/completions -d '{\"prompt\": \"In the \", \"max_tokens\": 100}'",
                "Asks it for a text.");
  flags.example("unroll serve small=a.safetensors large=b.safetensors --port 9000", "Two models with names.");
  if (!flags.parse(arguments)) return std::nullopt;
  add_models(flags.positionals(), command.options);
  if (command.tour > 0) command.options.page_link = fmt::format("#unrolled?tour={}", command.tour);
  const bool has_key = flags.given("--api-key") || !command.key_file.empty();
  if (!command.key_file.empty()) command.options.api_key = read_key(command.key_file);
  if (has_key && command.options.api_key.empty()) throw Error(ErrorCode::kUsage, "the key is empty");
  return command;
}

}  // namespace

int run_serve(const std::vector<std::string>& arguments) {
  std::optional<ServeCommand> command = parse_serve(arguments);
  if (!command) return 0;
  Terminal terminal(command->quiet);
  command->options.note = [&terminal](const std::string& line) { terminal.line(line); };
  serve(command->options);
  return 0;
}

}  // namespace unroll
