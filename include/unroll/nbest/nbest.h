// N-best lists: what a recogniser or translator offers for an utterance, in the forms that toolkits write.
//
// A line is a hypothesis and is kept as it stands; a new number goes where its dialect has a place for it, and every
// other byte of the line comes back. docs/rescore.md shows each dialect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

enum class NbestDialect {
  kRnnlm,    // id w1 w2 ...
  kKaldi,    // id-1 w1 w2 ..., id-2 w1 w2 ...: what nbest-to-linear writes
  kMoses,    // id ||| hypothesis ||| features ||| total, and perhaps more fields; Marian's too
  kSrilm,    // ascore lscore nwords w1 w2 ..., log10; a file is a list
  kColumns,  // tab-separated, with names for the columns
  kJson,     // an object per line with the keys id, text, and perhaps rank, score, lscore, total
};

// "rnnlm", "kaldi", "moses", "srilm", "columns", "json".
[[nodiscard]] std::string_view nbest_dialect_name(NbestDialect dialect) noexcept;

// The dialect of that name. Throws Error{kUsage} naming the known ones.
[[nodiscard]] NbestDialect parse_nbest_dialect(std::string_view name);

struct NbestFormat {
  NbestDialect dialect = NbestDialect::kRnnlm;
  // kColumns: a name for each column, from left to right: id and text, which must be there, rank, score, lscore, total,
  // or "-" for one that is left alone.
  std::vector<std::string> columns = {};
};

// Throws Error{kUsage} for columns that are unknown, missing or named twice, and for columns of another dialect.
void check(const NbestFormat& format);

// Whether the dialect's numbers are decimal logarithms; those of all others are taken as natural ones.
[[nodiscard]] bool is_log10(const NbestFormat& format) noexcept;

// Where a number stands in a line, or where a new one is put in: bytes [first, first + size), and what stands before it
// if it is new.
struct NumberPlace {
  std::size_t first = 0;
  std::size_t size = 0;
  std::string before = {};
};

struct Hypothesis {
  std::string line;                // without its newline; a carriage return before that stays
  std::int64_t number = 0;         // of the line in its file, from 1
  std::int64_t id_column = 1;      // byte of the line at which the id begins, from 1; kSrilm: 1
  std::string text;                // what the utterance may have been
  std::int64_t text_column = 1;    // byte of the line at which it begins, from 1
  std::int64_t words = 0;          // runs between ASCII white space; kSrilm: what its nwords says
  std::optional<double> score;     // as given: total of kMoses, ascore of kSrilm, score of others
  std::optional<double> lm_score;  // of a language model that was there before: lscore
  std::optional<NumberPlace> lm;   // places of new numbers; kRnnlm and kKaldi have none, kSrilm no total
  std::optional<NumberPlace> total;
  std::optional<NumberPlace> rank;
};

// All that is offered for one utterance, one hypothesis at least, in the order of the file. Either all have a score or
// none, and so with lm_score.
struct NbestList {
  std::string id;
  std::vector<Hypothesis> hypotheses;
};

// Reads lists one after another, in memory for one list (and up to a million ids, so that one that comes back is seen).
// Not for two threads at once.
class NbestReader {
 public:
  // `path` is a file, a .gz, or "-" for standard input. Throws Error{kFile} like LineReader, and what check() throws.
  NbestReader(const std::string& path, const NbestFormat& format);
  ~NbestReader();
  NbestReader(NbestReader&&) noexcept;
  NbestReader& operator=(NbestReader&&) noexcept;

  // The next list; false at the end. The lines of a list follow each other and have its id. The id of kSrilm is the
  // file's name without folders and ".gz".
  //
  // Throws Error{kInput} naming file, line and column (bytes, from 1): no id, one that came before with others between,
  // too few or too many fields, a score that is there and that others of the list lack, or the other way round, what
  // should be a number up to 1e30 and is none, a count of words above that of the text, an id or text with a line end,
  // JSON that is none, a feature unroll= of Moses that is there already; and naming the file, one without a hypothesis.
  // A list is handed out before a wrong line that is known to be of another list. What was thrown is thrown again.
  bool next(NbestList& list);

  // As messages call the file: "'lists.gz'", "standard input".
  [[nodiscard]] const std::string& name() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// New numbers of a hypothesis, in the dialect's own unit.
struct NewNumbers {
  double lm = 0;
  double total = 0;
  std::optional<std::int64_t> rank = {};  // none: the old one stays
};

// The line with these in their places. The same line again where it has no places.
[[nodiscard]] std::string rescored_line(const Hypothesis& hypothesis, const NewNumbers& numbers);

// "id text", with a tab between for kColumns, as programs that count word errors read it; kMoses: the text alone.
[[nodiscard]] std::string best_line(const NbestFormat& format, const NbestList& list, const Hypothesis& best);

}  // namespace unroll
