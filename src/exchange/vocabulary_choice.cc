#include "exchange/vocabulary_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "exchange/derived_vocabulary.h"
#include "exchange/symbol_names.h"
#include "exchange/vocabulary_reader.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

constexpr std::string_view kWays =
    "give `vocab`: a file with the symbols, printable (Python's string.printable), or sorted, first, frequency or "
    "first-all with the texts that it was made from";

constexpr std::string_view kForms =
    "expected a list of different strings, or ids from 0 on by symbol, or symbols by id";

constexpr std::string_view kPrintableRule = "printable";

struct VocabularyRule {
  std::string_view name;
  SymbolOrder order;
};
constexpr std::array<VocabularyRule, 4> kRules{{{"sorted", SymbolOrder::kSorted},
                                                {"first", SymbolOrder::kFirst},
                                                {"frequency", SymbolOrder::kFrequency},
                                                {"first-all", SymbolOrder::kFirst}}};

[[noreturn]] void refuse_vocabulary(ErrorCode code, const std::string& why) { throw Error(code, why, "vocab"); }

std::vector<std::string> printable_characters() {
  constexpr std::string_view kPrintable =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x0b\x0c";
  std::vector<std::string> characters;
  for (const char c : kPrintable) characters.emplace_back(1, c);
  return characters;
}

// Chooses symbols, and says in notes where they come from.
class VocabularyChoice {
 public:
  VocabularyChoice(const ImportOptions& options, const ForeignFile& checkpoint, std::int64_t size)
      : options_(options), checkpoint_(checkpoint), size_(size) {}

  ChosenVocabulary run(const FoundVocabulary& known) {
    chosen_.symbols = symbols(known);
    if (std::ssize(chosen_.symbols) != size_) {
      refuse_vocabulary(ErrorCode::kInput,
                        fmt::format("{} has {} symbols, and the network {}", source_, chosen_.symbols.size(), size_));
    }
    const bool characters = options_.tokenizer ? *options_.tokenizer == TokenizerKind::kChar
                                               : are_characters_.value_or(are_characters(chosen_.symbols));
    chosen_.kind = characters ? TokenizerKind::kChar : TokenizerKind::kWhitespace;
    chosen_.notes.push_back(
        fmt::format("vocabulary: {} {}, from {}", size_, characters ? "characters" : "words", source_));
    for (std::string& note : rename_symbols(chosen_.kind, chosen_.symbols)) chosen_.notes.push_back(std::move(note));
    return std::move(chosen_);
  }

 private:
  std::vector<std::string> symbols(const FoundVocabulary& known) {
    for (const VocabularyRule& rule : kRules) {
      if (options_.vocab == rule.name) return derived(rule);
    }
    if (!options_.texts.empty()) {
      throw Error(ErrorCode::kUsage, "`texts` are for `vocab` sorted, first, frequency and first-all", "texts");
    }
    if (options_.vocab == kPrintableRule) {
      source_ = "Python's string.printable";
      return printable_characters();
    }
    if (!options_.vocab.empty()) return from_file();
    if (!known.symbols.empty()) {
      source_ = known.path;
      return known.symbols;
    }
    return only_one(find_vocabularies(checkpoint_.values, checkpoint_.root, size_),
                    fmt::format("'{}'", checkpoint_.path));
  }

  std::vector<std::string> from_file() {
    VocabularyFile file = read_vocabulary(options_.vocab, size_);
    source_ = fmt::format("'{}'", options_.vocab);
    if (!file.search) return std::move(file.symbols);
    return only_one(std::move(*file.search), source_);
  }

  std::vector<std::string> only_one(VocabularySearch search, const std::string& name) {
    if (search.found.size() == 1) {
      source_ = fmt::format("{} of {}", search.found.front().path, name);
      return std::move(search.found.front().symbols);
    }
    if (search.found.empty()) {
      const std::string others = search.others.empty() ? "" : fmt::format(" ({})", fmt::join(search.others, "; "));
      // Where a file was given, another rule is not what its user wants to hear of.
      const std::string_view what = options_.vocab.empty() ? kWays : kForms;
      refuse_vocabulary(ErrorCode::kInput,
                        fmt::format("{} holds no vocabulary of {} symbols{}: {}", name, size_, others, what));
    }
    std::vector<std::string> paths;
    for (const FoundVocabulary& found : search.found) paths.push_back(found.path);
    refuse_vocabulary(ErrorCode::kInput, fmt::format("{} holds several vocabularies of {} symbols ({}): {}", name,
                                                     size_, fmt::join(paths, ", "), kWays));
  }

