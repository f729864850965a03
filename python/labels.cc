#include <algorithm>
#include <map>
#include <span>

#include "python/bindings.h"
#include "python/bound.h"
#include "python/errors.h"
#include "python/exclusive.h"
#include "python/keywords.h"
#include "python/text.h"
#include "unroll/error.h"
#include "unroll/label/classifier.h"
#include "unroll/label/tagger.h"

namespace unroll {
namespace {

// Texts that are answered between two looks at signals.
constexpr std::size_t kTextsAtOnce = 1024;

std::vector<Model> one_or_more_models(const py::object& models) {
  if (py::isinstance<Model>(models) || !py::isinstance<py::sequence>(models) || is_text(models)) {
    return {model_of(models, "Classifier")};
  }
  std::vector<Model> all;
  for (const py::handle model : models) all.push_back(model_of(model, "Classifier"));
  return all;
}

using LabelNumbers = std::map<std::string, double>;

std::vector<std::pair<std::string, double>> pairs_of(const std::optional<LabelNumbers>& numbers) {
  if (!numbers) return {};
  return {numbers->begin(), numbers->end()};
}

ClassifierOptions classifier_options(const py::kwargs& given) {
  Keywords keywords("Classifier", given);
  ClassifierOptions options;
  options.threshold = keywords.take<double>("threshold");
  options.thresholds = pairs_of(keywords.take<LabelNumbers>("thresholds"));
  options.factors = pairs_of(keywords.take<LabelNumbers>("factors"));
  keywords.take("threads", options.threads);
  keywords.expect_none_left();
  return options;
}

// A Classifier as Python sees it.
class TextClassifier {
 public:
  TextClassifier(const std::vector<Model>& models, const ClassifierOptions& options)
      : classifier_("Classifier", [=] { return std::make_unique<Classifier>(models, options); }) {
    classifier_.use([this](Classifier& classifier) {
      labels_ = classifier.labels();
      is_multi_label_ = classifier.multi_label();
      rule_ = classifier.rule();
    });
  }

  [[nodiscard]] const std::vector<std::string>& labels() const noexcept { return labels_; }
  [[nodiscard]] bool multi_label() const noexcept { return is_multi_label_; }

  std::vector<ClassifiedText> classify(const std::vector<std::string>& texts) {
    return classifier_.use([&](Classifier& classifier) {
      std::vector<ClassifiedText> all;
      all.reserve(texts.size());
      SignalCheck check_signals;
      while (all.size() < texts.size()) {
        const std::size_t first = all.size();
        const auto batch = std::span(texts).subspan(first, std::min(kTextsAtOnce, texts.size() - first));
        for (ClassifiedText& text : answer(classifier, batch, first)) all.push_back(std::move(text));
        check_signals();
      }
      return all;
    });
  }

  // The label, None where there is none; of any number of labels a list.
  [[nodiscard]] py::object answers(const ClassifiedText& text) const {
    const std::vector<std::int32_t> ids = answers_by(rule_, text, is_multi_label_);
    if (!is_multi_label_) return ids.empty() ? py::none() : py::object(name(ids.front()));
    py::list list;
    for (const std::int32_t id : ids) list.append(name(id));
    return list;
  }

 private:
  static std::vector<ClassifiedText> answer(Classifier& classifier, std::span<const std::string> texts,
                                            std::size_t first) {
    try {
      return classifier.classify(texts, [&](std::size_t index) { return "text " + std::to_string(first + index + 1); });
    } catch (const Error& error) {
      if (!error.index()) throw;
      throw error.at(*error.index() + static_cast<std::int64_t>(first));
    }
  }

  [[nodiscard]] py::str name(std::int32_t id) const { return str_of(labels_[static_cast<std::size_t>(id)]); }

  Exclusive<Classifier> classifier_;
  std::vector<std::string> labels_;
  bool is_multi_label_ = false;
  AnswerRule rule_;
};

py::object classify(TextClassifier& self, const py::object& texts) {
  const std::vector<ClassifiedText> said = self.classify(one_or_more_texts(texts, "text"));
  if (is_text(texts)) return self.answers(said.front());
  py::list answers;
  for (const ClassifiedText& text : said) answers.append(self.answers(text));
  return answers;
}

// (N, K), or (K) of one text.
py::array_t<double> numbers(TextClassifier& self, const py::object& texts, std::vector<double> ClassifiedText::*which) {
  const std::vector<ClassifiedText> said = self.classify(one_or_more_texts(texts, "text"));
  std::vector<double> all;
  for (const ClassifiedText& text : said) all.insert(all.end(), (text.*which).begin(), (text.*which).end());
  const auto labels = static_cast<py::ssize_t>(self.labels().size());
  if (is_text(texts)) return array_of(std::move(all), {labels});
  return array_of(std::move(all), {static_cast<py::ssize_t>(said.size()), labels});
}

TaggerOptions tagger_options(const py::kwargs& given) {
  Keywords keywords("Tagger", given);
  TaggerOptions options;
  keywords.take("n_best", options.n_best);
  keywords.take("confidence", options.confidence);
  keywords.take_name("scheme", options.scheme, parse_tag_scheme);
  keywords.take("threads", options.threads);
  keywords.expect_none_left();
  return options;
}

// A Tagger as Python sees it.
class SentenceTagger {
 public:
  SentenceTagger(const Model& model, const TaggerOptions& options)
      : tagger_("Tagger", [=] { return std::make_unique<Tagger>(model, options); }) {}

