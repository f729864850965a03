#include "cli/shards/tag_totals.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "cli/evaluations/tag_evaluation.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using Object = nlohmann::ordered_json;

class TagTotals final : public UnitTotals {
 public:
  explicit TagTotals(const Object& parameters)
      : table_(parameters.at("tags").get<std::vector<std::string>>()),
        basis_{.labels = parameters.at("labels"),
               .model_scheme = parse_tag_scheme(parameters.at("model_scheme").get<std::string>()),
               .scheme = parse_tag_scheme(parameters.at("scheme").get<std::string>()),
               .invalid_sentences = parameters.at("invalid_sentences"),
               .rule = parameters.at("strict").get<bool>() ? SpanRule::kStrict : SpanRule::kConlleval} {}

  void add(const UnitSums& unit) override { sentences_.push_back(table_.sentence_of(unit)); }

  [[nodiscard]] std::string tail(bool json) const override {
    const TagEvaluation result = judge_tags(basis_, sentences_);
    return json ? tag_evaluation_json(basis_.rule, result) : tag_evaluation_table(basis_.rule, result);
  }
  [[nodiscard]] std::string report(bool) const override { return ""; }

 private:
  TagTable table_;
  TagBasis basis_;
  std::vector<ComparedTags> sentences_;
};

}  // namespace

TagTable::TagTable(std::vector<std::string> tags) : tags_(std::move(tags)) {
  for (const std::string& tag : tags_) numbers_.emplace(tag, std::ssize(numbers_));
}

UnitSums TagTable::sums_of(const ComparedTags& sentence) const {
  UnitSums sums;
  for (const std::string& tag : sentence.right) sums.counts.push_back(numbers_.at(tag));
  for (const std::string& tag : sentence.found) sums.counts.push_back(numbers_.at(tag));
  sums.counts.insert(sums.counts.end(), sentence.is_new.begin(), sentence.is_new.end());
  if (sentence.nats) sums.reals.push_back(*sentence.nats);
  return sums;
}

ComparedTags TagTable::sentence_of(const UnitSums& sums) const {
  const std::size_t words = sums.counts.size() / 3;
  expect_sums(sums, sums.reals.empty() ? 0 : 1, 3 * words);
  const auto tag_at = [&](std::size_t i) {
    const std::int64_t number = sums.counts[i];
    if (number >= 0 && number < std::ssize(tags_)) return tags_[static_cast<std::size_t>(number)];
    throw Error(ErrorCode::kFormat, "a tag that is not in its table");
  };
  ComparedTags sentence;
  for (std::size_t i = 0; i < words; ++i) {
    sentence.right.push_back(tag_at(i));
    sentence.found.push_back(tag_at(words + i));
    sentence.is_new.push_back(sums.counts[2 * words + i] != 0 ? 1 : 0);
  }
  if (!sums.reals.empty()) sentence.nats = sums.reals.front();
  return sentence;
}

std::string tag_parameters(const TagBasis& basis, const TagTable& table) {
  return Object{{"tags", table.tags()},
                {"labels", basis.labels},
                {"model_scheme", tag_scheme_name(basis.model_scheme)},
                {"scheme", tag_scheme_name(basis.scheme)},
                {"invalid_sentences", basis.invalid_sentences},
                {"strict", basis.rule == SpanRule::kStrict}}
      .dump(-1, ' ', false, Object::error_handler_t::replace);
}

std::unique_ptr<UnitTotals> tag_totals(const std::string& parameters) {
  return std::make_unique<TagTotals>(Object::parse(parameters));
}

}  // namespace unroll
