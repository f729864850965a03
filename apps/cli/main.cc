#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flags/field_flags.h"
#include "cli/flags/nearest.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"
#include "unroll/version.h"

namespace unroll {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

struct Verb {
  std::string_view name;
  std::string_view purpose;
  int (*run)(const std::vector<std::string>& arguments);
};

constexpr std::array<Verb, 28> kVerbs{{
    {"train", "learn a language model from text", run_train},
    {"data", "describe labelled texts before training on them", run_data},
    {"eval", "measure how well a model predicts a text", run_eval},
    {"classify", "give each text its label, under a model for that", run_classify},
    {"compare", "tell whether one of two models is better", run_compare},
    {"tag", "give each word of a text its tag", run_tag},
    {"predict", "answer sequences of numbers", run_predict},
    {"tune", "find the settings with which a model predicts best", run_tune},
    {"score", "give each line of a text its log-probability", run_score},
    {"features", "write the states of a network, for each symbol or text", run_features},
    {"probe", "tell what a linear model reads off the states of each layer", run_probe},
    {"rescore", "choose among the hypotheses of N-best lists", run_rescore},
    {"merge", "join what shards of a verb wrote", run_merge},
    {"rnnlm", "score text for scripts that call rnnlm", run_rnnlm},
    {"generate", "write text with a model", run_generate},
    {"serve", "answer other programs over HTTP", run_serve},
    {"convert", "round a model's weights, or write n-grams that imitate it", run_convert},
    {"export", "write a model for other programs", run_export},
    {"import", "make a model of another program's network", run_import},
    {"tokenize", "cut text into a model's tokens, or learn sub-words", run_tokenize},
    {"inspect", "show what is in a model file", run_inspect},
    {"recipes", "list the recipes that train knows", run_recipes},
    {"report", "write a page about runs and models", run_report},
    {"draw", "draw what a model computes over a text", run_draw},
    {"sweep", "print the training runs of a grid of settings", run_sweep},
    {"results", "tabulate what came of training runs", run_results},
    {"gradflow", "measure how far a model's gradients reach", run_gradflow},
    {"gradcheck", "compare backpropagation with exact derivatives", run_gradcheck},
}};

std::string overview() {
  std::string text =
      "usage: unroll VERB [arguments]\n\n"
      "Trains, scores and writes text with recurrent neural networks, on the CPU.\n\n";
  for (const Verb& verb : kVerbs) text += fmt::format("  {:<11} {}\n", verb.name, verb.purpose);
  text +=
      "\n  --help      this text; after a verb, all about that verb\n"
      "  --version   version, instruction set in use, libraries\n\n"
      "A first model, from a text to a page written in its manner:\n"
      "  unroll train book.txt --save book.safetensors --minutes 2\n"
      "  unroll generate book.safetensors --length 500 --temperature 0.8\n";
  return text;
}

int print(const std::string& text) {
  Output out;
  out.write(text);
  out.flush();
  return 0;
}

std::string version_text() {
  std::string text = fmt::format("unroll {}\ninstruction set: {}\n", version(), instruction_set());
  for (const auto& [name, number] : libraries()) text += fmt::format("{} {}\n", name, number);
  return text;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    const std::string text = overview();
    Terminal(false).line(std::string_view(text).substr(0, text.size() - 1));
    return kWrongUsage;
  }
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h") return print(overview());
  if (first == "--version") return print(version_text());
  std::vector<std::string> known{"--help", "--version"};
  for (const Verb& verb : kVerbs) {
    if (verb.name == first) return verb.run({arguments.begin() + 1, arguments.end()});
    known.emplace_back(verb.name);
  }
  const std::string near = nearest(first, known);
  throw Error(ErrorCode::kUsage,
              fmt::format("unknown verb \"{}\"; {}", first,
                          near.empty() ? "unroll --help lists the verbs" : fmt::format("did you mean {}?", near)));
}

// A closed standard stream would give its number to the next file that is opened, and what is meant for the stream
// would be written into that file. Opened the wrong way round, the stream still fails when it is used.
void occupy_standard_streams() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) < 0) open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int guarded_run(std::string_view program, const std::vector<std::string>& arguments) {
  try {
    return program.substr(program.rfind('/') + 1) == "rnnlm" ? run_rnnlm(arguments) : run(arguments);
  } catch (const ReaderGone&) {
    return 0;
  } catch (const Error& error) {
    print_error(message_for(error, present_verb()));
    return error.code() == ErrorCode::kUsage ? kWrongUsage : kFailed;
  } catch (const std::bad_alloc&) {
    print_error("not enough memory");
    return kFailed;
  } catch (const std::exception& error) {
    print_error(fmt::format("this should not happen, please report it: {}", error.what()));
    return kFailed;
  }
}

}  // namespace
}  // namespace unroll

int main(int argc, char** argv) {
  unroll::occupy_standard_streams();
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file over the limit of `ulimit -f` is then an error like a full disk
  return unroll::guarded_run(argc > 0 ? argv[0] : "", {argv + (argc > 0 ? 1 : 0), argv + argc});
}
