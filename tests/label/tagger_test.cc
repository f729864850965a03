#include "unroll/label/tagger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/train.h"

namespace unroll {
namespace {

using Words = std::vector<std::string>;

const Words kLabels{"B-X", "B-Y", "I-X", "I-Y", "O"};
const Words kWords{"the", "old", "cat", "sees", "nothing"};

// A network with random weights, whose characters are a to e.
Model random_tagger(const std::string& scheme, Loss loss = Loss::kCrf, float scale = 1.5F) {
  const Tokenizer tokenizer = tiny_words();
  const NetworkConfig config{.cell = Cell::kGru,
                             .vocabulary = tokenizer.size(),
                             .embed = 4,
                             .hidden = 3,
                             .outputs = static_cast<std::int64_t>(kLabels.size()),
                             .loss = loss,
                             .bidirectional = true,
                             .characters = 6,
                             .character_hidden = 2};
  const Task task{.kind = TaskKind::kTag, .labels = kLabels, .scheme = scheme, .characters = {"a", "b", "c", "d", "e"}};
  Model::Data data{config, tokenizer, {}, ModelWeights(random_parameters(config, scale, 5))};
  data.use.task = task;
  return Model(std::make_shared<const Model::Data>(std::move(data)));
}

std::vector<TagSequence> all_sequences(const Model& model, const Words& words, bool confidence = false) {
  return Tagger(model, {.threads = 1, .n_best = 1000, .confidence = confidence}).tag(words);
}

TEST(Tagger, ProbabilitiesOfAllSequencesAddToOne) {
  const Words words(kWords.begin(), kWords.begin() + 4);
  for (const Loss loss : {Loss::kCrf, Loss::kSoftmax}) {
    const auto sequences = all_sequences(random_tagger("", loss), words);
    ASSERT_EQ(sequences.size(), 625U);
    double sum = 0;
    for (const TagSequence& sequence : sequences) sum += std::exp(sequence.log_prob);
    EXPECT_NEAR(sum, 1, 1e-12);
    EXPECT_TRUE(std::ranges::is_sorted(sequences, std::ranges::greater(), &TagSequence::log_prob));
  }
}

TEST(Tagger, ASchemeLeavesOnlyValidSequencesInTheirOrder) {
  int changed = 0;
  for (const Words& words : {Words{"the", "old", "cat"}, Words{"dog", "bad", "dog"}, Words{"and", "sees"}}) {
    for (const Loss loss : {Loss::kCrf, Loss::kSoftmax}) {
      std::vector<TagSequence> valid = all_sequences(random_tagger("", loss), words);
      const auto is_invalid = [](const auto& sequence) {
        return find_invalid_tag(TagScheme::kBio, sequence.tags).has_value();
      };
      changed += is_invalid(valid.front()) ? 1 : 0;
      std::erase_if(valid, is_invalid);
      const auto sequences = all_sequences(random_tagger("bio", loss), words);
      ASSERT_EQ(sequences.size(), valid.size());
      for (std::size_t i = 0; i < valid.size(); ++i) {
        EXPECT_EQ(sequences[i].tags, valid[i].tags);
        EXPECT_EQ(sequences[i].log_prob, valid[i].log_prob);
      }
    }
  }
  EXPECT_GT(changed, 0);  // the most probable sequence of all is not always valid
}

TEST(Tagger, ConfidenceIsTheProbabilityOfATagGivenAllWords) {
  const Words words(kWords.begin(), kWords.begin() + 3);
  const auto sequences = all_sequences(random_tagger(""), words, true);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::map<std::string, double> marginal;
    for (const TagSequence& sequence : sequences) marginal[sequence.tags[i]] += std::exp(sequence.log_prob);
    EXPECT_NEAR(sequences[0].confidence[i], marginal[sequences[0].tags[i]], 1e-12);
    EXPECT_NEAR(sequences[99].confidence[i], marginal[sequences[99].tags[i]], 1e-12);
  }
}

TEST(Tagger, SpansAreWrittenInTheSchemeThatIsAskedFor) {
  const Model model = random_tagger("bio");
  for (const TagScheme scheme : {TagScheme::kIob1, TagScheme::kIobes, TagScheme::kBilou}) {
    Tagger tagger(model, {.threads = 1, .scheme = scheme});
    EXPECT_EQ(tagger.scheme(), scheme);
    const Words tags = tagger.tag(kWords).front().tags;
    EXPECT_EQ(tags, convert_tags(TagScheme::kBio, scheme, Tagger(model).tag(kWords).front().tags));
    EXPECT_EQ(find_invalid_tag(scheme, tags), std::nullopt);
  }
}

TEST(Tagger, ASentenceGetsTheSameBitsInAnyCompany) {
  const Model model = random_tagger("bio");
  std::vector<Words> sentences{kWords, {}, {"cat"}, {"ab", "ac", "the", "the", "dog", "eee", "old"}};
  for (std::size_t i = 0; i < 40; ++i) sentences.emplace_back(1 + i % 7, "d" + std::to_string(i));
  Tagger alone(model, {.threads = 1, .confidence = true});
  const auto together = Tagger(model, {.threads = 3, .confidence = true}).tag(sentences);
  ASSERT_EQ(together.size(), sentences.size());
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const TagSequence own = alone.tag(sentences[i]).front();
    EXPECT_EQ(together[i].front().tags, own.tags);
    EXPECT_EQ(together[i].front().log_prob, own.log_prob);
    EXPECT_EQ(together[i].front().confidence, own.confidence);
  }
  EXPECT_TRUE(together[1].front().tags.empty());
  EXPECT_EQ(together[1].size(), 1U);
}

