#include "cli/verbs/score_objects.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/shards/score_totals.h"
#include "cli/streams/object_line.h"
#include "cli/streams/quantities.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::array<std::string_view, 3> kAdded{"log_prob", "tokens", "perplexity"};

// Appends the lines of a text as a file of it would have them: an empty rest after the last line end is not one.
std::size_t append_lines(const std::string& text, std::vector<std::string>* lines) {
  const std::size_t before = lines->size();
  std::size_t at = 0;
  do {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines->push_back(text.substr(at, end - at));
    at = end + 1;
  } while (at < text.size());
  return lines->size() - before;
}

Score sum_of(std::span<const Score> scores) {
  Score sum;
  for (const Score& score : scores) {
    sum.log_prob += score.log_prob;
    sum.predictions += score.predictions;
    sum.unknown_tokens += score.unknown_tokens;
    sum.length += score.length;
  }
  return sum;
}

nlohmann::ordered_json fields_of(const Score& score, LogBase base) {
  nlohmann::ordered_json fields;
  fields[kAdded[0]] = in_base(score.log_prob, base);
  fields[kAdded[1]] = score.predictions;
  fields[kAdded[2]] = nullptr;
  const double perplexity = std::exp(-score.log_prob / static_cast<double>(score.predictions));
  if (score.predictions > 0 && std::isfinite(perplexity)) fields[kAdded[2]] = perplexity;
  return fields;
}

bool is_blank_line(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

}  // namespace

ObjectScoring::ObjectScoring(const ObjectOptions& options, const std::string& path, const Model& model,
                             ScorerOptions scorer, const DialectContext& context, UnitOutput& out)
    : options_(options),
      context_(context),
      out_(out),
      scorer_(model, scorer),
      batches_(path, LineIds::kNumber, TextCoding::kUtf8, out.units()),
      bad_(bad_lines(out.kept_counts())),
      first_bad_("in the part that was there") {}

void ObjectScoring::run() {
  out_.end_head();
  while (batches_.next(batch_)) {
    answer();
    out_.flush();
  }
  out_.finish();
}

std::string ObjectScoring::note() const {
  if (bad_ == 0) return "";
  return fmt::format("{} bad line{}, kept with an error field; the first: {}", grouped(bad_), bad_ == 1 ? "" : "s",
                     first_bad_);
}

void ObjectScoring::read_entries() {
  entries_.clear();
  lines_.clear();
  for (const std::string& line : batch_.lines) {
    Entry& entry = entries_.emplace_back();
    entry.first_line = lines_.size();
    if (is_blank_line(line)) continue;
    try {
      entry.lines = append_lines(read_object_line(line, options_.key, kAdded).text, &lines_);
    } catch (const Error& error) {
      entry.why = error.what();
    }
  }
}

void ObjectScoring::answer() {
  read_entries();
  for (std::size_t first = 0; first < entries_.size();) {
    const std::size_t bad = print_scored(first, entries_.size());
    if (bad < entries_.size()) print_bad(bad);
    first = bad + 1;
  }
}

std::size_t ObjectScoring::print_scored(std::size_t first, std::size_t end) {
  if (first == end) return end;
  const std::size_t from = entries_[first].first_line;
  const std::size_t to = entries_[end - 1].first_line + entries_[end - 1].lines;
  std::vector<Score> scores;
  try {
    scores = scorer_.score(std::span<const std::string>(lines_).subspan(from, to - from),
                           [](std::size_t) { return std::string("the text"); });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput || !error.index()) throw;
    const std::size_t line = from + static_cast<std::size_t>(*error.index());
    std::size_t bad = first;
    while (entries_[bad].first_line + entries_[bad].lines <= line) ++bad;
    static_cast<void>(print_scored(first, bad));
    entries_[bad].why = error.what();
    return bad;
  }
  for (std::size_t i = first; i < end; ++i) {
    print(i, std::span<const Score>(scores).subspan(entries_[i].first_line - from, entries_[i].lines));
  }
  return end;
}

void ObjectScoring::print(std::size_t entry, std::span<const Score> scores) {
  if (!entries_[entry].why.empty()) return print_bad(entry);
  const std::string& line = batch_.lines[entry];
  ScoreTotals sums;
  for (const Score& score : scores) sums += totals_of_line(context_, score);
  out_.text().write(scores.empty() ? line + '\n' : with_fields(line, fields_of(sum_of(scores), context_.base)));
  totals_ += sums;
  out_.end_unit(sums_of(sums));
}

void ObjectScoring::print_bad(std::size_t entry) {
  const std::string& why = entries_[entry].why;
  if (bad_++ == 0) {
    first_bad_ =
        fmt::format("{}, line {}: {}", batches_.name(), batch_.first_number + static_cast<std::int64_t>(entry), why);
  }
  if (bad_ > options_.most_bad) {
    out_.flush();
    throw Error(ErrorCode::kInput,
                options_.most_bad == 0
                    ? fmt::format("{} (keep bad lines, up to N of them, with an error field: --max-bad N)", first_bad_)
                    : fmt::format("more than {} bad line{}; the first: {}", grouped(options_.most_bad),
                                  options_.most_bad == 1 ? "" : "s", first_bad_));
  }
  out_.text().write(with_error(batch_.lines[entry], why));
  out_.end_unit(sums_of(ScoreTotals{.bad = 1}));
}

}  // namespace unroll
