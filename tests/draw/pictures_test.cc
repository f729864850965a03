#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "draw/drawn.h"
#include "draw/picture.h"
#include "model/model_file.h"
#include "support/error_of.h"
#include "support/label_models.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/cell.h"
#include "unroll/evaluate.h"
#include "unroll/exchange/convert.h"
#include "unroll/generator.h"
#include "unroll/label/classifier.h"
#include "unroll/label/tagger.h"
#include "unroll/look/answer_gradients.h"
#include "unroll/look/pooled_steps.h"
#include "unroll/look/unrolled_text.h"
#include "unroll/network.h"
#include "unroll/precision.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

constexpr const char* kText = "abc\nde fgh";

double sum_of(const std::vector<double>& numbers) { return std::accumulate(numbers.begin(), numbers.end(), 0.0); }

UnrolledText with_end(const Model& model) { return {model, {std::string(kText) + "\n", "'text'"}, {.threads = 1}}; }

TEST(UnrolledPicture, HasAColumnForEachSymbolAndTheNumbersOfTheModel) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const Picture picture = draw(picture_of("unrolled", model, kText));
  EXPECT_EQ(picture.table.rows.size(), 11U);
  EXPECT_EQ(count_of(picture.svg, "class=\"column\"") + count_of(picture.svg, "class=\"column at\""), 11U);
  std::int64_t all = 0;
  for (const char* const part : {"U", "W", "V", "embedding", "biases"})
    all += std::get<std::int64_t>(fact_of(picture, part));
  EXPECT_EQ(all, parameter_count(model.config()));
  EXPECT_EQ(std::get<std::int64_t>(fact_of(picture, "parameters")), all);
  EXPECT_EQ(std::get<std::int64_t>(fact_of(picture, "W")), 2 * 4 * 7 * 7);
  const std::vector<double> shares = column_of(picture, "share");
  const UnrolledText text = with_end(model);
  for (std::size_t t = 0; t < shares.size(); ++t) EXPECT_DOUBLE_EQ(shares[t], std::exp(text.log_probs()[t]));
}

TEST(UnrolledPicture, TruncationCutsTheGradient) {
  PictureRequest request = picture_of("unrolled", tiny_model(Cell::kRnnTanh, tiny_characters()), "abcdefgh");
  request.options.truncate = 3;
  const Picture picture = draw(request);
  EXPECT_EQ(count_of(picture.svg, "class=\"back lost\""), 6U);  // of lags 0 to 8 those from 3 on
  EXPECT_EQ(column_of(picture, "gradient left").back(), 1);
}

TEST(UnrolledPicture, OfALongTextTheColumnsUpToTheStepAreShown) {
  PictureRequest request = picture_of("unrolled", tiny_model(Cell::kGru, tiny_characters()), random_text(90, 5));
  request.options.at = 60;
  EXPECT_EQ(column_of(draw(request), "t").front(), 21);
  EXPECT_EQ(column_of(draw(request), "t").size(), 40U);
  request.options.at = 200;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`at` is 200", [&] { static_cast<void>(draw(request)); }));
}

TEST(StepPicture, PartsAddUpToWhatTheGatesSquash) {
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tiny_characters());
    PictureRequest request = picture_of("step", model, kText);
    request.options.at = 5;
    request.options.layer = 0;
    request.options.units = {0, 3, 6};
    const Picture picture = draw(request);
    const UnrolledText text = with_end(model);
    const std::vector<double> input = column_of(picture, "U x");
    const std::vector<double> recurrent = column_of(picture, "W h");
    const std::vector<double> bias = column_of(picture, "bias");
    const std::vector<double> squashed = column_of(picture, "squashed");
    const std::vector<double> units = column_of(picture, "unit");
    const std::size_t gates = std::max<std::size_t>(1, gate_letters(cell).size());
    ASSERT_EQ(input.size(), 3 * gates);
    for (std::size_t i = 0; i < input.size(); ++i) {
      const std::size_t at = i % gates * 7 + static_cast<std::size_t>(units[i]);
      EXPECT_NEAR(input[i] + recurrent[i] + bias[i], text.sums(0, 5)[at], 1e-6) << cell_name(cell);
      const double expected = gate_letters(cell).empty() ? text.h(0, 5)[at] : text.gates(0, 5)[at];
      EXPECT_NEAR(squashed[i], expected, 1e-6) << cell_name(cell);
    }
  }
}

