// Reference transcripts or translations for N-best lists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "unroll/nbest/nbest.h"

namespace unroll {

// References by the ids of lists.
class References {
 public:
  // Reads a file with a line for each list: its id, a space or tab, the words. For kColumns and kJson, whose ids may
  // hold spaces, the id goes up to the first tab of the line, where it has one. For kMoses, whose ids are numbers from
  // 0, a line has no id but is the reference of its number. For kSrilm, pauses and noise words are left out.
  //
  // Throws Error{kFile}, and Error{kInput} naming file, line and column: no id, one that came before, no reference at
  // all.
  References(const std::string& path, const NbestFormat& format);

  // The reference of a list. Throws Error{kInput} where there is none, naming the place of the list in `file`.
  [[nodiscard]] const std::string& of(const NbestList& list, std::string_view file) const;

  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(texts_.size()); }

 private:
  std::string name_;
  std::unordered_map<std::string, std::string> texts_;
};

}  // namespace unroll
