#include "model/model_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <locale>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/tensor_file.h"
#include "support/error_of.h"
#include "support/sealed_file.h"
#include "support/temporary_folder.h"
#include "unroll/error.h"
#include "unroll/model.h"
#include "unroll/model_bytes.h"

namespace unroll {
namespace {

Tokenizer tokenizer_of(TokenizerKind kind, const std::string& text, bool lowercase = false) {
  TokenizerOptions options;
  options.kind = kind;
  options.lowercase = lowercase;
  return Tokenizer::train(options, {text, "text"});
}

NetworkConfig config_for(const Tokenizer& tokenizer, Cell cell = Cell::kLstm) {
  return {.cell = cell, .vocabulary = tokenizer.size(), .embed = 3, .hidden = 2, .layers = 2};
}

TrainingRecord record() {
  TrainingRecord training;
  training.options = {{"tokenizer", "char"}, {"state", "reset"}, {"lr", "0.002"}, {"batch-size", "32"}};
  training.history = {{10, 640, 2.0, 0.1, std::nullopt},
                      {20, 1280, 1.0 / 3.0, 5e-324, 0.1 + 0.2},
                      {30, std::numeric_limits<std::int64_t>::max(), 1.7976931348623157e308, -0.0, 1.0}};
  training.complete = true;
  return training;
}

void fill(const Parameters& parameters) {
  float value = -1.0F;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    for (float& number : parameters.values(tensor)) number = value += 0.37F;
  }
}

Parameters numbers_of(const Model& model) {
  Parameters parameters(model.config());
  read_parameters(model.config(), model.data().weights.view(), parameters);
  return parameters;
}

// Makes C++ streams write 1.234,5 and, where the machine has such a locale, the C library too.
class CommaLocale {
 public:
  CommaLocale() : before_(std::locale::global(std::locale(std::locale::classic(), new Commas))) {
    std::setlocale(LC_NUMERIC, "de_DE.UTF-8");
  }
  ~CommaLocale() {
    std::locale::global(before_);
    std::setlocale(LC_NUMERIC, "C");
  }
  CommaLocale(const CommaLocale&) = delete;
  CommaLocale& operator=(const CommaLocale&) = delete;

 private:
  struct Commas : std::numpunct<char> {
    [[nodiscard]] char do_decimal_point() const override { return ','; }
    [[nodiscard]] char do_thousands_sep() const override { return '.'; }
    [[nodiscard]] std::string do_grouping() const override { return "\3"; }
  };
  std::locale before_;
};

// A small model on disk, and ways to damage it.
class ModelFileTest : public testing::Test {
 protected:
  ModelFileTest() : parameters_(config_) {
    fill(parameters_);
    save_model(path(), config_, tokenizer_, record(), parameters_);
  }

  [[nodiscard]] std::string path() const { return folder_.path("m.safetensors"); }

  // Writes the model with other metadata or tensors, and a correct checksum.
  void save_changed(
      const std::function<void(std::map<std::string, std::string>&, std::vector<TensorToWrite>&)>& change) {
    auto metadata = model_metadata(config_, tokenizer_, record());
    metadata["format"] = kModelFormat;
    std::vector<TensorToWrite> tensors;
    for (const ParameterTensor& tensor : parameters_.tensors()) {
      tensors.push_back({tensor.name, tensor.shape, parameters_.values(tensor)});
    }
    change(metadata, tensors);
    write_tensor_file(path(), tensors, metadata);
  }
  testing::AssertionResult refused(const std::string& part) {
    return fails_with(ErrorCode::kFormat, part, [&] { (void)Model::load(path()); });
  }
  testing::AssertionResult refused_with(const std::string& part, const std::string& key, const std::string& value) {
    save_changed([&](auto& metadata, auto&) { metadata[key] = value; });
    return refused(part);
  }

