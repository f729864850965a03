#include "unroll/nbest/references.h"

#include <fmt/core.h>

#include "base/names.h"
#include "base/quote.h"
#include "rescore/nbest_line.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Takes the id off `rest`. In formats whose ids may hold spaces it goes up to the first tab, where there is one.
std::string_view take_id(const NbestFormat& format, std::string_view& rest) {
  const bool spaces = format.dialect == NbestDialect::kColumns || format.dialect == NbestDialect::kJson;
  const std::size_t tab = rest.find('\t');
  if (!spaces || tab == std::string_view::npos) return take_field(rest);
  const std::string_view id = rest.substr(0, tab);
  rest.remove_prefix(tab);
  return id;
}

}  // namespace

References::References(const std::string& path, const NbestFormat& format) : name_(text_name(path)) {
  expect_enumerator("dialect", format.dialect, nbest_dialect_name(format.dialect));
  LineReader reader(path);
  std::string bytes;
  for (std::int64_t number = 1; reader.next(bytes); ++number) {
    const NbestLine line{name_, number, bytes};
    std::string_view rest = bytes;
    if (format.dialect == NbestDialect::kMoses) {
      texts_.emplace(fmt::format("{}", number - 1), trimmed(rest));
      continue;
    }
    const std::string_view id = take_id(format, rest);
    if (id.empty()) line.refuse(0, "there is no id: a line is an id, a space or tab and the words of its reference");
    if (!texts_.emplace(id, counted_text(format, trimmed(rest))).second) {
      line.refuse(line.place_of(id), fmt::format("the id {} came before", quote(id)));
    }
  }
  if (texts_.empty()) throw Error(ErrorCode::kInput, fmt::format("{} holds no reference", name_));
}

const std::string& References::of(const NbestList& list, std::string_view file) const {
  const auto found = texts_.find(list.id);
  if (found != texts_.end()) return found->second;
  const Hypothesis& first = list.hypotheses.front();
  const NbestLine line{file, first.number, first.line};
  line.refuse(static_cast<std::size_t>(first.id_column) - 1,
              fmt::format("{} has no reference of {}", name_, quote(list.id)));
}

}  // namespace unroll