TEST(SoftmaxPicture, SharesAddUpToOneAtAnyTemperature) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  PictureRequest request = picture_of("softmax", model, kText);
  for (const double temperature : {0.0, 0.3, 1.0, 1e6}) {
    request.options.temperature = temperature;
    const std::vector<double> shares = column_of(draw(request), "share");
    EXPECT_NEAR(sum_of(shares), 1, 1e-12);
    if (temperature == 0) {
      EXPECT_EQ(shares.front(), 1);
    }
    if (temperature == 1e6) {
      EXPECT_NEAR(shares.front(), 1.0 / 13, 1e-5);
    }
  }
  request.options.temperature = 1;
  const double share = std::get<double>(fact_of(draw(request), "share"));
  EXPECT_NEAR(std::log(share), with_end(model).log_probs().back(), 1e-6);
}

TEST(SurprisalPicture, TotalsAreThoseOfScorer) {
  for (const Tokenizer& tokenizer : {tiny_characters(), tiny_words(), all_bytes()}) {
    const Model model = tiny_model(Cell::kLstm, tokenizer);
    PictureRequest request = picture_of("surprisal", model, "the cat sees\nthe dog");
    request.options.second = "dog the";
    const Picture picture = draw(request);
    Scorer scorer(model, {.threads = 1});
    double first = 0;
    for (const Score& score : scorer.score({"the cat sees", "the dog"})) first -= score.log_prob;
    EXPECT_NEAR(std::get<double>(fact_of(picture, "1 nats")), first, 1e-9);
    EXPECT_NEAR(std::get<double>(fact_of(picture, "2 nats")), -scorer.score("dog the").log_prob, 1e-9);
  }
}

TEST(SurprisalPicture, OfAModelInInt8TotalsAreThoseOfScorer) {
  const TemporaryFolder folder;
  const NetworkConfig config = tiny_config(Cell::kLstm, all_bytes());
  save_model(folder.path("f32"), config, all_bytes(), {}, random_parameters(config, 1.5F, 3), {});
  convert(Model::load(folder.path("f32")), Precision::kInt8, folder.path("int8"));
  const Model model = Model::load(folder.path("int8"));
  const Picture picture = draw(picture_of("surprisal", model, "the cat sees"));
  Scorer scorer(model, {.threads = 1});
  EXPECT_NEAR(std::get<double>(fact_of(picture, "1 nats")), -scorer.score("the cat sees").log_prob, 1e-9);
}

TEST(SurprisalPicture, BitsPerByteAreThoseOfEvaluate) {
  const std::string text = "the cat sees\nthe dog";
  for (const Tokenizer& tokenizer : {tiny_characters(), tiny_words(), all_bytes()}) {
    const Model model = tiny_model(Cell::kLstm, tokenizer);
    const Picture picture = draw(picture_of("surprisal", model, text));
    const Evaluation expected = evaluate(model, {text + "\n", "'text'"}, {.state = StatePolicy::kReset, .threads = 1});
    EXPECT_NEAR(std::get<double>(fact_of(picture, "1 bits_per_byte")), expected.bits_per_byte, 1e-9);
    EXPECT_EQ(std::get<std::string>(fact_of(picture, "1 comparable")), expected.comparable ? "yes" : "no");
    EXPECT_EQ(picture.sentence.find("(not comparable)") == std::string::npos, expected.comparable);
  }
}

