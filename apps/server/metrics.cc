#include "server/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <string_view>

namespace unroll {
namespace {

std::string head(std::string_view name, std::string_view type, std::string_view help) {
  return fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

// Between quotes, of a label's value.
std::string escaped_label(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? "\\n" : std::string(1, c);
  }
  return text;
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  file >> pages >> pages;
  return file ? pages * sysconf(_SC_PAGESIZE) : 0;
}

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct ModelFigure {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  std::int64_t EngineLoad::*value;
};

constexpr std::array<ModelFigure, 8> kModelFigures{{
    {"unroll_texts_waiting", "gauge", "Texts that wait for a place in the engine.", &EngineLoad::waiting},
    {"unroll_texts_reading", "gauge", "Texts whose prompts are read.", &EngineLoad::reading},
    {"unroll_texts_writing", "gauge", "Texts that are written.", &EngineLoad::writing},
    {"unroll_symbols_read_total", "counter", "Symbols of prompts that were read.", &EngineLoad::symbols_read},
    {"unroll_symbols_cached_total", "counter", "Symbols of prompts whose state was kept.", &EngineLoad::symbols_cached},
    {"unroll_symbols_written_total", "counter", "Symbols that were written.", &EngineLoad::symbols_written},
    {"unroll_cached_states", "gauge", "States after prompts that are kept.", &EngineLoad::cached_states},
    {"unroll_cached_bytes", "gauge", "Memory of these states.", &EngineLoad::cached_bytes},
}};

std::string models_text(const std::vector<std::shared_ptr<ServedModel>>& models) {
  std::string text = head("unroll_requests_waiting", "gauge", "Requests that wait for a model.");
  for (const auto& model : models) {
    const std::size_t waiting =
        model->answerer->requests_waiting() + (model->writer ? model->writer->requests_waiting() : 0);
    text += fmt::format("unroll_requests_waiting{{model=\"{}\"}} {}\n", escaped_label(model->name), waiting);
  }
  for (const ModelFigure& figure : kModelFigures) {
    text += head(figure.name, figure.type, figure.help);
    for (const auto& model : models) {
      if (!model->writer) continue;
      text += fmt::format("{}{{model=\"{}\"}} {}\n", figure.name, escaped_label(model->name),
                          model->writer->load().*figure.value);
    }
  }
  return text;
}

}  // namespace

void Metrics::Histogram::add(double value) {
  for (std::size_t i = 0; i < kBounds.size(); ++i) within.at(i) += value <= kBounds.at(i) ? 1 : 0;
  ++count;
  sum += value;
}

std::string Metrics::Histogram::text(const std::string& name) const {
  std::string text;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    text += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, kBounds.at(i), within.at(i));
  }
  return text +
         fmt::format("{}_bucket{{le=\"+Inf\"}} {}\n{}_sum {}\n{}_count {}\n", name, count, name, sum, name, count);
}

void Metrics::count(const CallRecord& record) {
  const std::lock_guard lock(mutex_);
  ++requests_[{record.route, record.status}];
  prompt_tokens_ += record.prompt_tokens;
  completion_tokens_ += record.completion_tokens;
  seconds_.add(record.seconds);
  if (record.first_seconds) first_seconds_.add(*record.first_seconds);
}

std::string Metrics::text(const std::vector<std::shared_ptr<ServedModel>>& models, std::int64_t connections) const {
  const std::lock_guard lock(mutex_);
  std::string text = head("unroll_requests_total", "counter", "Requests that were answered, by route and status.");
  for (const auto& [key, requests] : requests_) {
    text += fmt::format("unroll_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first, key.second, requests);
  }
  text += head("unroll_prompt_tokens_total", "counter", "Symbols of the prompts of answered requests.") +
          fmt::format("unroll_prompt_tokens_total {}\n", prompt_tokens_);
  text += head("unroll_completion_tokens_total", "counter", "Symbols written for answered requests.") +
          fmt::format("unroll_completion_tokens_total {}\n", completion_tokens_);
  text += head("unroll_request_seconds", "histogram", "From a request to the end of its answer.") +
          seconds_.text("unroll_request_seconds");
  text += head("unroll_first_part_seconds", "histogram", "From a request to the first text of a stream.") +
          first_seconds_.text("unroll_first_part_seconds");
  text +=
      head("unroll_connections", "gauge", "Open connections.") + fmt::format("unroll_connections {}\n", connections);
  text += head("process_resident_memory_bytes", "gauge", "Memory in use.") +
          fmt::format("process_resident_memory_bytes {}\n", resident_bytes());
  text += head("process_cpu_seconds_total", "counter", "Processor time.") +
          fmt::format("process_cpu_seconds_total {}\n", processor_seconds());
  return text + models_text(models);
}

}  // namespace unroll
