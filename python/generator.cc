#include "unroll/generator.h"

#include <cstdint>
#include <map>

#include "python/bindings.h"
#include "python/bound.h"
#include "python/errors.h"
#include "python/exclusive.h"
#include "python/keywords.h"
#include "python/numbers.h"
#include "python/text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

GeneratorOptions generator_options(const py::kwargs& given) {
  Keywords keywords("Generator", given);
  GeneratorOptions options;
  keywords.take("temperature", options.temperature);
  keywords.take("top_k", options.top_k);
  keywords.take("top_p", options.top_p);
  keywords.take("min_p", options.min_p);
  if (const auto biases = keywords.take<std::map<std::int32_t, double>>("logit_bias")) {
    for (const auto& [id, bias] : *biases) options.logit_bias.push_back({.id = id, .bias = bias});
  }
  keywords.take("presence_penalty", options.presence_penalty);
  keywords.take("frequency_penalty", options.frequency_penalty);
  keywords.take("seed", options.seed);
  keywords.take_text("label", options.label);
  keywords.take_text("stop", options.stop);
  keywords.take_name("begin", options.begin, parse_begin_policy);
  keywords.take("threads", options.threads);
  keywords.expect_none_left();
  return options;
}

// Writes one text at a time.
class Writer {
 public:
  Writer(const Model& model, const GeneratorOptions& options)
      : generator_("Generator", [=] { return std::make_unique<Generator>(model, options); }) {}

  // Returns the number of the text, which next() takes.
  std::int64_t start(const std::string& prompt, std::int64_t length) {
    generator_.use([&](Generator& generator) { generator.start(prompt, length); });
    return ++texts_;
  }

  std::optional<std::string> next(std::int64_t text) {
    expect_current(text);
    return generator_.use([](Generator& generator) { return generator.next(); });
  }

  // Why the last text ended.
  std::optional<Finish> finish() {
    return generator_.use([](Generator& generator) { return generator.finish(); });
  }

  std::string write(const std::string& prompt, std::int64_t length) {
    ++texts_;
    return generator_.use([&](Generator& generator) {
      std::string text;
      SignalCheck check_signals;
      generator.write(prompt, length, [&](std::string_view piece) {
        check_signals();
        text += piece;
        return true;
      });
      return text;
    });
  }

 private:
  void expect_current(std::int64_t text) const {
    if (text == texts_) return;
    throw Error(ErrorCode::kUsage, "the Generator began another text, which ended this one: use a Generator for each");
  }

  Exclusive<Generator> generator_;
  std::int64_t texts_ = 0;
};

// A text that is being written, piece by piece.
struct Pieces {
  py::object writer;
  std::int64_t text;
  std::optional<Finish> finish = {};
};

}  // namespace

template <>
inline constexpr bool kIsBound<Writer> = true;
template <>
inline constexpr bool kIsBound<Pieces> = true;

namespace {

Pieces pieces(const py::object& writer, const py::object& prompt, const py::object& length) {
  Writer& self = writer.cast<Writer&>();
  return {writer, self.start(bytes_of(prompt, "the prompt"), whole_number(length, "length"))};
}

py::str next_piece(Pieces& self) {
  if (self.finish) throw py::stop_iteration();
  Writer& writer = self.writer.cast<Writer&>();
  const std::optional<std::string> piece = writer.next(self.text);
  if (piece) return str_of(*piece);
  self.finish = writer.finish();
  throw py::stop_iteration();
}

const char* finish_name(Finish finish) {
  switch (finish) {
    case Finish::kLength:
      return "length";
    case Finish::kStop:
      return "stop";
    case Finish::kReader:
      return "reader";
    case Finish::kEnd:
      return "end";
  }
  return "";
}

constexpr const char* kGeneratorText =
    "Writes text with a language model, symbol by symbol.\n\n"
    "Generator(model, **options), with the options of `unroll generate` and some more:\n"
    "  temperature    logits are divided by it; 0: always the most probable symbol\n"
    "  top_k          only the k most probable symbols; 0: all\n"
    "  top_p          only the most probable symbols that together reach this probability; 1: all\n"
    "  min_p          only symbols at least this share of the most probable one; 0: all\n"
    "  logit_bias     a dict: what is added to the logits of these ids, before the temperature\n"
    "  presence_penalty, frequency_penalty\n"
    "                 subtracted from the logits of symbols that the text has already: once, and for each time\n"
    "  seed           the same seed gives the same texts, those of the command: its n-th text is that of the n-th "
    "call\n"
    "  label          of a model of text given a label: what the text is to be\n"
    "  stop           end before this text would be written\n"
    "  begin          'boundary' or 'none': what is read before the prompt; unset: the model's\n"
    "  threads        more than one helps only with large networks";

}  // namespace

void bind_generator(py::module_& module) {
  bind_class<Pieces>(module, "Pieces", "An iterator over the pieces of a text that a Generator is writing, each a str.",
                     "ask its Generator for another text")
      .def("__iter__", [](const py::object& self) { return self; })
      .def("__next__", &next_piece)
      .def_property_readonly(
          "finish",
          [](const Pieces& self) { return self.finish ? py::object(py::str(finish_name(*self.finish))) : py::none(); },
          "Why the text ended: 'length', 'stop', or 'end' (of a text with a label); None while it may go on.");
  bind_class<Writer>(module, "Generator", kGeneratorText, "make another one, of its model and options")
      .def(py::init([](const py::object& model, const py::kwargs& given) {
             return std::make_unique<Writer>(model_of(model, "Generator"), generator_options(given));
           }),
           py::arg("model"), "See the class.")
      .def("pieces", &pieces, py::arg("prompt") = "", py::arg("length") = 500,
           "An iterator over the pieces of a text of `length` symbols that goes on from the prompt, without the "
           "prompt. A "
           "piece is written when it is asked for. The next call of pieces() or write() ends the text.")
      .def(
          "write",
          [](Writer& self, const py::object& prompt, const py::object& length) {
            return str_of(self.write(bytes_of(prompt, "the prompt"), whole_number(length, "length")));
          },
          py::arg("prompt") = "", py::arg("length") = 500, "The whole text, as a str, without the prompt.");
}

}  // namespace unroll