TEST(SurprisalPicture, ComparesTheMoreProbableWithTheOther) {
  PictureRequest request = picture_of("surprisal", tiny_model(Cell::kLstm, tiny_words()), "the cat sees the dog");
  request.options.second = "dog";
  const std::string words = std::get<std::string>(fact_of(draw(request), "comparison"));
  EXPECT_TRUE(words.starts_with("the second text is ")) << words;
  std::string many;
  for (int i = 0; i < 30; ++i) many += "dog the ";
  request.options.second = many;
  const std::string powers = std::get<std::string>(fact_of(draw(request), "comparison"));
  EXPECT_TRUE(powers.starts_with("the first text is 10^")) << powers;
  EXPECT_EQ(powers.find('.'), powers.find(" times") - 2) << powers;
  request.options.second = "";
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`second` is empty", [&] { static_cast<void>(draw(request)); }));
}

TEST(SurprisalPicture, OfALongTextTheBeginningIsShown) {
  const Picture picture =
      draw(picture_of("surprisal", tiny_model(Cell::kRnnTanh, all_bytes()), std::string(5000, 'a')));
  EXPECT_EQ(picture.table.rows.size(), 4096U);
  EXPECT_EQ(std::get<std::int64_t>(fact_of(picture, "1 unread_steps")), 5001 - 4096);
  EXPECT_NE(picture.sentence.find("the first 4,096 symbols"), std::string::npos) << picture.sentence;
}

TEST(GatesPicture, TheGatesAloneAreTheirProduct) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  PictureRequest request = picture_of("gates", model, "abcdefgh");
  request.options.unit = 2;
  const Picture picture = draw(request);
  const std::vector<double> forget = column_of(picture, "f");
  const std::vector<double> alone = column_of(picture, "gates alone");
  ASSERT_EQ(alone.size(), 9U);
  EXPECT_EQ(alone.back(), 1);
  EXPECT_EQ(column_of(picture, "measured").back(), 1);
  EXPECT_NEAR(column_of(picture, "measured")[7], alone[7], 1e-6);  // one step back there is no other path
  for (std::size_t t = 0; t + 1 < alone.size(); ++t) EXPECT_NEAR(alone[t], alone[t + 1] * forget[t + 1], 1e-12);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "has no gates", [] {
    static_cast<void>(draw(picture_of("gates", tiny_model(Cell::kRnnTanh, tiny_characters()), "abc")));
  }));
}

TEST(GatesPicture, AreNotThoseOfAUnitThatKeepsAllAndNeverChanges) {
  const NetworkConfig config = tiny_config(Cell::kLstm, tiny_characters());
  Parameters parameters = random_parameters(config, 0.5F, 3);
  parameters.layer(1).b_input[2] = -30;                                           // i
  parameters.layer(1).b_input[static_cast<std::size_t>(config.hidden) + 2] = 30;  // f
  const Model model = model_of(config, tiny_characters(), std::move(parameters));
  EXPECT_NE(std::get<std::int64_t>(fact_of(draw(picture_of("gates", model, "abcdefgh")), "unit")), 2);
}

TEST(NeuronsPicture, ShowsTheStatesOfItsUnits) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  PictureRequest request = picture_of("neurons", model, kText);
  request.options.units = {6, 1};
  request.options.layer = 0;
  const std::vector<double> unit = column_of(draw(request), "unit 6");
  const UnrolledText text = with_end(model);
  for (std::size_t t = 0; t < unit.size(); ++t) EXPECT_EQ(unit[t], text.h(0, static_cast<std::int64_t>(t))[6]);
  request.options.units = {7};
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`units` has 7", [&] { static_cast<void>(draw(request)); }));
}

