#include "exchange/torch_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "checkpoints/read_checkpoint.h"
#include "support/pickle_writer.h"
#include "support/temporary_folder.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A tensor whose numbers count up from `first`.
TorchTensor counted(const std::string& key, const std::vector<std::int64_t>& shape, float first = 1) {
  std::int64_t size = 1;
  for (const std::int64_t length : shape) size *= length;
  std::vector<float> numbers(static_cast<std::size_t>(size));
  std::iota(numbers.begin(), numbers.end(), first);
  return {.key = key, .shape = shape, .numbers = numbers};
}

using NamedTensors = std::vector<std::pair<std::string, TorchTensor>>;

// The tensors of a module with one recurrent layer of `gates` gates; V 3, E 2, H 2.
NamedTensors small_network(std::int64_t gates = 4, const std::string& recurrent = "rnn") {
  return {{"encoder.weight", counted("0", {3, 2})},
          {recurrent + ".weight_ih_l0", counted("1", {gates * 2, 2})},
          {recurrent + ".weight_hh_l0", counted("2", {gates * 2, 2})},
          {recurrent + ".bias_ih_l0", counted("3", {gates * 2})},
          {recurrent + ".bias_hh_l0", counted("4", {gates * 2})},
          {"decoder.weight", counted("5", {3, 2}, 10)},
          {"decoder.bias", counted("6", {3})}};
}

std::string state_dict(const NamedTensors& tensors) {
  std::vector<std::pair<std::string, std::string>> items;
  for (const auto& [name, tensor] : tensors) items.emplace_back(name, tensor.pickled());
  return pickle::dict(items);
}

std::string file_of(const std::string& object, const NamedTensors& tensors) {
  std::vector<TorchTensor> storages;
  for (const auto& [name, tensor] : tensors) storages.push_back(tensor);
  return zip_of(torch_parts(object, storages));
}

FoundNetwork found_in(const std::string& bytes) {
  const TemporaryFolder folder;
  write_bytes(folder.path("x.pt"), bytes);
  return find_torch_network(read_checkpoint(folder.path("x.pt")));
}

FoundNetwork found_in(const NamedTensors& tensors) { return found_in(file_of(state_dict(tensors), tensors)); }

std::string network_refusal(const std::string& bytes) {
  try {
    static_cast<void>(found_in(bytes));
    return "";
  } catch (const Error& error) {
    return error.code() == ErrorCode::kFormat ? error.what() : "another code";
  }
}

std::string network_refusal(const NamedTensors& tensors) {
  return network_refusal(file_of(state_dict(tensors), tensors));
}

// A module: a class, its parameters, its children.
using Parts = std::vector<std::pair<std::string, std::string>>;

std::string module_of(const std::string& package, const std::string& name, const Parts& parameters,
                      const Parts& children, Parts attributes = {}) {
  attributes.emplace_back("_parameters", pickle::dict(parameters));
  attributes.emplace_back("_modules", pickle::dict(children));
  return pickle::object(pickle::name(package, name), pickle::dict(attributes));
}

Parts parameters_of(const NamedTensors& tensors, const std::string& prefix) {
  Parts parts;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) parts.emplace_back(name.substr(prefix.size()), tensor.pickled());
  }
  return parts;
}

// The network of `tensors` as a whole module.
std::string whole_module(const NamedTensors& tensors, const std::string& mode, const Parts& more = {}) {
  Parts children{{"drop", module_of("torch.nn.modules.dropout", "Dropout", {}, {})},
                 {"encoder", module_of("torch.nn.modules.sparse", "Embedding", parameters_of(tensors, "encoder."), {})},
                 {"rnn", module_of("torch.nn.modules.rnn", "LSTM", parameters_of(tensors, "rnn."), {},
                                   {{"mode", pickle::text(mode)}})},
                 {"decoder", module_of("torch.nn.modules.linear", "Linear", parameters_of(tensors, "decoder."), {})}};
  children.insert(children.end(), more.begin(), more.end());
  return module_of("model", "RNNModel", {}, children);
}

