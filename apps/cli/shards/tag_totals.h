// The totals of a tagger's evaluation by sentences: its report.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/shards/unit_totals.h"
#include "unroll/label/tagger.h"

namespace unroll {

// Numbers for tags.
class TagTable {
 public:
  explicit TagTable(std::vector<std::string> tags);

  [[nodiscard]] const std::vector<std::string>& tags() const noexcept { return tags_; }

  // What a sentence adds. Requires that its tags are in the table.
  [[nodiscard]] UnitSums sums_of(const ComparedTags& sentence) const;

  // The reverse. Throws Error{kFormat} for sums that a sentence cannot have.
  [[nodiscard]] ComparedTags sentence_of(const UnitSums& sums) const;

 private:
  std::vector<std::string> tags_;
  std::unordered_map<std::string, std::int64_t> numbers_;
};

// The parameters of totals_of("eval tag").
[[nodiscard]] std::string tag_parameters(const TagBasis& basis, const TagTable& table);

[[nodiscard]] std::unique_ptr<UnitTotals> tag_totals(const std::string& parameters);

}  // namespace unroll
