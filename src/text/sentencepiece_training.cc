#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sentencepiece_trainer.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <span>
#include <system_error>
#include <unordered_map>

#include "base/file.h"
#include "base/file_claim.h"
#include "base/names.h"
#include "text/checked_text.h"
#include "text/lines.h"
#include "text/sentencepiece.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/sentencepiece.h"

namespace unroll {
namespace {

constexpr std::size_t kLargestText = std::size_t{1} << 30;  // the library counts its characters in 32 bits
constexpr std::int64_t kLargestVocabulary = std::int64_t{1} << 24;

// What the child says first: a model or the library's complaint follows.
constexpr char kModel = 'M';
constexpr char kComplaint = 'C';

// The lines of a text, without line ends, as the library asks for them.
class Lines final : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::string_view text) : rest_(text) { Next(); }

  [[nodiscard]] bool done() const override { return done_; }
  [[nodiscard]] const std::string& value() const override { return line_; }
  [[nodiscard]] sentencepiece::util::Status status() const override { return {}; }

  void Next() override {
    done_ = rest_.empty();
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line_ = rest_.substr(0, end);
    if (line_.ends_with('\r')) line_.pop_back();
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
  }

 private:
  std::string_view rest_;
  std::string line_;
  bool done_ = false;
};

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  for_each_line(text, [&](std::string_view line, std::int64_t, bool) { longest = std::max(longest, line.size()); });
  return longest;
}

std::unordered_map<std::string, std::string> library_options(const SentencePieceOptions& options,
                                                             std::string_view text) {
  std::unordered_map<std::string, std::string> values{
      {"model_type", options.kind == SentencePieceKind::kUnigram ? "unigram" : "bpe"},
      {"vocab_size", fmt::format("{}", options.vocab_size)},
      {"num_threads", "1"},
      {"shuffle_input_sentence", "false"},
      {"max_sentence_length", fmt::format("{}", longest_line(text) + 1)},  // longer lines would be left out silently
      {"minloglevel", "3"}};
  if (options.lossless) {
    values.insert(
        {{"normalization_rule_name", "identity"}, {"remove_extra_whitespaces", "false"}, {"byte_fallback", "true"}});
  }
  return values;
}

void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_all(int descriptor) {
  std::string bytes;
  std::array<char, 1U << 16U> part{};
  for (;;) {
    const ssize_t count = read(descriptor, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return bytes;
    bytes.append(part.data(), static_cast<std::size_t>(count));
  }
}

// The child: its streams lead nowhere, and it leaves no core file.
[[noreturn]] void train_in_child(int answer, std::string_view text, const SentencePieceOptions& options) {
  const int nowhere = open("/dev/null", O_RDWR);
  for (int stream = 0; stream <= 2; ++stream) dup2(nowhere, stream);
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
  std::string reply;
  try {
    Lines lines(text);
    std::string model;
    const auto status = sentencepiece::SentencePieceTrainer::Train(library_options(options, text), &lines, &model);
    reply = status.ok() ? kModel + model : kComplaint + std::string(status.message());
  } catch (const std::exception& error) {
    reply = kComplaint + std::string(error.what());
  }
  write_all(answer, reply);
  _exit(EXIT_SUCCESS);
}

[[noreturn]] void refuse_process(std::string_view what) {
  throw Error(ErrorCode::kFile, fmt::format("SentencePiece needs a process of its own: {}: {}", what,
                                            std::error_code(errno, std::generic_category()).message()));
}

// The library's answer; empty where it ended without one.
std::string answer_of_child(std::string_view text, const SentencePieceOptions& options) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) refuse_process("no pipe");
  const pid_t child = fork();
  if (child < 0) {
    const int reason = errno;
    close(ends[0]);
    close(ends[1]);
    errno = reason;
    refuse_process("no process");
  }
  if (child == 0) train_in_child(ends[1], text, options);
  close(ends[1]);
  std::string answer = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool whole = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
  return whole ? answer : "";
}

// The library's words without advice to use flags of its own program. Where it gives a condition alone, there was
// nothing to make pieces of.
std::string without_advice(const std::string& words) {
  if (words.empty()) return "there is too little text; give one with words of several characters";
  if (const std::size_t advice = words.find(". Increase vocab_size"); advice != std::string::npos) {
    return fmt::format("{}; make `vocab_size` larger", words.substr(0, advice));
  }
  const std::size_t flag = words.find(" --");
  return flag == std::string::npos ? words : words.substr(0, words.rfind(". ", flag));
}

}  // namespace

std::string train_sentencepiece(const NamedText& named, const SentencePieceOptions& options) {
  const auto& [text, name] = named;
  const bool known = options.kind == SentencePieceKind::kUnigram || options.kind == SentencePieceKind::kBpe;
  expect_enumerator("kind", options.kind, known ? "known" : "");
  if (options.vocab_size < 2 || options.vocab_size > kLargestVocabulary) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`vocab_size` is {}: expected 2 to {}", options.vocab_size, kLargestVocabulary),
                "vocab_size");
  }
  if (text.empty()) throw Error(ErrorCode::kInput, fmt::format("{}: the text is empty", name));
  if (std::ranges::all_of(text, is_ascii_space)) {
    throw Error(ErrorCode::kInput, fmt::format("{}: the text is white space alone: there are no words to learn", name));
  }
  if (text.size() > kLargestText) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: {} bytes are too many, expected at most {}: give a part of the text", name,
                            text.size(), kLargestText));
  }
  static_cast<void>(CheckedText(TokenizerKind::kSentencePiece, false, named));
  std::string answer = answer_of_child(text, options);
  if (answer.empty()) {
    throw Error(ErrorCode::kInput,
                fmt::format("{}: the SentencePiece library ended without a result, which it does on faults of its own "
                            "or without memory: try another `vocab_size` or `kind`, or a part of the text",
                            name));
  }
  if (answer.front() == kComplaint) {
    const std::string words = without_advice(plain_words(std::string_view(answer).substr(1)));
    const bool size = words.find("ocabulary size") != std::string::npos;
    throw Error(size ? ErrorCode::kUsage : ErrorCode::kInput,
                fmt::format("{}: SentencePiece cannot learn from it: {}", name, words));
  }
  answer.erase(0, 1);
  return answer;
}

void save_sentencepiece(const std::string& path, std::string_view model) {
  const FileClaim claim(path);
  replace_file(path, std::span(&model, 1));
}

}  // namespace unroll
