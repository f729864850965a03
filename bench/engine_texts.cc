// Texts written side by side by an Engine, beside one Generator (docs/performance.md).
//
//   engine_texts V E H L THREADS PRECISION [SECONDS]
//
// The network is an LSTM with random weights, tokens are words. Prints a table: tokens written per second by a
// Generator, by an Engine with 1, 8 and 64 texts, and by one whose texts each have a prompt of 512 tokens of their own
// before 512 that are written, a new one following each; then the time between two tokens of eight texts, alone, while
// a prompt of 100,000 tokens is read, and while each of its tokens is also reported with five alternatives, for SECONDS
// at most. Every number is the median of five rounds, in each of which all of these run in turn for SECONDS (2); so are
// ratios, which are taken within a round.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "model/model_file.h"
#include "program.h"
#include "random_model.h"
#include "unroll/engine.h"
#include "unroll/exchange/convert.h"
#include "unroll/version.h"

namespace unroll {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 5;
constexpr std::int64_t kEndless = std::int64_t{1} << 40;
constexpr std::int64_t kSymbols = 512;  // of a prompt, and of what follows it
constexpr std::int64_t kLongPrompt = 100'000;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double share_of(std::vector<double> values, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

// What each side returned in each round.
template <class Value>
std::vector<std::vector<Value>> in_turn(const std::vector<std::function<Value()>>& sides) {
  std::vector<std::vector<Value>> rounds(sides.size());
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < sides.size(); ++i) rounds[i].push_back(sides[i]());
  }
  return rounds;
}

Tokenizer numbered_words(std::int64_t V) {
  std::vector<std::string> words = {"<unk>", "<eos>"};
  while (std::ssize(words) < V) words.push_back(fmt::format("w{}", words.size()));
  return Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, std::move(words));
}

Model random_model(const NetworkConfig& config, Precision precision) {
  const Model model(std::make_shared<const Model::Data>(
      Model::Data{config, numbered_words(config.vocabulary), {}, ModelWeights(random_parameters(config))}));
  if (precision == Precision::kF32) return model;
  const std::string path = std::filesystem::temp_directory_path() / "unroll-engine-texts.safetensors";
  convert(model, precision, path);
  Model rounded = Model::load(path);
  std::filesystem::remove(path);
  return rounded;
}

// What is read while texts are written.
enum class Beside { kNothing, kPrompt, kReportedPrompt };

// Seconds between two symbols of a text, and how many symbols of prompts were read meanwhile.
struct Gaps {
  double median = 0;
  double high = 0;  // 99th percentile
  double read_per_second = 0;
};

struct Bench {
  Model model;
  int threads = 1;
  double seconds = 2;

  [[nodiscard]] std::vector<std::int32_t> prompt(std::int64_t size, std::int64_t number) const {
    std::mt19937 generator(static_cast<std::uint32_t>(number));
    std::vector<std::int32_t> ids;
    const auto V = static_cast<std::uint32_t>(model.config().vocabulary);
    while (std::ssize(ids) < size) ids.push_back(static_cast<std::int32_t>(generator() % V));
    return ids;
  }

  [[nodiscard]] double generator_speed() const {
    Generator generator(model, {.threads = threads});
    generator.start("", kEndless);
    for (int i = 0; i < 20; ++i) (void)generator.next();
    std::int64_t written = 0;
    const Clock::time_point start = Clock::now();
    for (; seconds_since(start) < seconds; ++written) (void)generator.next();
    return static_cast<double>(written) / seconds_since(start);
  }

  [[nodiscard]] double engine_speed(std::int64_t texts) const {
    Engine engine(model, {.threads = threads, .texts = texts});
    for (std::int64_t i = 0; i < texts; ++i) {
      engine.add({.length = kEndless, .copy = static_cast<std::uint32_t>(i)});
    }
    for (int i = 0; i < 20; ++i) (void)engine.step();
    return speed(engine, [](const std::vector<TextEvent>&) {});
  }

  // Requests that differ, the next one when one has ended.
  [[nodiscard]] double engine_speed_with_prompts(std::int64_t texts) const {
    Engine engine(model, {.threads = threads, .texts = texts});
    std::int64_t number = 0;
    const auto ask = [&](std::int64_t length) {
      engine.add({.prompt_ids = prompt(kSymbols, ++number), .length = length, .copy = 1});
    };
    // The first ones end one after another, as if they had begun so.
    for (std::int64_t i = 0; i < texts; ++i) ask(kSymbols * (i + 1) / texts);
    const auto follow = [&](const std::vector<TextEvent>& events) {
      for (const TextEvent& event : events) {
        if (event.finish) ask(kSymbols);
      }
    };
    while (engine.load().symbols_written < texts * kSymbols) follow(engine.step());
    return speed(engine, follow);
  }