TEST(NeuronsPicture, ShowsCellStatesWhereTheCellHasThem) {
  PictureRequest request = picture_of("neurons", tiny_model(Cell::kLstm, tiny_characters()), kText);
  request.options.units = {6};
  request.options.state = "c";
  const std::vector<double> unit = column_of(draw(request), "unit 6");
  const UnrolledText text = with_end(request.models.front().model);
  for (std::size_t t = 0; t < unit.size(); ++t) EXPECT_EQ(unit[t], text.c(1, static_cast<std::int64_t>(t))[6]);
  request.options.state = "z";
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "expected h or c", [&] { static_cast<void>(draw(request)); }));
  request.models.front().model = tiny_model(Cell::kGru, tiny_characters());
  request.options.state = "c";
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "the cell gru has none", [&] { static_cast<void>(draw(request)); }));
  request.options.state = "h";
  request.options.from = 100;
  EXPECT_NE(draw(request).sentence.find("step 100 is beyond the text, which ends with step 10"), std::string::npos);
}

TEST(OnehotPicture, TheRowIsWhatEntersTheNetwork) {
  const Model model = tiny_model(Cell::kGru, tiny_words());
  PictureRequest request = picture_of("onehot", model, "the cat");
  request.options.at = 2;
  const std::vector<double> row = column_of(draw(request), "x");
  const UnrolledText text(model, {"the cat", "'text'"}, {.threads = 1});
  ASSERT_EQ(row.size(), 5U);
  for (std::size_t j = 0; j < row.size(); ++j) EXPECT_EQ(row[j], text.x(0, 2)[j]);
}

TEST(TruncationPicture, AtFullLengthNothingIsCutOff) {
  const Picture picture = draw(picture_of("truncation", tiny_model(Cell::kLstm, tiny_characters()), "abcdefg"));
  EXPECT_NEAR(column_of(picture, "cosine layers").back(), 1, 1e-12);
  EXPECT_EQ(column_of(picture, "norm ratio layers").back(), 1);
  EXPECT_EQ(column_of(picture, "length").back(), 7);
}

TEST(TruncationPicture, TellsOfTheLengthThatIsAskedForAndMarksIt) {
  PictureRequest request = picture_of("truncation", tiny_model(Cell::kLstm, tiny_characters()), "abcdefg");
  request.options.lengths = {4, 2};
  EXPECT_TRUE(draw(request).sentence.starts_with("In windows of 4 steps"));
  EXPECT_EQ(count_of(draw(request).svg, "chosen-length"), 0U);
  request.options.truncate = 3;
  const Picture picture = draw(request);
  EXPECT_TRUE(picture.sentence.starts_with("In windows of 3 steps"));
  EXPECT_EQ(column_of(picture, "length"), (std::vector<double>{2, 3, 4}));
  EXPECT_EQ(count_of(picture.svg, "class=\"chosen-length\" data-length=\"3\""), 1U);
}

TEST(Pictures, AxesOfCountsHaveWholeTicks) {
  const Picture picture = draw(picture_of("surprisal", tiny_model(Cell::kLstm, tiny_words()), "the"));
  EXPECT_EQ(count_of(picture.svg, ">0.2<") + count_of(picture.svg, ">0.5<"), 0U);
  EXPECT_NE(picture.sentence.find("2 symbols"), std::string::npos) << picture.sentence;
  EXPECT_EQ(count_of(picture.svg, ">1.5<"), 0U);
}

TEST(DicePicture, TheSymbolIsTheOneWhosePartHasTheNumber) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  PictureRequest request = picture_of("dice", model, "");
  request.options.prompt = "ab";
  request.options.seed = 7;
  request.options.temperature = 0.8;
  std::string written;
  for (std::int64_t at = 0; at < 12; ++at) {
    request.options.at = at;
    const Picture picture = draw(request);
    const double number = std::get<double>(fact_of(picture, "number"));
    EXPECT_GE(number, std::get<double>(fact_of(picture, "from")));
    EXPECT_LT(number, std::get<double>(fact_of(picture, "to")));
    const auto id = static_cast<double>(std::get<std::int64_t>(fact_of(picture, "id")));
    const std::vector<double> ids = column_of(picture, "id");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] != id) continue;
      EXPECT_NEAR(column_of(picture, "from")[i], std::get<double>(fact_of(picture, "from")), 1e-6);
      EXPECT_NEAR(column_of(picture, "to")[i], std::get<double>(fact_of(picture, "to")), 1e-6);
    }
    EXPECT_NEAR(sum_of(column_of(picture, "share")), 1, 1e-12);
    written += std::get<std::string>(fact_of(picture, "symbol"));
  }
  std::string expected;
  Generator generator(model, {.temperature = 0.8, .seed = 7});
  generator.write("ab", 12, [&](std::string_view piece) { return expected += piece, true; });
  EXPECT_EQ(written, expected);
}

