#include "exchange/column_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "base/philox.h"
#include "support/error_of.h"
#include "support/foreign_files.h"
#include "support/temporary_folder.h"
#include "unroll/evaluate.h"
#include "unroll/import.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A network of columns: V symbols, E inputs, two layers of H units.
constexpr std::int64_t kV = 4;
constexpr std::int64_t kE = 2;
constexpr std::int64_t kH = 3;

std::vector<float> some_numbers(std::int64_t count, std::uint32_t seed) {
  std::vector<float> numbers;
  for (std::uint32_t i = 0; i < count; ++i) {
    numbers.push_back(3 * uniform_float(random_words(seed, 0, RandomPurpose::kTestPoint, 7, i, 0)[0]) - 1.5F);
  }
  return numbers;
}

struct ColumnWeights {
  std::vector<float> embedding = some_numbers(kV * kE, 1);          // (V, E)
  std::vector<float> first = some_numbers((kE + kH) * 4 * kH, 2);   // (E + H, 4 H)
  std::vector<float> first_bias = some_numbers(4 * kH, 3);          // (4 H)
  std::vector<float> second = some_numbers((kH + kH) * 4 * kH, 4);  // (2 H, 4 H)
  std::vector<float> second_bias = some_numbers(4 * kH, 5);         // (4 H)
  std::vector<float> output = some_numbers(kV * kH, 6);             // (V, H)
  std::vector<float> output_bias = some_numbers(kV, 7);             // (V)
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One step of an LSTM whose columns are in the order of `gates`, letters of i f g o.
void lstm_step(const std::vector<float>& weight, const std::vector<float>& bias, const std::string& gates,
               double forget, const std::vector<double>& x, std::vector<double>& h, std::vector<double>& c) {
  std::vector<double> inputs = x;
  inputs.insert(inputs.end(), h.begin(), h.end());
  const auto gate = [&](char letter, std::size_t unit) {
    const std::size_t column = gates.find(letter) * kH + unit;
    double sum = bias[column];
    for (std::size_t r = 0; r < inputs.size(); ++r) sum += inputs[r] * weight[r * 4 * kH + column];
    return sum;
  };
  std::vector<double> next(h.size());
  for (std::size_t u = 0; u < h.size(); ++u) {
    c[u] = sigmoid(gate('f', u) + forget) * c[u] + sigmoid(gate('i', u)) * std::tanh(gate('g', u));
    next[u] = sigmoid(gate('o', u)) * std::tanh(c[u]);
  }
  h = next;
}

// The log-probability of all ids but the first.
double log_prob_of(const std::vector<std::size_t>& ids, const ColumnWeights& w, const std::string& gates,
                   double forget) {
  std::vector<double> h1(kH), c1(kH), h2(kH), c2(kH);
  double sum = 0;
  for (std::size_t t = 0; t + 1 < ids.size(); ++t) {
    const std::vector<double> x(w.embedding.begin() + static_cast<std::ptrdiff_t>(ids[t] * kE),
                                w.embedding.begin() + static_cast<std::ptrdiff_t>((ids[t] + 1) * kE));
    lstm_step(w.first, w.first_bias, gates, forget, x, h1, c1);
    lstm_step(w.second, w.second_bias, gates, forget, h1, h2, c2);
    std::vector<double> logits(kV);
    double total = 0;
    for (std::size_t v = 0; v < kV; ++v) {
      logits[v] = w.output_bias[v];
      for (std::size_t u = 0; u < kH; ++u) logits[v] += w.output[v * kH + u] * h2[u];
      total += std::exp(logits[v]);
    }
    sum += logits[ids[t + 1]] - std::log(total);
  }
  return sum;
}

// ---- files

namespace t7 = torch7;

std::string t7_module(std::int32_t index, const std::string& name,
                      const std::vector<std::pair<std::string, std::string>>& fields) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [field, value] : fields) entries.emplace_back(t7::string(field), value);
  return t7::object(index, name, t7::table(index + 1, entries));
}

