#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/names.h"
#include "base/quote.h"
#include "rescore/nbest_line.h"
#include "unroll/error.h"
#include "unroll/nbest/nbest.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::string_view name(NbestDialect dialect) noexcept {
  switch (dialect) {
    case NbestDialect::kRnnlm:
      return "rnnlm";
    case NbestDialect::kKaldi:
      return "kaldi";
    case NbestDialect::kMoses:
      return "moses";
    case NbestDialect::kSrilm:
      return "srilm";
    case NbestDialect::kColumns:
      return "columns";
    case NbestDialect::kJson:
      return "json";
  }
  return {};
}

constexpr std::size_t kRememberedIds = std::size_t{1} << 20;

void read_line(const NbestLine& line, const NbestFormat& format, std::string& id, Hypothesis& hypothesis) {
  switch (format.dialect) {
    case NbestDialect::kRnnlm:
      return read_rnnlm(line, id, hypothesis);
    case NbestDialect::kKaldi:
      return read_kaldi(line, id, hypothesis);
    case NbestDialect::kMoses:
      return read_moses(line, id, hypothesis);
    case NbestDialect::kSrilm:
      return read_srilm(line, format, hypothesis);
    case NbestDialect::kColumns:
      return read_columns(line, format, id, hypothesis);
    case NbestDialect::kJson:
      return read_json(line, id, hypothesis);
  }
}

std::string id_of_file(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return name;
}

const NbestFormat& checked(const NbestFormat& format) {
  check(format);
  return format;
}

}  // namespace

std::string_view nbest_dialect_name(NbestDialect dialect) noexcept { return name(dialect); }

NbestDialect parse_nbest_dialect(std::string_view text) { return parse_name<NbestDialect, name>("format", text); }

bool is_log10(const NbestFormat& format) noexcept { return format.dialect == NbestDialect::kSrilm; }

struct NbestReader::Impl {
  Impl(const std::string& path, const NbestFormat& its_format)
      : format(checked(its_format)), name(text_name(path)), file_id(id_of_file(path)), reader(path) {}

  // Reads a line into `waiting`; false at the end.
  bool read() {
    waiting = {};
    waiting_id.clear();
    if (!reader.next(waiting.line)) return false;
    waiting.number = ++lines;
    std::string_view bytes = waiting.line;
    if (bytes.ends_with('\r')) bytes.remove_suffix(1);
    if (format.dialect == NbestDialect::kSrilm) waiting_id = file_id;
    read_line({name, lines, bytes}, format, waiting_id, waiting);
    return true;
  }

  // Whether the next line belongs to this list. An error in another list's line is kept until that list is asked for.
  bool read_more_of(const NbestList& list) {
    try {
      return read() && waiting_id == list.id;
    } catch (const Error& error) {
      if (waiting_id.empty() || waiting_id == list.id) throw;
      failure = error;
      return false;
    }
  }

  void begin(NbestList& list) {
    if (seen.count(waiting_id) > 0) {
      throw Error(
          ErrorCode::kInput,
          fmt::format("{}, line {}, column {}: the id {} came before, with others between: lines of a list stand "
                      "together, and each begins with an id",
                      name, waiting.number, waiting.id_column, quote(waiting_id)));
    }
    if (seen.size() < kRememberedIds) seen.insert(waiting_id);
    list.id = waiting_id;
    list.hypotheses.clear();
  }

  // In Kaldi's lists the whole id identifies a hypothesis.
  void check_key(std::unordered_set<std::string>& keys) const {
    std::string_view line = waiting.line;
    const std::string key(take_field(line));
    if (keys.insert(key).second) return;
    throw Error(ErrorCode::kInput, fmt::format("{}, line {}, column {}: the id {} came before", name, waiting.number,
                                               waiting.id_column, quote(key)));
  }

  // Objects of JSON may have different keys.
  void check_scores(const Hypothesis& first) const {
    const auto check = [&](bool has, bool expected, std::string_view key) {
      if (has == expected) return;
      throw Error(ErrorCode::kInput,
                  fmt::format("{}, line {}, column 1: {} {}, unlike the first hypothesis of {}", name, waiting.number,
                              has ? "it has" : "it lacks", key, quote(waiting_id)));
    };
    check(waiting.score.has_value(), first.score.has_value(), "score");
    check(waiting.lm_score.has_value(), first.lm_score.has_value(), "lscore");
  }

  bool next(NbestList& list) {
    if (failure) throw Error(*failure);
    try {
      return read_list(list);
    } catch (const Error& error) {
      failure = error;
      throw;
    }
  }

  bool read_list(NbestList& list) {
    if (lines == 0 && !read()) throw Error(ErrorCode::kInput, fmt::format("{} holds no hypothesis", name));
    if (waiting.number == 0) return false;
    begin(list);
    std::unordered_set<std::string> keys;
    do {
      if (format.dialect == NbestDialect::kKaldi) check_key(keys);
      if (!list.hypotheses.empty()) check_scores(list.hypotheses.front());
      list.hypotheses.push_back(std::move(waiting));
    } while (read_more_of(list));
    return true;
  }

  NbestFormat format;
  std::string name;
  std::string file_id;
  LineReader reader;
  std::int64_t lines = 0;
  Hypothesis waiting;  // read already; its number is 0 at the end
  std::string waiting_id;
  std::unordered_set<std::string> seen;
  std::optional<Error> failure;  // what the next list is refused with
};

NbestReader::NbestReader(const std::string& path, const NbestFormat& format)
    : impl_(std::make_unique<Impl>(path, format)) {}
NbestReader::~NbestReader() = default;
NbestReader::NbestReader(NbestReader&&) noexcept = default;
NbestReader& NbestReader::operator=(NbestReader&&) noexcept = default;
bool NbestReader::next(NbestList& list) { return impl_->next(list); }
const std::string& NbestReader::name() const noexcept { return impl_->name; }

std::string rescored_line(const Hypothesis& hypothesis, const NewNumbers& numbers) {
  std::vector<std::pair<const NumberPlace*, std::string>> edits;
  if (hypothesis.lm) edits.emplace_back(&*hypothesis.lm, fmt::format("{}", numbers.lm));
  if (hypothesis.total) edits.emplace_back(&*hypothesis.total, fmt::format("{}", numbers.total));
  if (hypothesis.rank && numbers.rank) edits.emplace_back(&*hypothesis.rank, fmt::format("{}", *numbers.rank));
  std::ranges::stable_sort(edits, {}, [](const auto& edit) { return edit.first->first; });
  std::string line;
  std::size_t done = 0;
  for (const auto& [place, number] : edits) {
    line.append(hypothesis.line, done, place->first - done).append(place->before).append(number);
    done = place->first + place->size;
  }
  return line.append(hypothesis.line, done);
}

std::string best_line(const NbestFormat& format, const NbestList& list, const Hypothesis& best) {
  if (format.dialect == NbestDialect::kMoses) return best.text;
  if (best.text.empty()) return list.id;
  return list.id + (format.dialect == NbestDialect::kColumns ? '\t' : ' ') + best.text;
}

}  // namespace unroll
