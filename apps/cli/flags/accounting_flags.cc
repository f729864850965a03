#include "cli/flags/accounting_flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cli/streams/escaped.h"
#include "unroll/error.h"

namespace unroll {

void AccountingFlags::declare(Flags* flags) {
  flags->text({"--context", "WORDS", "read before each line, and not scored: p(line | WORDS)", "nothing"},
              [this](const std::string& value) { accounting_.context = value; });
  declare_counting(flags);
}

void AccountingFlags::declare_begin(Flags* flags) { add_begin_flag(flags, &accounting_.begin); }

void AccountingFlags::declare_counting(Flags* flags) {
  flags->toggle({"--no-end", "", "leave out the end of the line, which is otherwise scored like a token", ""},
                &no_end_);
  flags->text({"--unk", "POLICY",
               "tokens that the vocabulary lacks. score: as <unk>; skip: left out of sum and count; share: as one of "
               "--unk-words words that share the probability of <unk>",
               "score"},
              [this](const std::string& value) { accounting_.unknown = parse_unknown_policy(value); });
  flags->whole({"--unk-words", "N", "for --unk share: how many unknown words there are", ""}, {1, kMostUnknownWords},
               [this](std::int64_t n) { accounting_.unknown_words = n; });
}

Accounting AccountingFlags::accounting(const Flags& flags, StatePolicy state) const {
  const bool shared = accounting_.unknown == UnknownPolicy::kShare;
  if (shared != flags.given("--unk-words")) {
    throw Error(ErrorCode::kUsage, shared ? "--unk share divides by a number of words: give it with --unk-words"
                                          : "--unk-words does nothing without --unk share: give both, or neither");
  }
  Accounting accounting = accounting_;
  accounting.state = state;
  accounting.end = !no_end_;
  if (!accounting.context.empty() && state == StatePolicy::kCarry) {
    throw Error(ErrorCode::kUsage, "--context is read before each line by itself: it does not go with --state carry");
  }
  return accounting;
}

void add_begin_flag(Flags* flags, std::optional<BeginPolicy>* begin) {
  flags->text({"--begin", "HOW",
               "what is read before the first token. boundary: a line end, so that the first token is predicted; none: "
               "nothing, the first token is given",
               "as the model was trained"},
              [begin](const std::string& value) { *begin = parse_begin_policy(value); });
}

namespace {

// What is read first, or that the first token is given.
std::string begin_words(const Accounting& accounting, const Tokenizer& tokenizer) {
  const std::string context = escaped(accounting.context);
  if (accounting.begin != BeginPolicy::kNone) {
    return escaped(tokenizer.symbol(tokenizer.boundary())) +
           (context.empty() ? " (read, not scored)" : fmt::format(" and \"{}\" (read, not scored)", context));
  }
  return context.empty() ? "none (the first token is given)" : fmt::format("\"{}\" (read, not scored)", context);
}

std::string end_words(const Accounting& accounting, const Tokenizer& tokenizer) {
  if (tokenizer.boundary() < 0) return "none";
  return accounting.end ? escaped(tokenizer.symbol(tokenizer.boundary())) + " (scored)" : "not scored";
}

}  // namespace

std::string describe(const Accounting& accounting, const Tokenizer& tokenizer) {
  std::string unknown = unknown_words(accounting);
  if (tokenizer.unknown() < 0) unknown = tokenizer.kind() == TokenizerKind::kByte ? "none" : "refused";
  return fmt::format("state {}; begin {}; end {}; unknown {}", state_policy_name(accounting.state),
                     begin_words(accounting, tokenizer), end_words(accounting, tokenizer), unknown);
}

std::string context_note(const Accounting& accounting, const Tokenizer& tokenizer) {
  const std::vector<Token> tokens = tokenizer.encode_line({accounting.context, "the context"});
  const std::int64_t unknown =
      std::ranges::count_if(tokens, [&](const Token& token) { return token.id == tokenizer.unknown(); });
  if (unknown == 0) return "";
  return fmt::format("{} of {} tokens of --context {} unknown to the model, which reads <unk> for {}", unknown,
                     tokens.size(), unknown == 1 ? "is" : "are", unknown == 1 ? "it" : "them");
}

std::string unknown_words(const Accounting& accounting) {
  switch (accounting.unknown) {
    case UnknownPolicy::kScore:
      return "scored as <unk>";
    case UnknownPolicy::kSkip:
      return "left out of sum and count";
    case UnknownPolicy::kShare:
      return fmt::format("scored as <unk> / {}", accounting.unknown_words);
  }
  return "";
}

}  // namespace unroll