TEST(DicePicture, FiltersAreThoseOfGenerator) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  PictureRequest request = picture_of("dice", model, "");
  request.options.prompt = "ab";
  request.options.top_k = 3;
  request.options.top_p = 0.9;
  request.options.min_p = 0.01;
  std::string written;
  for (std::int64_t at = 0; at < 8; ++at) {
    request.options.at = at;
    const Picture picture = draw(request);
    EXPECT_LE(picture.table.rows.size(), 3U);
    EXPECT_EQ(std::get<std::int64_t>(fact_of(picture, "symbols")), std::ssize(picture.table.rows));
    EXPECT_NEAR(sum_of(column_of(picture, "share")), 1, 1e-12);
    EXPECT_NE(picture.svg.find("top-k 3, top-p 0.9, min-p 0.01"), std::string::npos);
    written += std::get<std::string>(fact_of(picture, "symbol"));
  }
  std::string expected;
  Generator generator(model, {.top_k = 3, .top_p = 0.9, .min_p = 0.01});
  generator.write("ab", 8, [&](std::string_view piece) { return expected += piece, true; });
  EXPECT_EQ(written, expected);
  request.picture = "tree";
  request.options.length = 8;
  EXPECT_EQ(std::get<std::string>(draw(request).table.rows[0][1]), expected);
}

TEST(DicePicture, OfManySymbolsTheDrawnOneIsSeen) {
  std::vector<std::string> words{"<unk>", "<eos>"};
  for (int i = 0; i < 700; ++i) words.push_back("w" + std::to_string(i));
  const Tokenizer tokenizer = Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, words);
  PictureRequest request = picture_of("dice", tiny_model(Cell::kLstm, tokenizer), "");
  request.options.temperature = 1e6;
  const std::string svg = draw(request).svg;
  EXPECT_EQ(count_of(svg, "slice few"), 1U);
  const std::string drawn = svg.substr(svg.find("slice drawn"));
  EXPECT_EQ(count_of(drawn.substr(0, drawn.find("</g>")), "width=\"6\""), 1U);
}

TEST(TreePicture, TheTopLineIsWhatGeneratorWrites) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  PictureRequest request = picture_of("tree", model, "");
  request.options.prompt = "c";
  request.options.seed = 3;
  request.options.count = 4;
  request.options.length = 9;
  const Picture picture = draw(request);
  Generator generator(model, {.seed = 3});
  for (std::size_t i = 0; i < 4; ++i) {
    std::string expected;
    generator.write("c", 9, [&](std::string_view piece) { return expected += piece, true; });
    EXPECT_EQ(std::get<std::string>(picture.table.rows[i][1]), expected);
  }
}

TEST(AnswersPicture, TheLastAnswerIsThatOfClassifier) {
  const Model model = animals_model();
  const std::string text = "the cat sees the old dog";
  const Picture picture = draw(picture_of("answers", model, text + "\n"));
  const ClassifiedText expected = Classifier(model, {.threads = 1}).classify(text);
  ASSERT_EQ(picture.table.rows.size(), 7U);
  const std::vector<std::string> labels = animals().labels;
  for (std::size_t k = 0; k < labels.size(); ++k) {
    EXPECT_EQ(column_of(picture, labels[k]).back(), expected.probabilities[k]);
  }
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "expected a classifier or a tagger", [&] {
    static_cast<void>(draw(picture_of("answers", tiny_model(Cell::kLstm, tiny_words()), text)));
  }));
}