TEST(Tagger, ALongSentenceIsTaggedInPartsThatAreValidTogether) {
  Words words;
  for (std::int64_t i = 0; i < kLongestTagged + 3; ++i) words.push_back(kWords[static_cast<std::size_t>(i * i % 5)]);
  const std::vector<TagSequence> sequences = Tagger(random_tagger("bio"), {.n_best = 2}).tag(words);
  ASSERT_EQ(sequences.size(), 1U);
  EXPECT_EQ(sequences[0].tags.size(), words.size());
  EXPECT_EQ(find_invalid_tag(TagScheme::kBio, sequences[0].tags), std::nullopt);
}

TEST(Tagger, WrongOptionsAndModelsAreRefused) {
  const auto refuses = [](const Model& model, const TaggerOptions& options, const std::string& part) {
    return fails_with(ErrorCode::kUsage, part, [&] { Tagger(model, options); });
  };
  EXPECT_TRUE(refuses(tiny_model(Cell::kLstm, tiny_words()), {}, "its task is language"));
  EXPECT_TRUE(refuses(random_tagger(""), {.n_best = 0}, "`n_best` is 0"));
  EXPECT_TRUE(refuses(random_tagger(""), {.scheme = TagScheme::kBio}, "tags mark no spans"));
  EXPECT_TRUE(refuses(random_tagger("bio"), {.scheme = TagScheme::kNone}, "spans in bio"));
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "overflow", [] {
    (void)Tagger(random_tagger("bio", Loss::kCrf, std::numeric_limits<float>::infinity())).tag(kWords);
  }));
}

TaggedTexts tagged(const std::vector<std::pair<Words, Words>>& sentences) {
  TaggedTexts texts{.files = {"test.txt"}, .columns = {"2"}};
  for (const auto& [words, tags] : sentences) {
    TaggedSentence sentence{.words = words, .tags = {}};
    for (const std::string& tag : tags) {
      const auto found = std::ranges::find(texts.tags, tag);
      sentence.tags.push_back(static_cast<std::int32_t>(found - texts.tags.begin()));
      if (found == texts.tags.end()) texts.tags.push_back(tag);
    }
    texts.words += static_cast<std::int64_t>(words.size());
    texts.sentences.push_back(sentence);
  }
  return texts;
}

TEST(TagEvaluation, CountsWhatTheTaggerAnswers) {
  const Model model = random_tagger("bio");
  const TagSequence answer = Tagger(model).tag(kWords).front();
  Words wrong = answer.tags;
  wrong[0] = wrong[0] == "O" ? "B-X" : "O";
  const TagEvaluation result = evaluate_tags(model, tagged({{kWords, answer.tags}, {kWords, wrong}}));
  EXPECT_EQ(result.accuracy.hits, 9);
  EXPECT_EQ(result.accuracy.of, 10);
  EXPECT_EQ(result.exact_sentences.hits, 1);
  EXPECT_EQ(result.accuracy_new_words.of, 2);  // "nothing"
  EXPECT_EQ(result.tags, kLabels);
  EXPECT_EQ(result.by_tag.exact.hits, 9);
  EXPECT_EQ(result.scheme, TagScheme::kBio);
  ASSERT_TRUE(result.spans);
  EXPECT_LT(result.spans->micro().f1.value(), 1);
  const TagEvaluation only_right = evaluate_tags(model, tagged({{kWords, answer.tags}}));
  EXPECT_NEAR(only_right.nats_per_word.value(), -answer.log_prob / 5, 1e-12);
  EXPECT_EQ(only_right.spans->micro().f1, 1);
}

