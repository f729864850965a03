#include "unroll/references.h"

#include <fmt/core.h>

#include "model/strict_json.h"
#include "rescore/nbest_line.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {

References::References(const std::string& path, const NbestFormat& format)
    : name_(path == "-" ? "standard input" : fmt::format("'{}'", path)) {
  LineReader reader(path);
  std::string bytes;
  for (std::int64_t number = 1; reader.next(bytes); ++number) {
    const NbestLine line{name_, number, bytes};
    std::string_view rest = bytes;
    const bool numbered = format.dialect == NbestDialect::kMoses;
    const std::string id(numbered ? fmt::format("{}", number - 1) : take_field(rest));
    if (id.empty()) line.refuse(0, "there is no id: a line is an id, a space or tab and the words of its reference");
    if (!texts_.emplace(id, trimmed_field(rest)).second) {
      line.refuse(bytes.find(id), fmt::format("the id {} came before", quote(id)));
    }
  }
  if (texts_.empty()) throw Error(ErrorCode::kInput, fmt::format("{} holds no reference", name_));
}

const std::string& References::of(const NbestList& list, std::string_view file) const {
  const auto found = texts_.find(list.id);
  if (found != texts_.end()) return found->second;
  const Hypothesis& first = list.hypotheses.front();
  const std::size_t at = first.line.find(list.id);
  const NbestLine line{file, first.number, first.line};
  line.refuse(at == std::string::npos ? 0 : at, fmt::format("{} has no reference of {}", name_, quote(list.id)));
}

}  // namespace unroll