  TemporaryFolder folder_;
  Tokenizer tokenizer_ = tokenizer_of(TokenizerKind::kChar, "abcé\n");
  NetworkConfig config_ = config_for(tokenizer_);
  Parameters parameters_;
};

TEST_F(ModelFileTest, GivesBackEverythingThatWasSaved) {
  const Model model = Model::load(path());
  EXPECT_EQ(model.config(), config_);
  EXPECT_EQ(model.tokenizer().kind(), TokenizerKind::kChar);
  EXPECT_EQ(model.tokenizer().vocabulary(), tokenizer_.vocabulary());
  const TrainingRecord expected = record();
  const TrainingRecord& training = model.training();
  EXPECT_EQ(training.options, expected.options);
  EXPECT_TRUE(training.complete);
  ASSERT_EQ(training.history.size(), expected.history.size());
  for (std::size_t i = 0; i < expected.history.size(); ++i) {
    EXPECT_EQ(training.history[i].step, expected.history[i].step);
    EXPECT_EQ(training.history[i].tokens, expected.history[i].tokens);
    EXPECT_EQ(training.history[i].nats_per_token, expected.history[i].nats_per_token);
    EXPECT_EQ(training.history[i].lr, expected.history[i].lr);
    EXPECT_EQ(std::signbit(training.history[i].lr), std::signbit(expected.history[i].lr));
    EXPECT_EQ(training.history[i].valid_nats_per_token, expected.history[i].valid_nats_per_token);
  }
  EXPECT_TRUE(std::ranges::equal(numbers_of(model).all(), parameters_.all()));
  EXPECT_EQ(model.trained_state_policy(), StatePolicy::kReset);
  ASSERT_EQ(model.tensors().size(), 11U);
  EXPECT_EQ(model.tensors()[1].name, "rnn.weight_ih_l0");
  EXPECT_EQ(model.tensors()[1].shape, (std::vector<std::int64_t>{8, 3}));
}

TEST_F(ModelFileTest, IsTheSameFileWhenItIsLoadedAndSavedAgain) {
  const Model model = Model::load(path());
  const std::string again = folder_.path("again.safetensors");
  save_model(again, model.config(), model.tokenizer(), model.training(), numbers_of(model));
  EXPECT_EQ(bytes_of(again), bytes_of(path()));
}

TEST_F(ModelFileTest, IsTheSameFileInALocaleWithDecimalCommas) {
  const std::string before = bytes_of(path());
  {
    const CommaLocale locale;
    save_model(path(), config_, tokenizer_, record(), parameters_);
    EXPECT_EQ(Model::load(path()).training().history[0].lr, 0.1);
  }
  EXPECT_EQ(bytes_of(path()), before);
}

TEST_F(ModelFileTest, IsTheSameModelInMemory) {
  std::string bytes = bytes_of(path());
  const Model held = read_model(bytes, "the twin");
  bytes.front() = '!';
  EXPECT_TRUE(std::ranges::equal(numbers_of(held).all(), numbers_of(Model::load(path())).all()));
  EXPECT_EQ(held.checksum(), Model::load(path()).checksum());
  bytes = bytes_of(path());
  bytes.back() ^= 1;
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "'the twin' was changed after it was written",
                         [&] { (void)read_model(bytes, "the twin"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "'nothing' is empty", [] { (void)read_model("", "nothing"); }));
}

TEST_F(ModelFileTest, KeepsEveryCellAndTiedWeights) {
  for (const Cell cell : {Cell::kRnnTanh, Cell::kRnnRelu, Cell::kLstm, Cell::kGru, Cell::kGruResetBefore, Cell::kMinGru,
                          Cell::kMinLstm}) {
    for (const bool tied : {false, true}) {
      NetworkConfig config = config_for(tokenizer_, cell);
      config.tied = tied;
      if (tied) config.embed = config.hidden;
      const Parameters parameters(config);
      fill(parameters);
      save_model(path(), config, tokenizer_, {}, parameters);
      const Model model = Model::load(path());
      EXPECT_EQ(model.config(), config);
      EXPECT_TRUE(std::ranges::equal(numbers_of(model).all(), parameters.all()));
    }
  }
}

TEST_F(ModelFileTest, KeepsEveryKindOfTokenizer) {
  const std::string text = "The cat\tsat \"on\" the\\mat. L'été 漢字 🙂\nThe cat\n";
  const std::vector<Tokenizer> tokenizers = {
      tokenizer_of(TokenizerKind::kByte, text), tokenizer_of(TokenizerKind::kChar, text),
      tokenizer_of(TokenizerKind::kWord, text, true), tokenizer_of(TokenizerKind::kWord, text),
      tokenizer_of(TokenizerKind::kWhitespace, text)};
  for (const Tokenizer& tokenizer : tokenizers) {
    const NetworkConfig config = config_for(tokenizer);
    save_model(path(), config, tokenizer, {}, Parameters(config));
    const Model model = Model::load(path());
    EXPECT_EQ(model.tokenizer().kind(), tokenizer.kind());
    EXPECT_EQ(model.tokenizer().lowercase(), tokenizer.lowercase());
    EXPECT_EQ(model.tokenizer().vocabulary(), tokenizer.vocabulary());
    EXPECT_EQ(model.tokenizer().encode({text, "text"}).ids, tokenizer.encode({text, "text"}).ids);
  }
}

TEST_F(ModelFileTest, CarriesStateUnlessItWasTrainedToReset) {
  save_model(path(), config_, tokenizer_, {}, parameters_);
  EXPECT_EQ(Model::load(path()).trained_state_policy(), StatePolicy::kCarry);
  TrainingRecord training;
  training.options = {{"state", "carry"}};
  save_model(path(), config_, tokenizer_, training, parameters_);
  EXPECT_EQ(Model::load(path()).trained_state_policy(), StatePolicy::kCarry);
}

TEST_F(ModelFileTest, SharesItsWeightsBetweenCopies) {
  const Model model = Model::load(path());
  const Model copy = model;  // NOLINT(performance-unnecessary-copy-initialization): the copy is the subject
  EXPECT_EQ(&copy.data(), &model.data());
}

TEST_F(ModelFileTest, RefusesAModelCutAtAnyByteOrWithAnyBitFlipped) {
  const std::string bytes = bytes_of(path());
  const auto load_error = [&](const std::string& changed) {
    write_bytes(path(), changed);
    return error_of([&] { (void)Model::load(path()); });
  };
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto error = load_error(bytes.substr(0, length));
    ASSERT_TRUE(error && error->code() == ErrorCode::kFormat) << "cut to " << length;
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto error = load_error(changed);
    ASSERT_TRUE(error && error->code() == ErrorCode::kFormat) << "byte " << bit / 8 << " bit " << bit % 8;
  }
}

