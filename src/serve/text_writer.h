// Writes texts side by side, a symbol of each at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "infer/inference.h"
#include "serve/served_text.h"
#include "write/sampler.h"

namespace unroll {

// One Sampler for each worker that draws.
class Samplers {
 public:
  Samplers(int count, std::int64_t vocabulary, std::int32_t excluded);

  // Calls use(sampler) with one that nobody else uses meanwhile. From `count` threads at most.
  template <class Use>
  void lend(const Use& use) {
    std::unique_lock lock(mutex_);
    Sampler* const sampler = free_.back();
    free_.pop_back();
    lock.unlock();
    const Return returned{*this, sampler};
    use(*sampler);
  }

 private:
  struct Return {
    Samplers& all;
    Sampler* sampler;
    ~Return() {
      const std::lock_guard lock(all.mutex_);
      all.free_.push_back(sampler);
    }
  };

  std::vector<Sampler> samplers_;
  std::vector<Sampler*> free_;
  std::mutex mutex_;
};

// Texts whose prompts were read, as rows of one state, for an engine. Not for two threads at once.
class TextWriter {
 public:
  // Writes with `inference`, which must outlive it and be planned for as many rows as there are texts.
  explicit TextWriter(Inference& inference);

  // Takes a text, which is written from the next step on.
  void add(StartedText read) { joining_.push_back(std::move(read)); }

  // Drops a text. False if it is not here.
  bool remove(std::int64_t number);

  // Writes one symbol of each text, and adds what there is to tell to `events`; the prompts read one symbol meanwhile.
  // Texts that end leave. Requires a text.
  void write(std::span<const RidingPrompt> riding, std::vector<TextEvent>& events);

  [[nodiscard]] std::int64_t texts() const noexcept;
  [[nodiscard]] std::int64_t symbols_written() const noexcept { return symbols_written_; }

  // How long a step takes: the fastest of the last five, for a slower one had to wait for its core; nothing before the
  // first.
  [[nodiscard]] std::optional<double> seconds_of_step() const;

 private:
  // What became of a row in a step.
  struct Row {
    std::unique_ptr<ServedText> text;  // null: it has left
    TextEvent event = {};
    std::int32_t id = 0;
  };

  void arrange(std::int64_t riding);
  void step(std::span<const RidingPrompt> riding);
  void draw(Row& row, std::span<float> logits);
  void predict_exactly();

  Inference& inference_;
  Samplers samplers_;
  std::vector<StartedText> joining_;
  std::vector<Row> rows_;
  NetworkState state_;  // first of rows_, then of prompts
  Window window_;
  std::array<double, 5> seconds_{};  // of the last steps
  std::size_t steps_ = 0;
  std::int64_t symbols_written_ = 0;
};

}  // namespace unroll
