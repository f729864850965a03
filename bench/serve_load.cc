// unroll serve under the requests of many clients, beside the engine alone (docs/performance.md).
//
//   serve_load UNROLL V E H L [SECONDS [ROUNDS]]
//
// UNROLL is the program. The network is an LSTM with random weights, symbols are characters; one thread writes 64 texts
// at most. Clients ask on this machine, each again once it is answered: for 512 symbols after a prompt of 32. Prints
// tables: symbols written per second by an Engine with 64 texts and by the server for 1, 8 and 64 clients, and how long
// they wait; then the time between two symbols of eight endless streams, alone, while prompts of 100,000 symbols are
// read, and while they are answered symbol by symbol with five alternatives each.
//
// Every number is the median of ROUNDS (5), in each of which all of these run in turn; so are ratios, which are taken
// within a round. The 64 clients that read streams ask for SECONDS (60) in each, all others for a sixth of that.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "load_clients.h"
#include "model/model_file.h"
#include "program.h"
#include "random_model.h"
#include "served_program.h"
#include "unroll/engine.h"
#include "unroll/version.h"

namespace unroll {
namespace {

constexpr std::int64_t kTexts = 64;
constexpr std::int64_t kPrompt = 32;
constexpr std::int64_t kWritten = 512;
constexpr std::int64_t kEndless = 100'000;
constexpr std::int64_t kLongPrompt = 100'000;
constexpr double kPauseOfProbe = 0.01;
constexpr double kRunUp = 2;  // seconds before any are counted

double share_of(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

// The line end, and what JSON writes as it is.
std::vector<std::string> characters(std::int64_t V) {
  std::vector<std::string> symbols = {"\n"};
  for (char c = ' '; c < '\x7f' && std::ssize(symbols) < V; ++c) {
    if (c != '"' && c != '\\') symbols.emplace_back(1, c);
  }
  if (std::ssize(symbols) < V) throw std::runtime_error(fmt::format("V is at most {}", symbols.size()));
  return symbols;
}

// What is asked besides short texts.
enum class Beside { kNothing, kPrompts, kReportedPrompts };

struct Load {
  std::string name;
  int clients = 0;
  bool streams = true;
  bool is_endless = false;
  Beside beside = Beside::kNothing;
  double seconds = 0;
};

// What was measured in one round.
struct Row {
  double speed = 0;                // symbols per second
  double speed_of_processor = 0;   // per processor second of the network
  double sockets = 0;              // share of a processor that their thread takes
  std::vector<double> first = {};  // in the order of kShares
  std::vector<double> gaps = {};
  std::vector<double> health = {};
  std::int64_t answers = 0;
  std::int64_t failed = 0;
};
constexpr std::array<double, 3> kShares{0.5, 0.99, 1};

class Bench {
 public:
  Bench(const std::string& unroll, const NetworkConfig& config)
      : symbols_(characters(config.vocabulary)),
        path_(std::filesystem::temp_directory_path() / fmt::format("unroll-serve-load-{}.safetensors", ::getpid())) {
    save_model(path_, config, Tokenizer::from_vocabulary(TokenizerKind::kChar, false, symbols_), {},
               random_parameters(config));
    model_ = std::make_unique<Model>(Model::load(path_));
    server_ = std::make_unique<ServedProgram>(
        unroll, std::vector<std::string>{path_, "--texts", std::to_string(kTexts), "--cache", "1"});
    std::filesystem::remove(path_);
  }

  [[nodiscard]] const ServedProgram& server() const { return *server_; }

  // The engine alone, in this process.
  [[nodiscard]] Row engine(double seconds) const {
    Engine engine(*model_, {.threads = 1, .texts = kTexts});
    for (std::int64_t i = 0; i < kTexts; ++i) {
      engine.add({.length = std::int64_t{1} << 40, .copy = static_cast<std::uint32_t>(i)});
    }
    for (int i = 0; i < 20; ++i) (void)engine.step();
    const std::int64_t before = engine.load().symbols_written;
    const double processor = processor_seconds();
    const LoadClock::time_point start = LoadClock::now();
    while (seconds_between(start, LoadClock::now()) < seconds) (void)engine.step();
    const auto written = static_cast<double>(engine.load().symbols_written - before);
    return {.speed = written / seconds_between(start, LoadClock::now()),
            .speed_of_processor = written / (processor_seconds() - processor)};
  }

  [[nodiscard]] Row served(const Load& load) {
    Answers texts;
    Answers prompts;
    Answers probes;
    LoadClients clients(server_->port());
    for (int i = 0; i < load.clients; ++i) {
      // The first answers end one after another, as if they had begun so.
      auto next = [this, load, length = kWritten * (i + 1) / load.clients]() mutable {
        return question(load, std::exchange(length, kWritten));
      };
      clients.add(std::move(next), 0, texts);
    }
    clients.add([] { return Question{http_request("GET", "/health")}; }, kPauseOfProbe, probes);
    clients.run(kRunUp);
    if (load.beside != Beside::kNothing) {
      clients.add([this, load] { return long_prompt(load.beside); }, 0, prompts);
      clients.run(kRunUp / 10);
    }
    for (Answers* answers : {&texts, &probes}) *answers = {.failed = answers->failed, .failure = answers->failure};
    const ServedProgram::ProcessorSeconds before = server_->processor_seconds();
    const LoadClock::time_point start = LoadClock::now();
    clients.run(load.seconds);
    const double seconds = seconds_between(start, LoadClock::now());
    const ServedProgram::ProcessorSeconds after = server_->processor_seconds();
    for (const Answers& answers : {texts, prompts, probes}) {
      if (answers.failed > 0) std::cerr << fmt::format("{}: {}\n", load.name, answers.failure);
    }
    return {.speed = static_cast<double>(texts.symbols) / seconds,
            .speed_of_processor = static_cast<double>(texts.symbols) / (after.others - before.others),
            .sockets = (after.sockets - before.sockets) / seconds,
            .first = shares(texts.first),
            .gaps = shares(texts.gaps),
            .health = shares(probes.waits),
            .answers = texts.whole,
            .failed = texts.failed + prompts.failed + probes.failed};
  }

 private:
  static double processor_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

  static std::vector<double> shares(const std::vector<double>& values) {
    std::vector<double> result;
    for (const double share : kShares) result.push_back(share_of(values, share));
    return result;
  }

  // No two are equal.
  std::string prompt(std::int64_t size) {
    std::string text;
    while (std::ssize(text) < size) text += symbols_[1 + generator_() % (symbols_.size() - 1)];
    return text;
  }

  Question question(const Load& load, std::int64_t length) {
    if (load.is_endless) length = kEndless;
    return {.request = http_request("POST", "/v1/completions",
                                    fmt::format(R"({{"prompt":"{}","max_tokens":{},"seed":{},"stream":{}}})",
                                                prompt(kPrompt), length, generator_(), load.streams)),
            .symbols = length};
  }

  Question long_prompt(Beside beside) {
    const bool reported = beside == Beside::kReportedPrompts;
    const std::string_view fields = reported ? R"("max_tokens":0,"echo":true,"logprobs":5)" : R"("max_tokens":1)";
    return {.request = http_request("POST", "/v1/completions",
                                    fmt::format(R"({{"prompt":"{}",{}}})", prompt(kLongPrompt), fields)),
            .symbols = reported ? 0 : 1};
  }

  std::vector<std::string> symbols_;
  std::string path_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<ServedProgram> server_;
  std::mt19937 generator_{1};
};

using Rounds = std::vector<Row>;

template <class Value>
double median(const Rounds& rounds, const Value& value_of) {
  std::vector<double> values;
  for (std::size_t round = 0; round < rounds.size(); ++round) values.push_back(value_of(rounds[round], round));
  return share_of(values, 0.5);
}

// Medians over the rounds of the shares of `part`, in ms.
std::string times(const Rounds& rounds, std::vector<double> Row::*part) {
  std::string text;
  for (std::size_t i = 0; i < kShares.size(); ++i) {
    const double seconds = median(rounds, [&](const Row& row, std::size_t) { return (row.*part)[i]; });
    text += fmt::format("{}{:.2f}", i == 0 ? "" : ", ", 1000 * seconds);
  }
  return text;
}

std::int64_t total(const Rounds& rounds, std::int64_t Row::*part) {
  std::int64_t sum = 0;
  for (const Row& row : rounds) sum += row.*part;
  return sum;
}

void print_speeds(const std::vector<Load>& loads, const std::vector<Rounds>& sides) {
  const Rounds& alone = sides.front();
  std::cout << "| | symbols/s | beside the engine | per processor second of the network, beside the engine | "
               "sockets' thread, of a processor | first symbol, ms | between symbols, ms | /health, ms | answers | "
               "failed |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
  std::cout << fmt::format("| the engine alone, {} texts | {:.0f} | | | | | | | | |\n", kTexts,
                           median(alone, [](const Row& row, std::size_t) { return row.speed; }));
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const Rounds& rounds = sides[i + 1];
    if (loads[i].is_endless) continue;
    std::cout << fmt::format(
        "| {} | {:.0f} | {:.2f} | {:.2f} | {:.0f}% | {} | {} | {} | {} | {} |\n", loads[i].name,
        median(rounds, [](const Row& row, std::size_t) { return row.speed; }),
        median(rounds, [&](const Row& row, std::size_t round) { return row.speed / alone[round].speed; }),
        median(rounds, [&](const Row& row,
                           std::size_t round) { return row.speed_of_processor / alone[round].speed_of_processor; }),
        100 * median(rounds, [](const Row& row, std::size_t) { return row.sockets; }),
        loads[i].streams ? times(rounds, &Row::first) : "", loads[i].streams ? times(rounds, &Row::gaps) : "",
        times(rounds, &Row::health), total(rounds, &Row::answers), total(rounds, &Row::failed));
  }
}

void print_gaps(const std::vector<Load>& loads, const std::vector<Rounds>& sides) {
  std::cout << "\n| 8 endless streams | between symbols, ms | 99th percentile beside alone | /health, ms | "
               "failed |\n|---|---:|---:|---:|---:|\n";
  const Rounds* alone = nullptr;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const Rounds& rounds = sides[i + 1];
    if (!loads[i].is_endless) continue;
    if (alone == nullptr) alone = &rounds;
    std::cout << fmt::format(
        "| {} | {} | {:.2f} | {} | {} |\n", loads[i].name, times(rounds, &Row::gaps),
        median(rounds, [&](const Row& row, std::size_t round) { return row.gaps[1] / (*alone)[round].gaps[1]; }),
        times(rounds, &Row::health), total(rounds, &Row::failed));
  }
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 5 || arguments.size() > 7) {
    std::cerr << "usage: serve_load UNROLL V E H L [SECONDS [ROUNDS]]\n";
    return 2;
  }
  const double seconds = arguments.size() > 5 ? std::stod(arguments[5]) : 60;
  const int count = arguments.size() > 6 ? std::stoi(arguments[6]) : 5;
  NetworkConfig config = sizes_of(arguments, 1);
  config.cell = Cell::kLstm;
  Bench bench(arguments[0], config);
  std::cout << fmt::format("unroll {}: {}; in each cell: median, 99th percentile, longest\n\n", version(),
                           instruction_set());
  const std::vector<Load> loads{
      {.name = "64 clients, streams", .clients = 64, .seconds = seconds},
      {.name = "8 clients, streams", .clients = 8, .seconds = seconds / 6},
      {.name = "1 client, a stream", .clients = 1, .seconds = seconds / 6},
      {.name = "64 clients, whole answers", .clients = 64, .streams = false, .seconds = seconds / 6},
      {.name = "alone", .clients = 8, .is_endless = true, .seconds = seconds / 6},
      {.name = "while prompts of 100,000 are read",
       .clients = 8,
       .is_endless = true,
       .beside = Beside::kPrompts,
       .seconds = seconds / 6},
      {.name = "while they are answered symbol by symbol",
       .clients = 8,
       .is_endless = true,
       .beside = Beside::kReportedPrompts,
       .seconds = seconds / 6},
  };
  std::vector<double> mebibytes{bench.server().mebibytes()};
  std::vector<Rounds> sides(loads.size() + 1);
  for (int round = 0; round < count; ++round) {
    sides[0].push_back(bench.engine(seconds / 6));
    for (std::size_t i = 0; i < loads.size(); ++i) {
      sides[i + 1].push_back(bench.served(loads[i]));
      if (i == 0) mebibytes.push_back(bench.server().mebibytes());
    }
  }
  print_speeds(loads, sides);
  print_gaps(loads, sides);
  std::cout << "\nresident memory of the server, MiB, at first and after 64 clients in each round:";
  for (const double resident : mebibytes) std::cout << fmt::format(" {:.1f}", resident);
  std::cout << '\n';
  return 0;
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) { return unroll::run_program("serve_load", argc, argv, unroll::run); }