TEST(TorchNetwork, StateDictsAreFoundByNamesAndShapes) {
  for (const auto& [gates, cell] :
       {std::pair{4, Cell::kLstm}, std::pair{3, Cell::kGru}, std::pair{1, Cell::kRnnTanh}}) {
    const FoundNetwork network = found_in(small_network(gates, "recurrent_module"));
    EXPECT_EQ(network.cell, cell);
    EXPECT_THAT(network.encoder.matrix.numbers, ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_THAT(network.decoder.matrix.numbers, ElementsAre(10, 11, 12, 13, 14, 15));
    EXPECT_EQ(network.layers.front().weight_ih.source,
              "recurrent_module.weight_ih_l0 [" + std::to_string(2 * gates) + ", 2] float32");
    EXPECT_EQ(network.notes.size(), gates == 1 ? 1U : 0U);
  }
}

TEST(TorchNetwork, TrainingCheckpointsAndWrappedNamesAreFound) {
  NamedTensors tensors = small_network();
  for (auto& [name, tensor] : tensors) name = "module." + name;
  const std::string moments = pickle::dict({{"exp_avg", counted("9", {3, 2}).pickled()}});
  NamedTensors storages = tensors;
  storages.emplace_back("", counted("9", {3, 2}));
  const std::string checkpoint =
      pickle::dict({{"epoch", pickle::whole(3)}, {"optimizer", moments}, {"model", state_dict(tensors)}});
  EXPECT_EQ(found_in(file_of(checkpoint, storages)).symbols(), 3);
}

TEST(TorchNetwork, WholeModulesAreFoundByTheirClasses) {
  const NamedTensors tensors = small_network();
  EXPECT_EQ(found_in(file_of(whole_module(tensors, "LSTM"), tensors)).cell, Cell::kLstm);
  const NamedTensors simple = small_network(1);
  EXPECT_EQ(found_in(file_of(whole_module(simple, "RNN_RELU"), simple)).cell, Cell::kRnnRelu);
  const std::string wrapped =
      module_of("torch.nn.parallel.data_parallel", "DataParallel", {}, {{"module", whole_module(tensors, "LSTM")}});
  EXPECT_EQ(found_in(file_of(wrapped, tensors)).symbols(), 3);
  EXPECT_EQ(found_in(legacy_torch(whole_module(simple, "RNN_TANH"),
                                  [&] {
                                    std::vector<TorchTensor> storages;
                                    for (const auto& [name, tensor] : simple) storages.push_back(tensor);
                                    return storages;
                                  }()))
                .cell,
            Cell::kRnnTanh);
}

TEST(TorchNetwork, RowsOfAnEmbeddingAreAsLongAsMaxNormAllows) {
  // Rows (1, 2), (3, 4), (5, 6).
  const auto with = [](NamedTensors tensors, const Parts& attributes) {
    Parts embedding{parameters_of(tensors, "encoder.")};
    const std::string encoder = module_of("torch.nn.modules.sparse", "Embedding", embedding, {}, attributes);
    return file_of(
        module_of(
            "model", "Net", {},
            {{"encoder", encoder},
             {"rnn", module_of("torch.nn.modules.rnn", "LSTM", parameters_of(tensors, "rnn."), {})},
             {"decoder", module_of("torch.nn.modules.linear", "Linear", parameters_of(tensors, "decoder."), {})}}),
        tensors);
  };
  const auto rows = [&](const Parts& attributes) {
    return found_in(with(small_network(), attributes)).encoder.matrix.numbers;
  };
  const auto near = [](float number) { return testing::FloatNear(number, 1e-6F); };
  EXPECT_THAT(rows({{"max_norm", pickle::none()}, {"norm_type", pickle::real(2)}}), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(rows({{"max_norm", pickle::real(5)}, {"norm_type", pickle::real(2)}}),
              ElementsAre(1, 2, 3, 4, near(5 * 5 / std::sqrt(61.F)), near(6 * 5 / std::sqrt(61.F))));
  EXPECT_THAT(rows({{"max_norm", pickle::whole(7)}, {"norm_type", pickle::whole(1)}}),
              ElementsAre(1, 2, 3, 4, near(5 * 7 / 11.F), near(6 * 7 / 11.F)));
  EXPECT_THAT(rows({{"max_norm", pickle::real(3)}, {"norm_type", pickle::real(INFINITY)}}),
              ElementsAre(1, 2, near(3 * 3 / 4.F), near(3), near(5 * 3 / 6.F), near(3)));
  const Parts two{{"max_norm", pickle::real(2)}};
  EXPECT_THAT(found_in(with(small_network(), two)).notes, testing::Contains(HasSubstr("3 of 3 rows")));
  EXPECT_THAT(network_refusal(with(small_network(), {{"max_norm", pickle::real(2)}, {"norm_type", pickle::real(-1)}})),
              HasSubstr("norm_type -1"));
  NamedTensors tied = small_network();
  tied[5].second.numbers = tied[0].second.numbers;
  EXPECT_THAT(network_refusal(with(tied, two)), HasSubstr("shares its rows"));
  EXPECT_EQ(network_refusal(with(tied, {{"max_norm", pickle::real(9)}})), "");
}

TEST(TorchNetwork, SettingsOfACheckpointNameTheFunctionOfItsUnits) {
  const NamedTensors tensors = small_network(1);
  const std::string settings = pickle::dict({{"rnn_type", pickle::text("RNN_RELU")}});
  const std::string checkpoint = pickle::dict({{"args", settings}, {"state_dict", state_dict(tensors)}});
  EXPECT_EQ(found_in(file_of(checkpoint, tensors)).cell, Cell::kRnnRelu);
}

TEST(TorchNetwork, TiedWeightsAreFoundInEachForm) {
  NamedTensors equal = small_network();
  equal[5].second.numbers = equal[0].second.numbers;
  EXPECT_EQ(found_in(equal).decoder.matrix.rows, 0);
  NamedTensors shared = small_network();
  shared[5].second = shared[0].second;
  EXPECT_EQ(found_in(file_of(state_dict(shared), small_network())).decoder.matrix.rows, 0);
  NamedTensors left_out = small_network();
  left_out.erase(left_out.begin() + 5);
  const FoundNetwork network = found_in(left_out);
  EXPECT_EQ(network.decoder.matrix.rows, 0);
  EXPECT_THAT(network.decoder_bias.matrix.numbers, ElementsAre(1, 2, 3));
}

TEST(TorchNetwork, TheRawWeightIsTakenFromAListOfLayers) {
  NamedTensors tensors = small_network();
  for (auto& [name, tensor] : tensors) {
    if (name.starts_with("rnn.")) name.replace(0, 4, "rnns.0.module.");
  }
  tensors.emplace_back("rnns.0.weight_hh_l0_raw", counted("7", {8, 2}, 100));
  for (const char* part : {"weight_ih_l0", "weight_hh_l0"}) {
    tensors.emplace_back(std::string("rnns.1.module.") + part, counted(part, {8, 2}));
  }
  const FoundNetwork network = found_in(tensors);
  ASSERT_EQ(network.layers.size(), 2U);
  EXPECT_EQ(network.layers[0].weight_hh.matrix.numbers.front(), 100);
  EXPECT_EQ(network.layers[1].weight_hh.matrix.numbers.front(), 1);
  EXPECT_TRUE(network.layers[1].bias_ih.matrix.numbers.empty());
}

TEST(TorchNetwork, OneHotInputsNeedNoEmbedding) {
  NamedTensors tensors = small_network();
  tensors.erase(tensors.begin());
  tensors[0].second = counted("1", {8, 3});
  EXPECT_EQ(found_in(tensors).encoder.matrix.rows, 0);
  tensors[0].second = counted("1", {8, 5});
  EXPECT_THAT(network_refusal(tensors), HasSubstr("reads 5 numbers at each step, and it predicts 3 symbols"));
}

TEST(TorchNetwork, WhatIsNoNetworkOfOursIsRefusedWithTheReason) {
  const auto with = [](const std::string& name, const std::vector<std::int64_t>& shape) {
    NamedTensors tensors = small_network();
    tensors.emplace_back(name, counted("x", shape));
    return network_refusal(tensors);
  };
  EXPECT_THAT(with("rnn.weight_ih_l0_reverse", {8, 2}), HasSubstr("both directions is not a language model"));
  EXPECT_THAT(with("rnn.weight_hr_l0", {1, 2}), HasSubstr("proj_size"));
  EXPECT_THAT(with("norm.weight", {2}), HasSubstr("have no place in a network"));
  EXPECT_THAT(with("fc2.weight", {3, 2}), HasSubstr("more linear layers than an output layer: decoder.weight, fc2"));
  EXPECT_EQ(with("embed.weight", {3, 2}), "");  // the numbers of the other one
  EXPECT_THAT(with("word_emb.weight", {4, 2}), HasSubstr("more than one embedding"));
  EXPECT_THAT(with("rnn.weight_ih_l1", {8, 2}), HasSubstr("level 1 of \"rnn\" lacks"));

  const auto alone = [](const NamedTensors& tensors) { return network_refusal(tensors); };
  EXPECT_THAT(alone({{"i2h.weight", counted("0", {2, 5})}, {"i2o.weight", counted("1", {3, 5})}}),
              HasSubstr("no cell of unroll"));
  EXPECT_THAT(alone({{"linear1.weight", counted("0", {2, 2})}}), HasSubstr("windows of fixed length"));
  EXPECT_THAT(alone({{"self_attn.in_proj_weight", counted("0", {2, 2})}}), HasSubstr("attention"));
  EXPECT_THAT(network_refusal(zip_of(torch_parts(pickle::whole(1), {}))), HasSubstr("holds no network: a integer"));

  const NamedTensors tensors = small_network();
  const Parts relu{{"act", module_of("torch.nn.modules.activation", "ReLU", {}, {})}};
  EXPECT_THAT(network_refusal(file_of(whole_module(tensors, "LSTM", relu), tensors)),
              HasSubstr("module \"act\" is a torch.nn.modules.activation.ReLU"));
  const Parts odd{{"act", module_of("torch.nn.modules", "Re\xEELU", {}, {})}};
  EXPECT_THAT(network_refusal(file_of(whole_module(tensors, "LSTM", odd), tensors)),
              HasSubstr("is a \"torch.nn.modules.Re\xEF\xBF\xBDLU\""));
}

TEST(TorchNetwork, ALossThatPredictsClustersFirstIsRefused) {
  NamedTensors tensors = small_network();
  const TorchTensor tails = counted("9", {2, 2});
  const std::string loss = module_of("splitcross", "SplitCrossEntropyLoss", {{"tail_vectors", tails.pickled()}}, {});
  const std::string object = pickle::list({whole_module(tensors, "LSTM"), loss});
  tensors.emplace_back("", tails);
  EXPECT_THAT(network_refusal(file_of(object, tensors)), HasSubstr("tail_vectors belongs to a softmax"));
}

TEST(TorchNetwork, ShapesThatDoNotFitAreRefused) {
  NamedTensors tensors = small_network();
  tensors[0].second = counted("0", {4, 2});
  EXPECT_THAT(network_refusal(tensors), HasSubstr("has the shape [4, 2]: expected [3, 2]"));
  tensors = small_network();
  tensors[3].second = counted("3", {7});
  EXPECT_THAT(network_refusal(tensors), HasSubstr("the bias of layer 1"));
  tensors = small_network();
  tensors[2].second = counted("2", {10, 2});
  EXPECT_THAT(network_refusal(tensors), HasSubstr("expected 4, 3 or 1 times as many rows as columns"));
}

TEST(TorchNetwork, NamesThatAreTwiceAndOtherTypesAreRefused) {
  NamedTensors tensors = small_network();
  tensors.push_back(tensors[0]);
  EXPECT_THAT(network_refusal(file_of(state_dict(tensors), small_network())), HasSubstr("is there twice"));
  tensors = small_network();
  tensors[0].second.type = "IntStorage";
  EXPECT_THAT(network_refusal(tensors), HasSubstr("is of int32: expected floating point"));
}

TEST(TorchNetwork, CallsOfOtherNamesStandBesideWeightsUnrun) {
  const NamedTensors tensors = small_network();
  const std::string system = pickle::call("os", "system", pickle::tuple({pickle::text("touch x")}));
  const std::string bound = pickle::call("builtins", "getattr", pickle::tuple({pickle::name("builtins", "object")}));
  const std::string object =
      pickle::list({whole_module(tensors, "LSTM"), system, pickle::dict({{"flatten_parameters", bound}})});
  EXPECT_EQ(found_in(file_of(object, tensors)).symbols(), 3);
}

}  // namespace
}  // namespace unroll