std::string t7_file(const ColumnWeights& w, double batchnorm = 0, const std::string& middle = "nn.View") {
  std::int32_t next = 100;
  const auto tensor = [&](const std::vector<std::int64_t>& shape, const std::vector<float>& numbers) {
    next += 2;
    return t7::tensor(next, shape, 1, t7::storage(next + 1, numbers));
  };
  const std::string modules = t7::table(
      9, {{t7::number(1), t7_module(10, "nn.LookupTable", {{"weight", tensor({kV, kE}, w.embedding)}})},
          {t7::number(2),
           t7_module(20, "nn.LSTM",
                     {{"weight", tensor({kE + kH, 4 * kH}, w.first)}, {"bias", tensor({4 * kH}, w.first_bias)}})},
          {t7::number(3),
           t7_module(30, "nn.LSTM",
                     {{"weight", tensor({kH + kH, 4 * kH}, w.second)}, {"bias", tensor({4 * kH}, w.second_bias)}})},
          {t7::number(4), t7_module(40, middle, {})},
          {t7::number(5), t7_module(50, "nn.Linear",
                                    {{"weight", tensor({kV, kH}, w.output)}, {"bias", tensor({kV}, w.output_bias)}})}});
  const std::string tokens = t7::table(8, {{t7::number(1), t7::string("a")},
                                           {t7::number(2), t7::string("\n")},
                                           {t7::number(4), t7::string("c")},
                                           {t7::number(3), t7::string("\xC3\xA9")}});
  const std::string model = t7_module(2, "nn.LanguageModel",
                                      {{"net", t7_module(5, "nn.Sequential", {{"modules", modules}})},
                                       {"idx_to_token", tokens},
                                       {"batchnorm", t7::number(batchnorm)}});
  return t7::table(1, {{t7::string("model"), model}});
}

std::vector<NamedArray> tensorflow_tensors(const ColumnWeights& w) {
  std::vector<float> output;  // (H, V)
  for (std::size_t u = 0; u < kH; ++u) {
    for (std::size_t v = 0; v < kV; ++v) output.push_back(w.output[v * kH + u]);
  }
  const std::string cell = "rnnlm/multi_rnn_cell/cell_";
  return {{"Variable", {}, {3}},
          {"embedding", {kV, kE}, w.embedding},
          {"embedding/Adam", {kV, kE}, w.embedding},
          {cell + "0/basic_lstm_cell/bias", {4 * kH}, w.first_bias},
          {cell + "0/basic_lstm_cell/kernel", {kE + kH, 4 * kH}, w.first},
          {cell + "1/basic_lstm_cell/bias", {4 * kH}, w.second_bias},
          {cell + "1/basic_lstm_cell/kernel", {kH + kH, 4 * kH}, w.second},
          {"rnnlm/softmax_b", {kV}, w.output_bias},
          {"rnnlm/softmax_w", {kH, kV}, output}};
}

class ColumnNetwork : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& bytes) {
    write_bytes(folder_.path(name), bytes);
    return folder_.path(name);
  }

  std::string write_bundle(const std::vector<NamedArray>& tensors) {
    std::string numbers;
    std::vector<std::pair<std::string, std::string>> entries{{"", bundle::header()}};
    for (const NamedArray& tensor : tensors) {
      const std::string bytes = float_bytes(tensor.numbers);
      entries.emplace_back(tensor.name, bundle::entry(tensor.shape, numbers.size(), bytes));
      numbers += bytes;
    }
    write("m.data-00000-of-00001", numbers);
    return write("m.index", bundle::index(entries));
  }

  std::string write_ml5(const std::vector<NamedArray>& tensors, const std::string& vocabulary) {
    std::filesystem::create_directory(folder_.path("ml5"));
    std::string manifest;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      std::string shape;
      for (const std::int64_t length : tensors[i].shape) shape += (shape.empty() ? "" : ",") + std::to_string(length);
      manifest += (i == 0 ? "{\"" : ",\"") + tensors[i].name + "\":{\"filename\":\"t" + std::to_string(i) +
                  "\",\"shape\":[" + shape + "]}";
      write("ml5/t" + std::to_string(i), float_bytes(tensors[i].numbers));
    }
    write("ml5/manifest.json", manifest + "}");
    write("ml5/vocab.json", vocabulary);
    return folder_.path("ml5");
  }

  // Of "a\n", from whose first symbol on all are predicted: ids 0 2 3 2 1 with the vocabulary a \n é c.
  static double score(const ImportedModel& imported) {
    return Scorer(imported.model, {.threads = 1})
        .score(
            "a\xC3\xA9"
            "c\xC3\xA9")
        .log_prob;
  }

  static std::string reason(const std::string& path) {
    const std::optional<Error> error = error_of([&] { static_cast<void>(import_model(path)); });
    return error ? error->what() : "";
  }

  TemporaryFolder folder_;
  ColumnWeights weights_;
  std::vector<std::size_t> ids_{0, 2, 3, 2, 1};
};