TEST(TagEvaluation, AnswersInTheSchemeOfTheSentencesAndSaysSo) {
  const Model model = random_tagger("bio");
  const Words tags = Tagger(model, {.scheme = TagScheme::kIobes}).tag(kWords).front().tags;
  ASSERT_TRUE(std::ranges::any_of(tags, [](const auto& tag) { return tag[0] == 'E' || tag[0] == 'S'; }));
  const TagEvaluation result = evaluate_tags(model, tagged({{kWords, tags}}), {.rule = SpanRule::kStrict});
  EXPECT_EQ(result.scheme, TagScheme::kIobes);
  EXPECT_EQ(result.accuracy.share(), 1);
  EXPECT_EQ(result.spans->micro().f1, 1);
  EXPECT_THAT(result.notes, testing::Contains(testing::HasSubstr("converted to iobes")));
}

TEST(TagEvaluation, OfPartsIsThatOfAllToTheBit) {
  const Model model = random_tagger("bio");
  const Words answer = Tagger(model).tag(kWords).front().tags;
  const TaggedTexts texts = tagged({{kWords, answer},
                                    {{"cat", "dog"}, {"B-X", "B-NEW"}},
                                    {{"the"}, {"O"}},
                                    {{"dog", "the", "cat"}, {"O", "B-X", "O"}},
                                    {{"cat"}, {"O"}}});
  const TagEvaluation whole = evaluate_tags(model, texts);
  const TagBasis basis = basis_of(model, texts, SpanRule::kConlleval);
  for (const std::size_t size : {1U, 2U, 5U}) {
    std::vector<ComparedTags> all;
    for (std::size_t first = 0; first < texts.sentences.size(); first += size) {
      const SentenceRange range{first, std::min(first + size, texts.sentences.size())};
      for (ComparedTags& one : compare_tags(model, basis, texts, range, 1)) all.push_back(std::move(one));
    }
    const TagEvaluation added = judge_tags(basis, all);
    EXPECT_EQ(added.nats_per_word, whole.nats_per_word) << size;
    EXPECT_EQ(added.accuracy.hits, whole.accuracy.hits);
    EXPECT_EQ(added.unknown_tags, 1);
    EXPECT_EQ(added.tags, whole.tags);
    EXPECT_EQ(added.notes, whole.notes);
    EXPECT_EQ(added.spans->micro().f1, whole.spans->micro().f1);
  }
}

TEST(TagEvaluation, TagsThatTheModelLacksAreWrongAndTold) {
  const Model model = random_tagger("");
  const TagEvaluation result = evaluate_tags(model, tagged({{{"cat", "dog"}, {"NN", "O"}}, {{"the"}, {"O"}}}));
  EXPECT_EQ(result.unknown_tags, 1);
  EXPECT_EQ(result.tags.back(), "NN");
  EXPECT_EQ(result.scheme, TagScheme::kNone);
  EXPECT_FALSE(result.spans);
  ASSERT_FALSE(result.notes.empty());
  EXPECT_EQ(result.notes[0], "1 word has a tag that the model does not have, and counts as wrong: \"NN\"");
  EXPECT_TRUE(result.nats_per_word);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "mark no spans", [&] {
    (void)evaluate_tags(model, tagged({{{"cat"}, {"NN"}}}), {.rule = SpanRule::kStrict});
  }));
  EXPECT_FALSE(evaluate_tags(model, tagged({{{"cat"}, {"NN"}}})).nats_per_word);
}

TEST(Tagger, ATrainedModelKnowsSchemeAndColumn) {
  const TemporaryFolder folder;
  std::string file;
  for (int i = 0; i < 30; ++i) file += "the x O\nbig y B-X\ncat" + std::to_string(i) + " z I-X\n\n";
  write_bytes(folder.path("train.txt"), file);
  TrainOptions options = default_options(TaskKind::kTag);
  options.text.paths = {folder.path("train.txt")};
  options.files.save = folder.path("model");
  options.network.hidden = 4;
  options.network.embed = 4;
  options.task.characters = 2;
  options.run.steps = 2;
  options.run.threads = 1;
  train(options);
  const Model model = Model::load(folder.path("model"));
  EXPECT_EQ(model.task().scheme, "bio");
  EXPECT_EQ(model.task().column, "3");
  EXPECT_EQ(Tagger(model).scheme(), TagScheme::kBio);
}

}  // namespace
}  // namespace unroll