TEST_F(ModelFileTest, NamesTheTensorThatIsMissing) {
  save_changed([](auto&, auto& tensors) { tensors.erase(tensors.begin() + 4); });
  EXPECT_TRUE(refused("lacks tensor rnn.bias_hh_l0 of shape (8)"));
}

TEST_F(ModelFileTest, NamesAnUnexpectedTensor) {
  const std::vector<float> more = {1.0F};
  save_changed([&](auto&, auto& tensors) { tensors.push_back({"rnn.weight_ih_l2", {1}, more}); });
  EXPECT_TRUE(refused("has tensor \"rnn.weight_ih_l2\", which its network (lstm, 2 layers, f32) does not have"));
}

TEST_F(ModelFileTest, NamesTheTensorOfTheWrongShape) {
  save_changed([](auto&, auto& tensors) { std::swap(tensors[0].shape[0], tensors[0].shape[1]); });
  EXPECT_TRUE(refused("has tensor encoder.weight of shape (3, 6), expected (6, 3)"));
}

TEST_F(ModelFileTest, NamesTheTensorWithANumberThatIsNotFinite) {
  parameters_.values(parameters_.tensors()[6])[3] = std::nanf("");
  save_model(path(), config_, tokenizer_, record(), parameters_);
  EXPECT_TRUE(refused("nan in tensor rnn.weight_hh_l1 at element 3"));
}

TEST_F(ModelFileTest, NamesANewerVersion) {
  EXPECT_TRUE(refused_with("was written by a newer version of unroll", "format", "unroll/4"));
}

// ---- unroll/3: a policy

// Saves with what may need a policy, and gives back the metadata.
std::map<std::string, std::string> saved_metadata(const std::string& path, const Tokenizer& tokenizer,
                                                  BeginPolicy begin) {
  const NetworkConfig config = config_for(tokenizer);
  save_model(path, config, tokenizer, {}, Parameters(config), begin);
  return TensorFile(path, {kModelFormat, kRoundedModelFormat, kPolicyModelFormat}).take_metadata();
}