TEST(AnswersPicture, SaysWhatTheAnswerIsReadOff) {
  for (const Readout readout : {Readout::kLast, Readout::kMean, Readout::kMax, Readout::kAttention, Readout::kConcat}) {
    const Picture picture = draw(picture_of("answers", animals_model(3, readout), "the cat sees"));
    const UnrolledText text(animals_model(3, readout), {"the cat sees", "'text'"}, {.threads = 1});
    const std::vector<double> shares = pooled_steps(text);
    const std::vector<double> told = column_of(picture, "read out");
    ASSERT_EQ(told.size(), 4U);  // after no word there is none
    for (std::size_t t = 0; t < 3; ++t) EXPECT_EQ(told[t + 1], shares[t]) << readout_name(readout);
    EXPECT_EQ(picture.facts[4].second, Datum(std::string(readout_name(readout))));
    const bool chooses = readout != Readout::kLast && readout != Readout::kMean;
    EXPECT_EQ(count_of(picture.svg, "class=\"read\""), chooses ? 4U : 0U);
    EXPECT_EQ(picture.sentence.find("last state") != std::string::npos,
              readout == Readout::kLast || readout == Readout::kConcat);
  }
}

TEST(AnswersPicture, TwoClassifiersStandBelowEachOther) {
  PictureRequest request = picture_of("answers", animals_model(3), "the cat");
  request.models.push_back({.name = "other", .model = animals_model(4)});
  const Picture picture = draw(request);
  ASSERT_EQ(picture.table.rows.size(), 6U);
  EXPECT_EQ(std::get<std::string>(picture.table.rows[5][0]), "other");
  EXPECT_EQ(column_of(picture, "dog").back(),
            Classifier(animals_model(4), {.threads = 1}).classify("the cat").probabilities[1]);
}

// By the rule itself, from the gradients, in plain loops.
TEST(AnswersPicture, WhatSpeaksForATagIsItsGradientTimesTheInput) {
  NetworkConfig config = label_config(2, Readout::kSteps);
  const Model model =
      label_model(config, random_parameters(config, 1.5F, 4), {.kind = TaskKind::kTag, .labels = {"A", "B"}});
  PictureRequest request = picture_of("answers", model, "the cat sees");
  request.options.at = 1;
  const std::vector<double> told = column_of(draw(request), "speaks for it");
  const UnrolledText text(model, {"the cat sees", "'text'"}, {.threads = 1});
  AnswerGradients back(text);
  back.take({.text = 0, .word = 1});
  ASSERT_EQ(told.size(), 3U);
  for (std::int64_t t = 0; t < 3; ++t) {
    double expected = 0;
    for (std::size_t j = 0; j < 5; ++j) expected -= static_cast<double>(text.x(0, t)[j]) * back.x(t)[j];
    EXPECT_NEAR(told[static_cast<std::size_t>(t)], expected / (1 - back.probability()), 1e-9);
  }
  request.options.at = 3;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "the words 0 to 2", [&] { static_cast<void>(draw(request)); }));
  PictureRequest of_classifier = picture_of("answers", animals_model(), "the cat");
  of_classifier.options.at = 1;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "classifies whole texts", [&] { static_cast<void>(draw(of_classifier)); }));
}

