#include "unroll/ngram/ngram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "ngram/arpa_reader.h"
#include "ngram/ngram_sums.h"
#include "unroll/error.h"

namespace unroll {

struct Ngram::Data {
  explicit Data(const std::string& from) : path(from), file(read_arpa(from)) {
    for (const float log_prob : file.table.levels.front().log_probs) {
      unigrams.push_back(std::pow(10.0, static_cast<double>(log_prob)));
    }
    unknown = find("<unk>");
    if (unknown < 0) unknown = find("<UNK>");
    end = find("</s>");
    begin = find("<s>");
    sums = sums_of(file.table, begin < 0 ? kNoNode : static_cast<std::uint32_t>(begin));
  }

  [[nodiscard]] std::int32_t find(std::string_view word) const {
    const auto place = file.numbers.find(word);
    return place == file.numbers.end() ? -1 : static_cast<std::int32_t>(place->second);
  }

  void check_below_size(std::int32_t word) const {
    const std::int64_t size = std::ssize(file.table.words);
    if (word >= size) {
      throw Error(ErrorCode::kUsage, fmt::format("there is no word {}: the n-grams have {} words", word, size));
    }
  }

  // A state of another model may have nodes that this one lacks.
  void check_own(const NgramState& state) const {
    bool own = state.context.size() < file.table.order();
    for (std::size_t i = 0; own && i < state.context.size(); ++i) {
      own = state.context[i] == kNoNode || state.context[i] < file.table.levels[i].words.size();
    }
    if (!own) throw Error(ErrorCode::kUsage, fmt::format("the state is not one of the n-grams '{}'", path));
  }

  std::string path;
  ArpaFile file;
  std::vector<double> unigrams;  // p of each word in the empty context
  std::int32_t unknown = -1;
  std::int32_t end = -1;
  std::int32_t begin = -1;
  NgramSums sums;
};

Ngram::Ngram(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}

Ngram Ngram::load(const std::string& path) { return Ngram(std::make_shared<const Data>(path)); }

const std::string& Ngram::path() const noexcept { return data_->path; }
std::int64_t Ngram::order() const noexcept { return static_cast<std::int64_t>(data_->file.table.order()); }

std::int64_t Ngram::count(std::int64_t order) const {
  if (order < 1 || order > this->order()) {
    throw Error(ErrorCode::kUsage, fmt::format("there are no {}-grams: the orders are 1 to {}", order, this->order()));
  }
  return std::ssize(data_->file.table.levels[static_cast<std::size_t>(order - 1)].words);
}

const NgramSums& Ngram::sums() const noexcept { return data_->sums; }

std::int64_t Ngram::size() const noexcept { return std::ssize(data_->file.table.words); }
std::int32_t Ngram::id(std::string_view word) const { return data_->find(word); }

const std::string& Ngram::word(std::int32_t id) const {
  data_->check_below_size(id);
  if (id < 0) throw Error(ErrorCode::kUsage, fmt::format("there is no word {}: numbers begin with 0", id));
  return data_->file.table.words[static_cast<std::size_t>(id)];
}

std::int32_t Ngram::unknown() const noexcept { return data_->unknown; }
std::int32_t Ngram::end() const noexcept { return data_->end; }

NgramState Ngram::begin() const {
  NgramState state;
  read(state, data_->begin);
  return state;
}

double Ngram::log_prob(NgramState& state, std::int32_t word) const {
  data_->check_below_size(word);
  data_->check_own(state);
  double result = -std::numeric_limits<double>::infinity();
  if (word >= 0) {
    result = std::numbers::ln10 * data_->file.table.log_prob(state.context, static_cast<std::uint32_t>(word));
  }
  read(state, word);
  return result;
}

void Ngram::read(NgramState& state, std::int32_t word) const {
  data_->check_below_size(word);
  data_->check_own(state);
  if (word < 0) {
    state.context.clear();
  } else {
    state.context = data_->file.table.after(state.context, static_cast<std::uint32_t>(word));
  }
}

void Ngram::probabilities(const NgramState& state, std::span<double> out) const {
  if (std::ssize(out) != size()) {
    throw Error(ErrorCode::kUsage, fmt::format("the output has {} elements: expected {}", out.size(), size()));
  }
  data_->check_own(state);
  const NgramTable& table = data_->file.table;
  // Weights of all contexts that are longer than the one of that length.
  std::vector<double> log_weights(state.context.size() + 1);
  for (std::size_t length = state.context.size(); length > 0; --length) {
    const std::uint32_t node = state.context[length - 1];
    const auto backoff = node == kNoNode ? 0.0 : static_cast<double>(table.levels[length - 1].log_backoffs[node]);
    log_weights[length - 1] = log_weights[length] + backoff;
  }
  const double weight = std::pow(10.0, log_weights.front());
  std::ranges::transform(data_->unigrams, out.begin(), [weight](double p) { return weight * p; });
  for (std::size_t length = 1; length <= state.context.size(); ++length) {
    const std::uint32_t node = state.context[length - 1];
    if (node == kNoNode) continue;
    const std::vector<std::uint32_t>& extent = table.levels[length - 1].extent;
    const NgramLevel& level = table.levels[length];
    for (std::size_t i = extent[node]; i < extent[node + 1]; ++i) {
      out[level.words[i]] = std::pow(10.0, log_weights[length] + static_cast<double>(level.log_probs[i]));
    }
  }
}

}  // namespace unroll