TEST_F(ModelFileTest, HasAPolicyOnlyIfItsVocabularyOrItsBeginningNeedsOne) {
  const auto characters = [](const std::vector<std::string>& symbols) {
    return Tokenizer::from_vocabulary(TokenizerKind::kChar, false, symbols);
  };
  for (const Tokenizer& tokenizer : {characters({"<unk>", "\n", "a"}), tokenizer_of(TokenizerKind::kByte, "ab"),
                                     tokenizer_of(TokenizerKind::kWord, "a b")}) {
    const auto plain = saved_metadata(path(), tokenizer, BeginPolicy::kBoundary);
    EXPECT_EQ(plain.at("format"), "unroll/1");
    EXPECT_EQ(plain.size(), 6U);  // format, checksum, config, tokenizer, training, history
    EXPECT_EQ(Model::load(path()).begin_policy(), BeginPolicy::kBoundary);
    const auto given = saved_metadata(path(), tokenizer, BeginPolicy::kNone);
    EXPECT_EQ(given.at("format"), "unroll/3");
    EXPECT_EQ(given.at("policy"), R"({"begin":"none"})");
    EXPECT_EQ(given.at("precision"), "f32");
    EXPECT_EQ(Model::load(path()).begin_policy(), BeginPolicy::kNone);
  }
  const auto without_unknown = saved_metadata(path(), characters({"\n", "a"}), BeginPolicy::kBoundary);
  EXPECT_EQ(without_unknown.at("format"), "unroll/3");
  EXPECT_EQ(without_unknown.at("policy"), R"({"begin":"boundary"})");
  EXPECT_EQ(Model::load(path()).tokenizer().unknown(), -1);
  const auto without_line_end = saved_metadata(path(), characters({"<unk>", "a"}), BeginPolicy::kNone);
  EXPECT_EQ(without_line_end.at("policy"), R"({"begin":"none"})");
  EXPECT_EQ(Model::load(path()).trained_state_policy(), StatePolicy::kReset);
}

TEST_F(ModelFileTest, WithAPolicyIsNewerForReadersThatKnowNone) {
  saved_metadata(path(), tokenizer_, BeginPolicy::kNone);
  EXPECT_TRUE(fails_with(
      ErrorCode::kFormat,
      "was written by a newer version of unroll (format unroll/3, this one reads unroll/2): use that version", [&] {
        (void)TensorFile(path(), {kModelFormat, kRoundedModelFormat});
      }));
}

TEST_F(ModelFileTest, RefusesAPolicyThatDoesNotFit) {
  const auto with = [&](const std::string& part, const std::string& format, const std::string& policy,
                        const std::string& precision = "f32") {
    save_changed([&](auto& metadata, auto&) {
      metadata["format"] = format;
      if (!policy.empty()) metadata["policy"] = policy;
      if (!precision.empty()) metadata["precision"] = precision;
    });
    return refused(part);
  };
  EXPECT_TRUE(with("\"policy\" is missing: files of format unroll/3 alone have one", "unroll/3", ""));
  EXPECT_TRUE(with("\"policy\" is there in a file of format unroll/1", "unroll/1", R"({"begin":"none"})", ""));
  EXPECT_TRUE(with("\"precision\" is missing", "unroll/3", R"({"begin":"none"})", ""));
  EXPECT_TRUE(with("\"precision\" is \"f64\"", "unroll/3", R"({"begin":"none"})", "f64"));
  EXPECT_TRUE(with("unknown begin 'middle'", "unroll/3", R"({"begin":"middle"})"));
  EXPECT_TRUE(with("lacks \"begin\"", "unroll/3", "{}"));
  EXPECT_TRUE(with("which this version does not know", "unroll/3", R"({"begin":"none","end":"none"})"));

  const Tokenizer open = Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"a", "b", "c", "d", "e", "f"});
  save_changed([&](auto& metadata, auto&) {
    metadata = model_file_metadata(config_, open, record(), BeginPolicy::kNone, Precision::kF32);
    metadata["policy"] = R"({"begin":"boundary"})";
  });
  EXPECT_TRUE(refused("has begin \"boundary\", but the vocabulary has no symbol for the end of a line"));
  save_changed([&](auto& metadata, auto&) {
    metadata["tokenizer"] = model_metadata(config_, open, record(), BeginPolicy::kNone).at("tokenizer");
  });
  EXPECT_TRUE(refused("symbol \"\\n\" is missing; only a file of format unroll/3 may lack it"));
}