TEST(AnswersPicture, OfATaggerTheLastRowIsThatOfTagger) {
  NetworkConfig config = label_config(2, Readout::kSteps);
  const Model model =
      label_model(config, random_parameters(config, 1.5F, 4), {.kind = TaskKind::kTag, .labels = {"A", "B"}});
  const Picture picture = draw(picture_of("answers", model, "the cat sees the dog"));
  const TagSequence tags =
      Tagger(model, {.threads = 1, .confidence = true}).tag({"the", "cat", "sees", "the", "dog"}).front();
  ASSERT_EQ(picture.table.rows.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(std::get<std::string>(picture.table.rows[i][3]), tags.tags[i]);
    EXPECT_EQ(column_of(picture, "probability")[i], tags.confidence[i]);
  }
  EXPECT_EQ(picture.table.rows[4][1], picture.table.rows[4][3]);
}

TEST(NeuronsPicture, OfAClassifierShowsWordsAsTheyStandAndEachDirection) {
  PictureRequest request = picture_of("neurons", animals_model(), "the Zebra sees");
  request.options.layer = 3;
  const Picture picture = draw(request);
  ASSERT_EQ(picture.table.rows.size(), 4U);
  EXPECT_EQ(std::get<std::string>(picture.table.rows[1][1]), "Zebra");
  EXPECT_NE(picture.sentence.find("layer 1 backward, after each word"), std::string::npos);
  request.picture = "gates";
  EXPECT_EQ(std::get<std::int64_t>(draw(request).facts[2].second), 0);  // where it has read the whole text
  request.options.layer = 4;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "each direction by itself", [&] { static_cast<void>(draw(request)); }));
  request.picture = "softmax";
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "no probabilities of symbols", [&] { static_cast<void>(draw(request)); }));
}

TEST(Pictures, SymbolsOfAVocabularyAreNeverMarkup) {
  const Tokenizer hostile = Tokenizer::from_vocabulary(
      TokenizerKind::kWhitespace, false,
      {"<unk>", "<eos>", "<img/onerror=x>", "\"&'", "]]>", "\x01\x1b", "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D", "\xCC\x81",
       "\xE2\x80\xAE", "--!>", std::string(300, 'w')});
  const Model model = tiny_model(Cell::kLstm, hostile);
  std::string text;
  for (std::int32_t id = 2; id < hostile.size(); ++id) text += hostile.symbol(id) + ' ';
  for (const PictureKind& kind : picture_kinds()) {
    if (kind.name == "answers") continue;
    PictureRequest request = picture_of(std::string(kind.name), model, text);
    request.models.front().name = "<script>.safetensors";
    request.options.prompt = text;
    if (kind.name == "surprisal") request.options.second = text;
    request.options.count = 3;
    request.options.length = 5;
    request.standalone = true;
    const std::string svg = draw(request).svg;
    EXPECT_TRUE(is_well_formed(svg)) << kind.name;
    EXPECT_EQ(count_of(svg, "<img") + count_of(svg, "<script") + count_of(svg, "onerror=\""), 0U) << kind.name;
    EXPECT_EQ(count_of(svg, "prefers-color-scheme: dark"), 1U) << kind.name;
    request.standalone = false;
    EXPECT_EQ(count_of(draw(request).svg, "style"), 0U) << kind.name;
    EXPECT_EQ(count_of(svg, "role=\"img\""), 1U) << kind.name;
  }
}

TEST(Pictures, AreGivenUpWhenNobodyWantsThem) {
  struct Gone {};
  for (const PictureKind& kind : picture_kinds()) {
    PictureRequest request =
        picture_of(std::string(kind.name),
                   kind.name == "answers" ? animals_model() : tiny_model(Cell::kLstm, tiny_words()), "the cat");
    request.options.prompt = "the";
    request.still_wanted = [] { throw Gone(); };
    EXPECT_THROW(static_cast<void>(draw(request)), Gone) << kind.name;
  }
}

TEST(Pictures, OneThatIsNotKnownIsRefused) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "unrolled, onehot", [&] { static_cast<void>(draw(picture_of("x", model, "a"))); }));
  PictureRequest request = picture_of("softmax", model, "the");
  request.models.push_back(request.models.front());
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "at most 1", [&] { static_cast<void>(draw(request)); }));
}

}  // namespace
}  // namespace unroll