  // How soon symbols of `texts` follow each other.
  [[nodiscard]] Gaps gaps(std::int64_t texts, Beside beside) const {
    Engine engine(model, {.threads = threads, .texts = texts + 1});
    for (std::int64_t i = 0; i < texts; ++i) {
      engine.add({.length = kEndless, .copy = static_cast<std::uint32_t>(i)});
    }
    for (int i = 0; i < 20; ++i) (void)engine.step();
    const std::int64_t read_before = engine.load().symbols_read;
    if (beside != Beside::kNothing) {
      const bool reported = beside == Beside::kReportedPrompt;
      engine.add({.prompt_ids = prompt(kLongPrompt, 1),
                  .length = 1,
                  .symbols = {.prompt = reported, .alternatives = reported ? 5 : 0}});
    }
    std::vector<double> seconds_of_step;
    const Clock::time_point start = Clock::now();
    do {
      const Clock::time_point before = Clock::now();
      (void)engine.step();
      seconds_of_step.push_back(seconds_since(before));
    } while (seconds_since(start) < seconds && (beside == Beside::kNothing || engine.load().reading > 0));
    const auto read = static_cast<double>(engine.load().symbols_read - read_before);
    return {.median = share_of(seconds_of_step, 0.5),
            .high = share_of(seconds_of_step, 0.99),
            .read_per_second = read / seconds_since(start)};
  }

 private:
  template <class Follow>
  [[nodiscard]] double speed(Engine& engine, const Follow& follow) const {
    const std::int64_t before = engine.load().symbols_written;
    const Clock::time_point start = Clock::now();
    while (seconds_since(start) < seconds) follow(engine.step());
    return static_cast<double>(engine.load().symbols_written - before) / seconds_since(start);
  }
};

void print_speeds(const Bench& bench) {
  std::vector<std::string> names = {"Generator"};
  std::vector<std::function<double()>> sides = {[&] { return bench.generator_speed(); }};
  for (const std::int64_t texts : {1, 8, 64}) {
    names.push_back(fmt::format("Engine, {} {}", texts, texts == 1 ? "text" : "texts"));
    sides.emplace_back([&bench, texts] { return bench.engine_speed(texts); });
  }
  for (const std::int64_t texts : {1, 8, 64}) {
    names.push_back(fmt::format("Engine, {}, each after a prompt of 512", texts));
    sides.emplace_back([&bench, texts] { return bench.engine_speed_with_prompts(texts); });
  }
  const std::vector<std::vector<double>> speeds = in_turn(sides);
  std::cout << "| | tokens/s | beside the Generator |\n|---|---:|---:|\n";
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < speeds[i].size(); ++round)
      ratios.push_back(speeds[i][round] / speeds[0][round]);
    std::cout << fmt::format("| {} | {:.0f} | {:.2f} |\n", names[i], share_of(speeds[i], 0.5), share_of(ratios, 0.5));
  }
}

void print_gaps(const Bench& bench) {
  const std::vector<std::string> names = {"alone", "while a prompt of 100,000 is read",
                                          "while one is read and reported"};
  std::vector<std::function<Gaps()>> sides;
  for (const Beside beside : {Beside::kNothing, Beside::kPrompt, Beside::kReportedPrompt}) {
    sides.emplace_back([&bench, beside] { return bench.gaps(8, beside); });
  }
  const std::vector<std::vector<Gaps>> rounds = in_turn(sides);
  std::cout
      << "\n| between two tokens of 8 texts | median, ms | 99th percentile, ms | beside alone | read, tokens/s |\n"
         "|---|---:|---:|---:|---:|\n";
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto median = [&](const auto& value_of) {
      std::vector<double> values;
      for (std::size_t round = 0; round < rounds[i].size(); ++round) {
        values.push_back(value_of(rounds[i][round], rounds[0][round]));
      }
      return share_of(values, 0.5);
    };
    std::cout << fmt::format("| {} | {:.3f} | {:.3f} | {:.2f} | {:.0f} |\n", names[i],
                             1000 * median([](const Gaps& gaps, const Gaps&) { return gaps.median; }),
                             1000 * median([](const Gaps& gaps, const Gaps&) { return gaps.high; }),
                             median([](const Gaps& gaps, const Gaps& alone) { return gaps.high / alone.high; }),
                             median([](const Gaps& gaps, const Gaps&) { return gaps.read_per_second; }));
  }
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 6 && arguments.size() != 7) {
    std::cerr << "usage: engine_texts V E H L THREADS PRECISION [SECONDS]\n";
    return 2;
  }
  NetworkConfig config = sizes_of(arguments, 0);
  config.cell = Cell::kLstm;
  Bench bench{.model = random_model(config, parse_precision(arguments[5])), .threads = std::stoi(arguments[4])};
  if (arguments.size() == 7) bench.seconds = std::stod(arguments[6]);
  std::cout << fmt::format("unroll {}: {}\n\n", version(), instruction_set());
  print_speeds(bench);
  print_gaps(bench);
  return 0;
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) { return unroll::run_program("engine_texts", argc, argv, unroll::run); }
