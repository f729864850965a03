#include "cli/shards/label_totals.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "unroll/error.h"

namespace unroll {
namespace {

using Object = nlohmann::ordered_json;

void append_set(const std::vector<std::int32_t>& set, std::vector<std::int64_t>& counts) {
  counts.push_back(std::ssize(set));
  counts.insert(counts.end(), set.begin(), set.end());
}

// Takes the numbers of a text in the order in which sums_of() put them.
class TextSumsReader {
 public:
  // `labels`: how many there are.
  TextSumsReader(const UnitSums& unit, std::size_t labels) : unit_(unit), labels_(labels) {}

  std::int64_t count() {
    expect(at_count_ < unit_.counts.size());
    return unit_.counts[at_count_++];
  }

  double real() {
    expect(at_real_ < unit_.reals.size());
    return unit_.reals[at_real_++];
  }

  std::vector<std::int32_t> set() {
    std::vector<std::int32_t> labels;
    for (std::int64_t left = count(); left > 0; --left) {
      const std::int64_t label = count();
      expect(label >= 0 && static_cast<std::size_t>(label) < labels_);
      labels.push_back(static_cast<std::int32_t>(label));
    }
    return labels;
  }

  std::vector<Confidence> confidences() {
    std::vector<Confidence> found;
    for (std::int64_t left = count(); left > 0; --left) {
      const double probability = real();
      found.push_back({.probability = probability, .is_right = count() != 0});
    }
    return found;
  }

 private:
  static void expect(bool holds) {
    if (!holds) throw Error(ErrorCode::kFormat, "numbers that a text cannot have");
  }

  const UnitSums& unit_;
  std::size_t labels_;
  std::size_t at_count_ = 0;
  std::size_t at_real_ = 0;
};

void append_answer(const AnsweredText& answered, UnitSums& sums) {
  append_set(answered.answers, sums.counts);
  sums.reals.push_back(answered.nats);
  sums.counts.push_back(std::ssize(answered.confidences));
  for (const Confidence& confidence : answered.confidences) {
    sums.reals.push_back(confidence.probability);
    sums.counts.push_back(confidence.is_right ? 1 : 0);
  }
}

class LabelTotals final : public UnitTotals {
 public:
  explicit LabelTotals(const Object& parameters) : known_(parameters.at("known")) {
    about_.texts.labels = parameters.at("labels").get<std::vector<std::string>>();
    about_.texts.multi_label = parameters.at("multi_label");
    about_.models = parameters.at("models").get<std::vector<std::string>>();
    about_.precision = parameters.at("precision");
    if (about_.models.size() > 1) alone_.resize(about_.models.size());
  }

  void add(const UnitSums& unit) override {
    TextSumsReader reader(unit, about_.texts.labels.size());
    const bool was_cut = reader.count() != 0;
    about_.texts.texts.push_back({.text = {}, .labels = reader.set()});
    answered_.add(read_answer(reader, was_cut));
    for (AnswerSums& sums : alone_) sums.add(read_answer(reader, was_cut));
  }

  [[nodiscard]] std::string tail(bool json) const override {
    LabelEvaluation found = about_;
    found.answered = answered_.finish();
    for (const AnswerSums& sums : alone_) found.alone.push_back(sums.finish());
    found.notes = notes_on_texts(found.texts, known_, found.answered.cut);
    judge_answers(found);
    return json ? label_json(found, {}) : label_table(found, {});
  }
  [[nodiscard]] std::string report(bool) const override { return ""; }

 private:
  static AnsweredText read_answer(TextSumsReader& reader, bool was_cut) {
    AnsweredText answered{.answers = reader.set(), .nats = reader.real()};
    answered.confidences = reader.confidences();
    answered.was_cut = was_cut;
    return answered;
  }

  std::size_t known_;
  LabelEvaluation about_;  // without answers
  AnswerSums answered_;
  std::vector<AnswerSums> alone_;
};

}  // namespace

std::string label_parameters(const LabelEvaluation& found, std::size_t known) {
  return Object{{"labels", found.texts.labels},
                {"known", known},
                {"multi_label", found.texts.multi_label},
                {"models", found.models},
                {"precision", found.precision}}
      .dump(-1, ' ', false, Object::error_handler_t::replace);
}

UnitSums sums_of(const LabelledText& text, const AnsweredText& answered, const std::vector<AnsweredText>& alone) {
  UnitSums sums{.counts = {answered.was_cut ? 1 : 0}};
  append_set(text.labels, sums.counts);
  append_answer(answered, sums);
  for (const AnsweredText& one : alone) append_answer(one, sums);
  return sums;
}

std::unique_ptr<UnitTotals> label_totals(const std::string& parameters) {
  return std::make_unique<LabelTotals>(Object::parse(parameters));
}

}  // namespace unroll
