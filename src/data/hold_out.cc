#include "data/hold_out.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/philox.h"
#include "unroll/error.h"
#include "unroll/fnv1a.h"

namespace unroll {
namespace {

// Texts that hold the same bytes.
struct EqualGroup {
  std::uint64_t key = 0;  // random: which group comes first
  std::vector<std::size_t> texts = {};

  [[nodiscard]] std::int64_t size() const noexcept { return std::ssize(texts); }
};

// The groups of one label, in random order.
struct Stratum {
  std::vector<EqualGroup> groups;
  std::int64_t texts = 0;
};

std::uint64_t random_key(std::string_view text, std::uint64_t seed) noexcept {
  const std::uint64_t hash = fnv1a(text);
  const auto words = random_words(seed, static_cast<std::uint32_t>(hash >> 32), RandomPurpose::kHoldOut, 0,
                                  static_cast<std::uint32_t>(hash), 0);
  return static_cast<std::uint64_t>(words[0]) << 32 | words[1];
}

// Of all labels of a group's texts, the one that the fewest texts have; the number of labels where there is none.
std::size_t stratum_of(const EqualGroup& group, const LabelledTexts& texts, const std::vector<std::int64_t>& counts) {
  std::size_t rarest = counts.size();
  for (const std::size_t text : group.texts) {
    for (const std::int32_t label : texts.texts[text].labels) {
      const auto place = static_cast<std::size_t>(label);
      if (rarest == counts.size() || std::pair(counts[place], place) < std::pair(counts[rarest], rarest)) {
        rarest = place;
      }
    }
  }
  return rarest;
}

std::vector<EqualGroup> equal_groups(const LabelledTexts& texts) {
  std::vector<EqualGroup> groups;
  std::unordered_map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < texts.texts.size(); ++i) {
    const auto [entry, is_new] = known.try_emplace(texts.texts[i].text, groups.size());
    if (is_new) groups.emplace_back();
    groups[entry->second].texts.push_back(i);
  }
  return groups;
}

// A stratum for each label, and one for texts without any.
std::vector<Stratum> stratify(const LabelledTexts& texts, std::uint64_t seed) {
  std::vector<std::int64_t> counts(texts.labels.size());
  for (const LabelledText& text : texts.texts) {
    for (const std::int32_t label : text.labels) ++counts[static_cast<std::size_t>(label)];
  }
  std::vector<Stratum> strata(texts.labels.size() + 1);
  const auto text_of = [&](const EqualGroup& group) -> std::string_view { return texts.texts[group.texts[0]].text; };
  for (EqualGroup& group : equal_groups(texts)) {
    group.key = random_key(text_of(group), seed);
    Stratum& stratum = strata[stratum_of(group, texts, counts)];
    stratum.texts += group.size();
    stratum.groups.push_back(std::move(group));
  }
  for (Stratum& stratum : strata) {
    std::ranges::sort(stratum.groups, [&](const EqualGroup& a, const EqualGroup& b) {
      return std::tuple(a.key, text_of(a)) < std::tuple(b.key, text_of(b));
    });
  }
  return strata;
}

// How many texts each stratum gives: the whole part of its share, and what rounding leaves over to those with the
// largest remainders (Hamilton's method). One text of each stays.
std::vector<std::int64_t> quotas(const std::vector<Stratum>& strata, std::int64_t texts, double share) {
  std::vector<std::int64_t> quotas;
  std::vector<std::pair<double, std::size_t>> remainders;
  std::int64_t left = std::llround(share * static_cast<double>(texts));
  for (std::size_t i = 0; i < strata.size(); ++i) {
    const double exact = share * static_cast<double>(strata[i].texts);
    quotas.push_back(static_cast<std::int64_t>(exact));
    left -= quotas.back();
    if (quotas.back() < strata[i].texts - 1) remainders.emplace_back(static_cast<double>(quotas.back()) - exact, i);
  }
  std::ranges::sort(remainders);
  for (const auto& [remainder, i] : remainders) {
    if (left <= 0 || remainder == 0) break;
    ++quotas[i];
    --left;
  }
  return quotas;
}

TextSplit split_by(const std::vector<bool>& is_valid) {
  TextSplit split;
  for (std::size_t i = 0; i < is_valid.size(); ++i) (is_valid[i] ? split.valid : split.train).push_back(i);
  return split;
}

}  // namespace

TextSplit hold_out(const LabelledTexts& texts, double share, std::uint64_t seed) {
  if (!(share >= 0 && share < 1)) {
    throw Error(ErrorCode::kUsage, fmt::format("`share` is {}: expected a number from 0 to below 1", share), "share");
  }
  std::vector<bool> is_valid(texts.texts.size());
  if (share == 0) return split_by(is_valid);
  const std::vector<Stratum> strata = stratify(texts, seed);
  const std::vector<std::int64_t> wanted = quotas(strata, std::ssize(texts.texts), share);
  std::int64_t held_out = 0;
  for (std::size_t i = 0; i < strata.size(); ++i) {
    std::int64_t left = wanted[i];
    for (const EqualGroup& group : strata[i].groups) {
      if (group.size() > left) continue;
      left -= group.size();
      held_out += group.size();
      for (const std::size_t text : group.texts) is_valid[text] = true;
    }
  }
  if (held_out == 0) {
    throw Error(
        ErrorCode::kInput,
        fmt::format("a share of {} of {} texts holds out none for validation, since equal texts stay together and one "
                    "of each label stays to train on: give more texts, a larger `text.valid_split`, a `text.valid`, or "
                    "a `text.valid_split` of 0, which keeps the last weights",
                    share, texts.texts.size()),
        "text.valid_split");
  }
  return split_by(is_valid);
}

TextSplit hold_out(const TaggedTexts& texts, double share, std::uint64_t seed) {
  LabelledTexts plain{.texts = {}, .labels = {"sentence"}};
  for (const TaggedSentence& sentence : texts.sentences) {
    plain.texts.push_back({.text = fmt::format("{}", fmt::join(sentence.words, " ")), .labels = {0}});
  }
  return hold_out(plain, share, seed);
}

TextSplit split_fold(const LabelledTexts& texts, std::int64_t fold, std::int64_t folds, std::uint64_t seed) {
  if (folds < 2) {
    throw Error(ErrorCode::kUsage, fmt::format("`folds` is {}: expected at least 2", folds), "folds");
  }
  if (fold < 0 || fold >= folds) {
    throw Error(ErrorCode::kUsage, fmt::format("`fold` is {}: expected a number from 0 to {}", fold, folds - 1),
                "fold");
  }
  std::vector<bool> is_valid(texts.texts.size());
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(folds));
  std::int64_t groups = 0;
  for (const Stratum& stratum : stratify(texts, seed)) {
    std::vector<std::int64_t> sizes_here(sizes.size());
    for (const EqualGroup& group : stratum.groups) {
      std::size_t smallest = 0;
      for (std::size_t i = 1; i < sizes.size(); ++i) {
        if (std::pair(sizes_here[i], sizes[i]) < std::pair(sizes_here[smallest], sizes[smallest])) smallest = i;
      }
      sizes_here[smallest] += group.size();
      sizes[smallest] += group.size();
      ++groups;
      if (static_cast<std::int64_t>(smallest) != fold) continue;
      for (const std::size_t text : group.texts) is_valid[text] = true;
    }
  }
  if (groups < folds) {
    throw Error(ErrorCode::kInput, fmt::format("{} different texts are too few for {} folds", groups, folds), "folds");
  }
  return split_by(is_valid);
}

}  // namespace unroll