TEST_F(ModelFileTest, RefusesSizesThatItsTensorsDoNotHaveBeforeTakingMemory) {
  const std::string huge =
      R"({"cell":"rnn-tanh","vocabulary":16777216,"embed":30000,"hidden":2,"layers":1,"tied":false,"dropout":0})";
  EXPECT_TRUE(refused_with("encoder.weight of shape (6, 3), expected (16777216, 30000)", "config", huge));
}

TEST_F(ModelFileTest, RefusesAnInvalidConfig) {
  const auto with = [](const std::string& field, const std::string& value) {
    std::map<std::string, std::string> fields = {{"cell", "\"lstm\""}, {"vocabulary", "6"}, {"embed", "3"},
                                                 {"hidden", "2"},      {"layers", "2"},     {"tied", "false"},
                                                 {"dropout", "0.1"}};
    fields[field] = value;
    std::string json;
    for (const auto& [key, text] : fields) {
      if (!text.empty()) json.append(json.empty() ? "{" : ",").append("\"" + key + "\":" + text);
    }
    return json + "}";
  };
  save_changed([&](auto& metadata, auto&) { metadata["config"] = with("dropout", "0"); });
  EXPECT_EQ(Model::load(path()).config().hidden, 2);
  EXPECT_TRUE(refused_with("unknown cell 'perceptron'", "config", with("cell", "\"perceptron\"")));
  EXPECT_TRUE(refused_with("\"cell\" is not a string", "config", with("cell", "1")));
  EXPECT_TRUE(refused_with("lacks \"hidden\"", "config", with("hidden", "")));
  EXPECT_TRUE(refused_with("hidden is 0", "config", with("hidden", "0")));
  EXPECT_TRUE(refused_with("\"hidden\" is not a whole number", "config", with("hidden", "-2")));
  EXPECT_TRUE(refused_with("\"hidden\" is not a whole number", "config", with("hidden", "2.0")));
  EXPECT_TRUE(refused_with("\"hidden\" is not a whole number", "config", with("hidden", "18446744073709551615")));
  EXPECT_TRUE(refused_with("hidden is 9223372036854775807", "config", with("hidden", "9223372036854775807")));
  EXPECT_TRUE(refused_with("layers is 2000000", "config", with("layers", "2000000")));
  EXPECT_TRUE(refused_with("\"tied\" is not true or false", "config", with("tied", "0")));
  EXPECT_TRUE(refused_with("tensor projection.weight", "config", with("tied", "true")));
  EXPECT_TRUE(refused_with("\"residual\" is not true or false", "config", with("residual", "1")));
  EXPECT_TRUE(refused_with("\"dropout\" is not a number", "config", with("dropout", "null")));
  EXPECT_TRUE(refused_with("a number out of range", "config", with("dropout", "1e999")));
  EXPECT_TRUE(refused_with("\"heads\", which this version does not know", "config", with("heads", "1")));
}