constexpr std::string_view kVocabularyJson = R"({"a":0,"\n":1,"é":2,"c":3})";
const ImportOptions kGiven{.begin = BeginPolicy::kNone};

TEST_F(ColumnNetwork, FilesOfTorchRnnScoreAsItsEquationsDo) {
  const ImportedModel imported = import_model(write("x.t7", t7_file(weights_)), kGiven);
  EXPECT_NEAR(score(imported), log_prob_of(ids_, weights_, "ifog", 0), 2e-6);
  EXPECT_THAT(imported.model.tokenizer().vocabulary(), ElementsAre("a", "\n", "\xC3\xA9", "c"));
  EXPECT_EQ(imported.format, "Torch 7");
}

TEST_F(ColumnNetwork, CheckpointsOfTensorFlowScoreAsItsEquationsDo) {
  const std::string path = write_bundle(tensorflow_tensors(weights_));
  ImportOptions options = kGiven;
  options.vocab = write("vocab.json", std::string(kVocabularyJson));
  EXPECT_NEAR(score(import_model(path, options)), log_prob_of(ids_, weights_, "igfo", 1), 2e-6);
}

TEST_F(ColumnNetwork, FoldersOfMl5ScoreAsCheckpointsDo) {
  const std::string path = write_ml5(tensorflow_tensors(weights_), std::string(kVocabularyJson));
  EXPECT_NEAR(score(import_model(path, kGiven)), log_prob_of(ids_, weights_, "igfo", 1), 2e-6);
}

TEST_F(ColumnNetwork, NetworksOfThreeArraysScoreAsTheirEquationsDo) {
  const std::vector<float> U = some_numbers(kH * kV, 1);
  const std::vector<float> V = some_numbers(kV * kH, 2);
  const std::vector<float> W = some_numbers(kH * kH, 3);
  const ImportedModel imported =
      import_model(write("x.npz", npz_of({{"U", {kH, kV}, U}, {"V", {kV, kH}, V}, {"W", {kH, kH}, W}})),
                   {.tokenizer = TokenizerKind::kWhitespace});
  std::vector<double> s(kH);
  double expected = 0;
  for (std::size_t t = 0; t + 1 < ids_.size(); ++t) {
    std::vector<double> next(kH);
    for (std::size_t i = 0; i < kH; ++i) {
      next[i] = U[i * kV + ids_[t]];
      for (std::size_t j = 0; j < kH; ++j) next[i] += W[i * kH + j] * s[j];
      next[i] = std::tanh(next[i]);
    }
    s = next;
    std::vector<double> logits(kV);
    double total = 0;
    for (std::size_t v = 0; v < kV; ++v) {
      for (std::size_t i = 0; i < kH; ++i) logits[v] += V[v * kH + i] * s[i];
      total += std::exp(logits[v]);
    }
    expected += logits[ids_[t + 1]] - std::log(total);
  }
  EXPECT_NEAR(Scorer(imported.model, {.threads = 1}).score("0 2 3 2 1").log_prob, expected, 2e-6);
}