  std::vector<std::vector<TagSequence>> tag(const std::vector<std::vector<std::string>>& sentences) {
    return tagger_.use([&](Tagger& tagger) {
      std::vector<std::vector<TagSequence>> all;
      all.reserve(sentences.size());
      SignalCheck check_signals;
      while (all.size() < sentences.size()) {
        const std::size_t first = all.size();
        const auto batch = std::span(sentences).subspan(first, std::min(kTextsAtOnce, sentences.size() - first));
        for (auto& sequences : tagger.tag(batch)) all.push_back(std::move(sequences));
        check_signals();
      }
      return all;
    });
  }

 private:
  Exclusive<Tagger> tagger_;
};

}  // namespace

template <>
inline constexpr bool kIsBound<TextClassifier> = true;
template <>
inline constexpr bool kIsBound<SentenceTagger> = true;

namespace {

// Whether these are the words of one sentence.
bool is_one_sentence(const py::object& sentences) {
  if (is_text(sentences)) throw py::type_error("a sentence is a list of words: expected no str");
  return py::isinstance<py::sequence>(sentences) && py::len(sentences) > 0 && is_text(sentences[py::int_(0)]);
}

std::vector<std::vector<std::string>> sentences_of(const py::object& sentences) {
  if (is_one_sentence(sentences)) return {texts_of(sentences, "word")};
  std::vector<std::vector<std::string>> all;
  for (const py::handle sentence : sentences) {
    if (is_text(sentence)) throw py::type_error("a sentence is a list of words: expected no str");
    all.push_back(texts_of(sentence, "word"));
  }
  return all;
}

py::list tag(SentenceTagger& self, const py::object& sentences) {
  const auto found = self.tag(sentences_of(sentences));
  if (is_one_sentence(sentences)) return list_of(found.front().front().tags);
  py::list all;
  for (const std::vector<TagSequence>& sequences : found) all.append(list_of(sequences.front().tags));
  return all;
}

py::list sequences(SentenceTagger& self, const py::object& sentences) {
  py::list all;
  for (std::vector<TagSequence>& found : self.tag(sentences_of(sentences))) {
    py::list of_sentence;
    for (TagSequence& sequence : found) {
      py::dict dict;
      dict["tags"] = list_of(sequence.tags);
      dict["log_prob"] = sequence.log_prob;
      dict["confidence"] =
          sequence.confidence.empty() ? py::object(py::none()) : py::object(array_of(std::move(sequence.confidence)));
      of_sentence.append(std::move(dict));
    }
    all.append(std::move(of_sentence));
  }
  return all;
}

void bind_classifier(py::module_& module) {
  bind_class<TextClassifier>(
      module, "Classifier",
      "The labels of texts under a model that was trained to classify, or under several, whose "
      "probabilities are averaged.\n\n"
      "Classifier(model, threshold=None, thresholds={label: p}, factors={label: f}, threads=0): "
      "the probability from which a label is answered, for all labels or for single ones, and "
      "what probabilities are multiplied by before the largest is the answer; unset: the model's.",
      "make another one, of its models and options")
      .def(py::init([](const py::object& model, const py::kwargs& given) {
             return std::make_unique<TextClassifier>(one_or_more_models(model), classifier_options(given));
           }),
           py::arg("model"), "See the class.")
      .def_property_readonly(
          "labels", [](const TextClassifier& self) { return list_of(self.labels()); },
          "The K labels, as a list of str.")
      .def_property_readonly("multi_label", &TextClassifier::multi_label,
                             "Whether a text has any number of labels, not one.")
      .def("classify", &classify, py::arg("texts"),
           "The answer for each text, as a list: a label, or None where none is probable enough; with multi_label a "
           "list "
           "of labels, by falling probability. Of one text its answer.")
      .def(
          "probabilities",
          [](TextClassifier& self, const py::object& texts) {
            return numbers(self, texts, &ClassifiedText::probabilities);
          },
          py::arg("texts"),
          "The probability of each label, in the order of `labels`: (N, K) float64, (K,) of one text.")
      .def(
          "log_probs",
          [](TextClassifier& self, const py::object& texts) {
            return numbers(self, texts, &ClassifiedText::log_probs);
          },
          py::arg("texts"), "Their natural logarithms, exact where a probability is too small: (N, K) float64.");
}

void bind_tagger(py::module_& module) {
  bind_class<SentenceTagger>(
      module, "Tagger",
      "The tags of words under a model that was trained to tag.\n\n"
      "Tagger(model, n_best=1, confidence=False, scheme=None, threads=0): how many sequences of "
      "tags sequences() tells, whether with the probability of each tag, and the scheme in which "
      "spans are answered ('iob1', 'bio', 'iobes' or 'bilou'); unset: the model's.",
      "make another one, of its model and options")
      .def(py::init([](const py::object& model, const py::kwargs& given) {
             return std::make_unique<SentenceTagger>(model_of(model, "Tagger"), tagger_options(given));
           }),
           py::arg("model"), "See the class.")
      .def("tag", &tag, py::arg("sentences"),
           "The most probable tags of each sentence, as a list of lists of str; of one sentence, a list of words, its "
           "tags.")
      .def("sequences", &sequences, py::arg("sentences"),
           "The n_best sequences of each sentence, best first, as a list of lists of dicts: tags, log_prob (nats, of "
           "these tags among all sequences), confidence ((T,) float64, the probability of each tag, or None).");
}

}  // namespace

void bind_labels(py::module_& module) {
  bind_classifier(module);
  bind_tagger(module);
}

}  // namespace unroll