TEST_F(ModelFileTest, RefusesMetadataThatIsNotStrictJson) {
  for (const std::string key : {"config", "tokenizer", "training", "history"}) {
    EXPECT_TRUE(refused_with("\"" + key + "\" is not valid JSON at byte", key, "")) << key;
    EXPECT_TRUE(refused_with("\"" + key + "\" is not valid JSON at byte", key, "{\"a\":1} x")) << key;
    EXPECT_TRUE(refused_with("contains a NUL byte", key, std::string("{}\0", 3))) << key;
    EXPECT_TRUE(refused_with("has the key \"a\" twice", key, R"({"a":1,"a":1})")) << key;
    EXPECT_TRUE(refused_with("nested more than 8 levels deep", key, std::string(100'000, '['))) << key;
    EXPECT_TRUE(refused_with("\"" + key + "\" is not", key, "7")) << key;
    save_changed([&](auto& metadata, auto&) { metadata.erase(key); });
    EXPECT_TRUE(refused("lacks the metadata \"" + key + "\"")) << key;
  }
  std::string many_keys = "{\"options\":{";
  for (int i = 0; i < 300; ++i) many_keys += "\"k" + std::to_string(i) + "\":\"\",";
  EXPECT_TRUE(refused_with("more than 256 keys", "training", many_keys));
  std::string many_values = "[";
  for (int i = 0; i < 5000; ++i) many_values += "0,";
  EXPECT_TRUE(refused_with("has more values than it can have", "tokenizer", many_values));
}

TEST_F(ModelFileTest, RefusesAVocabularyThatDoesNotFit) {
  const auto with_symbols = [&](const std::string& part, const std::string& symbols) {
    return refused_with(part, "tokenizer", R"({"kind":"char","lowercase":false,"symbols":)" + symbols + "}");
  };
  EXPECT_TRUE(with_symbols("has 3 symbols, but the network has 6", R"(["<unk>","\n","a"])"));
  EXPECT_TRUE(with_symbols("symbol 2 is not a string", R"(["<unk>","\n",5])"));
  EXPECT_TRUE(with_symbols("\"symbols\" is not an array", R"("<unk>")"));
  EXPECT_TRUE(with_symbols("\"tokenizer\"", R"(["<unk>","\n","a","b","b","c"])"));
  EXPECT_TRUE(refused_with("lacks \"symbols\"", "tokenizer", R"({"kind":"char","lowercase":false})"));
  EXPECT_TRUE(refused_with("has \"symbols\"", "tokenizer", R"({"kind":"byte","lowercase":false,"symbols":[]})"));
  EXPECT_TRUE(
      refused_with("has 256 symbols, but the network has 6", "tokenizer", R"({"kind":"byte","lowercase":false})"));
  EXPECT_TRUE(refused_with("is invalid", "tokenizer", R"({"kind":"syllable","lowercase":false})"));
  EXPECT_TRUE(refused_with("\"lowercase\" is not true or false", "tokenizer", R"({"kind":"byte","lowercase":0})"));
}

TEST_F(ModelFileTest, RefusesAnInvalidTrainingRecord) {
  EXPECT_TRUE(refused_with("option \"state\" is \"sideways\"", "training",
                           R"({"options":{"state":"sideways"},"complete":true})"));
  EXPECT_TRUE(refused_with("option \"lr\" is not a string", "training", R"({"options":{"lr":1},"complete":true})"));
  EXPECT_TRUE(refused_with("\"options\" is not an object", "training", R"({"options":[],"complete":true})"));
  EXPECT_TRUE(refused_with("\"complete\" is not true or false", "training", R"({"options":{},"complete":1})"));
  EXPECT_TRUE(refused_with("\"history\" is not an array", "history", "{}"));
  EXPECT_TRUE(refused_with("\"history\" is not a JSON object", "history", "[1]"));
  EXPECT_TRUE(refused_with("lacks \"lr\"", "history", R"([{"step":1,"tokens":1,"nats_per_token":1}])"));
  EXPECT_TRUE(refused_with("\"step\" is not a whole number", "history",
                           R"([{"step":-1,"tokens":1,"nats_per_token":1,"lr":1}])"));
  EXPECT_TRUE(refused_with("\"nats_per_token\" is not a number", "history",
                           R"([{"step":1,"tokens":1,"nats_per_token":null,"lr":1}])"));
}

TEST_F(ModelFileTest, DoesNotSaveNumbersThatJsonCannotHold) {
  const std::string before = bytes_of(path());
  TrainingRecord training = record();
  training.history[1].nats_per_token = std::nan("");
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "not finite",
                         [&] { save_model(path(), config_, tokenizer_, training, parameters_); }));
  EXPECT_EQ(bytes_of(path()), before);
}

TEST_F(ModelFileTest, StaysWholeWhenTheDiskIsFull) {
  const std::string before = bytes_of(path());
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small{before.size() - 1, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto error = error_of([&] { save_model(path(), config_, tokenizer_, record(), parameters_); });
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kFile);
  EXPECT_EQ(bytes_of(path()), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(ModelFileTest, ReadsALongHistoryInLinearTime) {
  // A parser that searches the whole array for each point would need minutes here.
  TrainingRecord training;
  for (std::int64_t step = 1; step <= 200'000; ++step) training.history.push_back({step, step, 1.5, 0.25, {}});
  save_model(path(), config_, tokenizer_, training, parameters_);
  EXPECT_EQ(Model::load(path()).training().history.size(), 200'000U);
}

}  // namespace
}  // namespace unroll