TEST_F(ColumnNetwork, NoFileThatAModelWasMadeFromIsReplacedByIt) {
  const std::string vocab = write("vocab.json", std::string(kVocabularyJson));
  write_ml5(tensorflow_tensors(weights_), std::string(kVocabularyJson));
  write_bundle(tensorflow_tensors(weights_));
  std::vector<ImportedModel> all{import_model(folder_.path("ml5"), kGiven),
                                 import_model(folder_.path("m"), {.vocab = vocab})};
  std::size_t refused = 0;
  for (const ImportedModel& imported : all) {
    for (const std::string& file : imported.files) {
      const std::string before = bytes_of(file);
      const std::string link = folder_.path("link" + std::to_string(refused));
      std::filesystem::create_symlink(file, link);
      for (const std::string& path : {file, link}) {
        const std::optional<Error> error = error_of([&] { save_imported(imported, path); });
        ASSERT_TRUE(error) << path;
        EXPECT_EQ(error->field(), "save");
      }
      EXPECT_EQ(bytes_of(file), before);
      std::filesystem::remove(link);
      ++refused;
    }
    save_imported(imported, folder_.path("new"));
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
    files += entry.is_regular_file();
  EXPECT_EQ(refused, files - 1) << "all but the model";
}

TEST_F(ColumnNetwork, ArraysWithPytorchsNamesAreReadAsAStateDictIs) {
  const ImportedModel imported =
      import_model(write("x.npz", npz_of({{"encoder.weight", {kV, kE}, weights_.embedding},
                                          {"rnn.weight_ih_l0", {3 * 2, 2}, some_numbers(12, 8)},
                                          {"rnn.weight_hh_l0", {3 * 2, 2}, some_numbers(12, 9)},
                                          {"decoder.weight", {kV, 2}, some_numbers(8, 1)}})),
                   {.vocab = write("vocab.json", std::string(kVocabularyJson))});
  EXPECT_EQ(imported.model.config().cell, Cell::kGru);
}

TEST_F(ColumnNetwork, OtherNetworksAreRefusedWithTheReason) {
  EXPECT_THAT(reason(write("x.t7", t7_file(weights_, 1))), HasSubstr("batch normalisation"));
  EXPECT_THAT(reason(write("x.t7", t7_file(weights_, 0, "nn.TemporalConvolution"))),
              HasSubstr("nn.TemporalConvolution"));
  EXPECT_THAT(reason(write("x.t7", t7::table(1, {}))), HasSubstr("no nn.LanguageModel"));
  std::vector<NamedArray> tensors = tensorflow_tensors(weights_);
  tensors[4].name = "rnnlm/multi_rnn_cell/cell_0/gru_cell/kernel";
  EXPECT_THAT(reason(write_bundle(tensors)), HasSubstr("cell 0 is missing"));
  tensors = tensorflow_tensors(weights_);
  tensors.erase(tensors.begin() + 5);
  EXPECT_THAT(reason(write_bundle(tensors)), HasSubstr("the bias of"));
  tensors = tensorflow_tensors(weights_);
  tensors.insert(tensors.begin() + 3, {"rnnlm/attention", {2}, {1, 2}});
  EXPECT_THAT(reason(write_bundle(tensors)), HasSubstr("rnnlm/attention has no place"));
  tensors = tensorflow_tensors(weights_);
  tensors[1].numbers[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(reason(write_bundle(tensors)), HasSubstr("embedding"));
}

TEST_F(ColumnNetwork, DamagedVocabulariesOfMl5AreRefusedByTheirKeys) {
  const auto with = [&](const std::string& vocabulary) {
    return reason(write_ml5(tensorflow_tensors(weights_), vocabulary));
  };
  EXPECT_THAT(with(R"({"a":0,"":1,"  ":2,"c":3})"), HasSubstr(R"(the key "" (1) is not one character)"));
  EXPECT_THAT(with(R"({"a":0,"":1,"  ":2,"c":3})"), HasSubstr(R"(the key "  " (2) is not one character)"));
  EXPECT_THAT(with(R"({"a":0,"b":2,"c":3})"), HasSubstr("no symbol has the id 1"));
  EXPECT_THAT(with(R"({"a":0,"b":1,"d":1,"c":3})"), HasSubstr(R"(the keys "b" and "d" are both 1)"));
  EXPECT_THAT(with(R"({"a":0,"b":1,"d":9,"c":3})"), HasSubstr(R"(the key "d" has no id below 4)"));
  EXPECT_THAT(with(R"({"a":0,"a":1,"d":2,"c":3})"), HasSubstr("twice"));
}

}  // namespace
}  // namespace unroll
