// N-best lists: the hypotheses of a recogniser or translator for an utterance, in the formats that toolkits write.
//
//   unroll::NbestReader reader("lists.gz", {.dialect = unroll::NbestDialect::kKaldi});
//   for (unroll::NbestList list; reader.next(list);) {
//     for (const unroll::Hypothesis& hypothesis : list.hypotheses) std::cout << hypothesis.text << '\n';
//   }
//
// A line is a hypothesis and is kept as it is; new numbers go where the dialect has a place for them, and every other
// byte of the line is preserved. docs/rescore.md shows each dialect.
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

// The dialect of that name. Throws Error{kUsage} listing the known ones.
[[nodiscard]] NbestDialect parse_nbest_dialect(std::string_view name);

struct NbestFormat {
  NbestDialect dialect = NbestDialect::kRnnlm;
  // kColumns: a name for each column, from left to right: id and text, which are required, rank, score, lscore, total,
  // or "-" for a column that is not used.
  std::vector<std::string> columns = {};
  // kSrilm: words that are left out of hypotheses and references, as the pause "-pau-" always is.
  std::vector<std::string> noise = {};
};

// Throws Error{kUsage} for columns that are unknown, missing or named twice, and for columns or noise words of another
// dialect.
void check(const NbestFormat& format);

// Whether the dialect's numbers are decimal logarithms; those of all others are taken as natural ones.
[[nodiscard]] bool is_log10(const NbestFormat& format) noexcept;

// The place of a number in a line, bytes [first, first + size), and the text to put before it where it is new.
struct NumberPlace {
  std::size_t first = 0;
  std::size_t size = 0;
  std::string before = {};
};

struct Hypothesis {
  std::string line;                // without its newline; a carriage return before that stays
  std::int64_t number = 0;         // of the line in its file, from 1
  std::int64_t id_column = 1;      // byte of the line at which the id begins, from 1; kSrilm: 1
  std::string text;                // the words of the hypothesis; kSrilm: without boundaries, pauses and noise
  std::int64_t text_column = 1;    // byte of the line at which it begins, from 1
  std::int64_t words = 0;          // runs between ASCII white space; kSrilm: its nwords
  std::optional<double> score;     // as given: total of kMoses, ascore of kSrilm, score of others
  std::optional<double> lm_score;  // of the list's own language model: lscore
  std::optional<NumberPlace> lm;   // places of new numbers; kRnnlm and kKaldi have none, kSrilm no total
  std::optional<NumberPlace> total;
  std::optional<NumberPlace> rank;
};

// The hypotheses of one utterance, at least one, in the order of the file. Either all have a score or none, and
// likewise lm_score.
struct NbestList {
  std::string id;
  std::vector<Hypothesis> hypotheses;
};

// Reads lists one after another, in memory for one list and for up to a million ids, to notice one that comes again.
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
  // too few or too many fields, a score that only some hypotheses of the list have, a field that is not a number up to
  // 1e30, a count of words above that of the text, an id or text with a line end, invalid JSON, a feature unroll= of
  // Moses that is there already; and naming the file, one without a hypothesis. A list is returned before the error of
  // a line that is known to belong to another list. Later calls throw the same error again.
  bool next(NbestList& list);

  // What messages call the file: "'lists.gz'", "standard input".
  [[nodiscard]] const std::string& name() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// New numbers of a hypothesis, in the dialect's own unit.
struct NewNumbers {
  double lm = 0;
  double total = 0;
  std::optional<std::int64_t> rank = {};  // none: the old one is kept
};

// The line with these numbers in their places; the same line where it has no places.
[[nodiscard]] std::string rescored_line(const Hypothesis& hypothesis, const NewNumbers& numbers);

// "id text", with a tab between for kColumns, as programs that count word errors read it; kMoses: the text alone.
[[nodiscard]] std::string best_line(const NbestFormat& format, const NbestList& list, const Hypothesis& best);

}  // namespace unroll
