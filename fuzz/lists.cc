#include <array>
#include <string>

#include "target.h"
#include "targets.h"
#include "unroll/nbest/error_rate.h"
#include "unroll/nbest/nbest.h"
#include "unroll/nbest/references.h"

namespace unroll {
namespace {

// A capital letter stands for references of lists in that format.
constexpr std::string_view kFormats = "rkmscjRKMSCJ";

NbestFormat format_of(char choice) {
  switch (choice) {
    case 'k':
    case 'K':
      return {.dialect = NbestDialect::kKaldi};
    case 'm':
    case 'M':
      return {.dialect = NbestDialect::kMoses};
    case 's':
    case 'S':
      return {.dialect = NbestDialect::kSrilm};
    case 'c':
    case 'C':
      return {.dialect = NbestDialect::kColumns, .columns = {"id", "rank", "score", "lscore", "-", "total", "text"}};
    case 'j':
    case 'J':
      return {.dialect = NbestDialect::kJson};
    default:
      return {.dialect = NbestDialect::kRnnlm};
  }
}

// Whether bytes [first, first + size) are within the line.
bool is_within(const NumberPlace& place, const std::string& line) {
  return place.first <= line.size() && place.size <= line.size() - place.first;
}

void check_hypothesis(const Hypothesis& hypothesis) {
  for (const std::optional<NumberPlace>& place : {hypothesis.lm, hypothesis.total, hypothesis.rank}) {
    expect(!place || is_within(*place, hypothesis.line), "numbers have their places within the line");
  }
  expect(hypothesis.line.find('\n') == std::string::npos, "a line has no line end");
  expect(hypothesis.words >= 0, "a number of words is a count");
  const std::string line = rescored_line(hypothesis, {.lm = -1.5, .total = -2.25, .rank = 3});
  if (!hypothesis.lm && !hypothesis.total && !hypothesis.rank) expect(line == hypothesis.line, "a line is kept");
  const ErrorCount errors = word_errors(hypothesis.text, hypothesis.line);
  expect(errors.errors >= 0 && errors.of >= 0, "errors are counts");
  static_cast<void>(character_errors(hypothesis.text.substr(0, 200), hypothesis.line.substr(0, 200)));
}

// What is written for all lists, with new numbers.
std::string rescored(const std::string& path, const NbestFormat& format) {
  NbestReader reader(path, format);
  std::string lines;
  for (NbestList list; reader.next(list);) {
    expect(!list.hypotheses.empty(), "a list has a hypothesis");
    for (const Hypothesis& hypothesis : list.hypotheses) {
      check_hypothesis(hypothesis);
      static_cast<void>(best_line(format, list, hypothesis));
      lines += rescored_line(hypothesis, {.lm = -1.5, .total = -2.25}) + "\n";
    }
  }
  return lines;
}

}  // namespace

std::string fuzz_lists(std::string_view input) {
  const char choice = take_choice(input, kFormats);
  const NbestFormat format = format_of(choice);
  const std::string path = file_of(input, "lists");
  const bool references = choice >= 'A' && choice <= 'Z';
  return refusal_of([&] {
    if (references) {
      expect(References(path, format).size() > 0, "references are one at least");
      return;
    }
    const std::string lines = rescored(path, format);
    // Moses' lists refuse to be rescored twice.
    if (format.dialect == NbestDialect::kMoses) return;
    const std::string again = file_of(lines, "rescored");
    expect(refusal_of([&] { rescored(again, format); }).empty(), "what is written can be read");
  });
}

}  // namespace unroll