  std::vector<std::string> derived(const VocabularyRule& rule) {
    if (options_.texts.empty()) {
      throw Error(ErrorCode::kUsage, fmt::format("`vocab` {} is derived from `texts`: give at least one", rule.name),
                  "texts");
    }
    if (rule.name == "first" && options_.texts.size() > 1) {
      throw Error(ErrorCode::kUsage, "`vocab` first is derived from one text; first-all from several, in their order",
                  "texts");
    }
    std::vector<std::string> texts;
    for (const std::string& path : options_.texts) texts.push_back(checked_text(path));
    return fitting(rule, texts);
  }

  static std::string checked_text(const std::string& path) {
    std::string text = read_text(path);
    const std::size_t invalid = find_invalid_utf8(text);
    if (invalid == std::string_view::npos) return text;
    throw Error(ErrorCode::kInput, fmt::format("{}, byte {}: expected UTF-8", text_name(path), invalid), "texts");
  }

  // The units that may be meant, in the order in which they are tried.
  [[nodiscard]] std::vector<SymbolUnit> units() const {
    std::vector<SymbolUnit> units;
    const bool any = !options_.tokenizer;
    if (any || options_.tokenizer == TokenizerKind::kChar) {
      units.insert(units.end(), {SymbolUnit::kCharacters, SymbolUnit::kCharactersOfLines});
    }
    if (any || options_.tokenizer == TokenizerKind::kWhitespace) {
      units.insert(units.end(), {SymbolUnit::kWordsAndEnds, SymbolUnit::kWords});
    }
    return units;
  }

  std::vector<std::string> fitting(const VocabularyRule& rule, const std::vector<std::string>& texts) {
    std::vector<std::string> counts;
    for (const SymbolUnit unit : units()) {
      DerivedVocabulary derived = derive_vocabulary(texts, unit, rule.order);
      counts.push_back(fmt::format("{} {}", derived.symbols.size(), symbol_unit_name(unit)));
      if (std::ssize(derived.symbols) != size_) continue;
      source_ = fmt::format("{} ({}, {})", text_name(options_.texts), rule.name, symbol_unit_name(unit));
      are_characters_ = unit == SymbolUnit::kCharacters || unit == SymbolUnit::kCharactersOfLines;
      if (derived.tied > 0) {
        chosen_.notes.push_back(
            fmt::format("of equal counts ({} symbols) the first occurrence decides, as in Python 3.7 "
                        "and later",
                        derived.tied));
      }
      return std::move(derived.symbols);
    }
    refuse_vocabulary(ErrorCode::kInput, fmt::format("{} has {}: none is as many as the {} of the network",
                                                     text_name(options_.texts), fmt::join(counts, ", "), size_));
  }

  const ImportOptions& options_;
  const ForeignFile& checkpoint_;
  std::int64_t size_;
  std::string source_;
  std::optional<bool> are_characters_;
  ChosenVocabulary chosen_;
};

}  // namespace

bool is_vocabulary_rule(std::string_view vocab) noexcept {
  return vocab == kPrintableRule || std::ranges::find(kRules, vocab, &VocabularyRule::name) != kRules.end();
}

ChosenVocabulary choose_vocabulary(const ImportOptions& options, const ForeignFile& checkpoint,
                                   const FoundVocabulary& known, std::int64_t size) {
  const bool fits = !options.tokenizer || *options.tokenizer == TokenizerKind::kChar ||
                    *options.tokenizer == TokenizerKind::kWhitespace;
  if (!fits) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`tokenizer` {}: an imported vocabulary is one of char or whitespace",
                            tokenizer_kind_name(*options.tokenizer)),
                "tokenizer");
  }
  return VocabularyChoice(options, checkpoint, size).run(known);
}

}  // namespace unroll
