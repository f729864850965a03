#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "model/model_file.h"
#include "network/network_tensors.h"
#include "support/foreign_files.h"
#include "support/pickle_writer.h"
#include "target.h"
#include "targets.h"
#include "unroll/import.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

constexpr std::size_t kNumbersOfStorage = 64;

// An archive of PyTorch around a pickle, with the checksums that it needs, and two storages of 64 numbers.
std::string archive_around(std::string_view pickle) {
  std::vector<float> numbers(kNumbersOfStorage);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 7) / 8.0F - 0.375F;
  std::vector<ZipPart> parts{{.name = "x/data.pkl", .bytes = std::string(pickle)}};
  for (const char* name : {"x/data/0", "x/data/1"}) parts.push_back({.name = name, .bytes = float_bytes(numbers)});
  return zip_of(parts);
}

// Arrays of NumPy of a network of three symbols, the first of which is given.
std::string arrays_around(std::string_view array) {
  std::vector<ZipPart> parts{{.name = "U.npy", .bytes = std::string(array)}};
  const std::string head = "{'descr': '<f4', 'fortran_order': False, 'shape': ";
  parts.push_back({.name = "V.npy", .bytes = npy_of(head + "(3, 1)}", float_bytes({1, 2, 3}))});
  parts.push_back({.name = "W.npy", .bytes = npy_of(head + "(1, 1)}", float_bytes({0.5F}))});
  return zip_of(parts);
}

// The path of the index of a checkpoint of TensorFlow of three symbols, whose last entry or whose block is given.
std::string bundle_around(std::string_view input, bool is_block) {
  const std::string numbers = float_bytes(std::vector<float>(8, 0.25F));
  const auto entry = [&](const std::vector<std::int64_t>& shape, std::size_t count) {
    return bundle::entry(shape, 0, numbers.substr(0, count * sizeof(float)));
  };
  const std::string sealed = std::string(input) + '\0';
  file_of(numbers, "bundle.data-00000-of-00001");
  return file_of(is_block ? bundle::index_around(sealed + number_bytes(bundle::checksum(sealed)))
                          : bundle::index({{"", bundle::header()},
                                           {"embedding", entry({3, 1}, 3)},
                                           {"rnn/cell_0/lstm_cell/bias", entry({4}, 4)},
                                           {"rnn/cell_0/lstm_cell/kernel", entry({2, 4}, 8)},
                                           {"softmax_w", std::string(input)}}),
                 "bundle.index");
}

void use_imported(const ImportedModel& imported) {
  expect(imported.tensors.size() == imported.model.tensors().size(), "each tensor has its source");
  const auto on_vector = [](const std::string& /*name*/, std::int64_t /*size*/, std::span<const float> vector) {
    expect(std::ranges::all_of(vector, [](float number) { return std::isfinite(number); }), "weights are finite");
  };
  for_each_tensor(
      imported.model.config(),
      [](const std::string& /*name*/, std::int64_t /*rows*/, std::int64_t /*cols*/, const WeightView& /*matrix*/) {},
      on_vector, imported.model.data().weights.view());
  const std::string& symbol = imported.model.tokenizer().symbol(0);
  expect(Scorer(imported.model, {.threads = 1}).score(symbol == "\n" ? "" : symbol).log_prob <= 0,
         "a probability is at most 1");
}

}  // namespace

// f: a file as it is; p: a pickle, in an archive around it; v: a vocabulary in JSON or a pickle, for three symbols; n:
// an array of NumPy among others; b, k: an entry of a checkpoint of TensorFlow, or the block of its entries.
std::string fuzz_import(std::string_view input) {
  const char choice = take_choice(input, "fpvnbk");
  if (choice == 'v') {
    const std::string network = file_of(
        archive_around(pickle::file(pickle::dict(
            {{"rnn.weight_ih_l0",
              TorchTensor{.key = "0", .shape = {1, 3}, .numbers = std::vector<float>(64)}.pickled()},
             {"rnn.weight_hh_l0",
              TorchTensor{.key = "0", .shape = {1, 1}, .numbers = std::vector<float>(64)}.pickled()},
             {"fc.weight", TorchTensor{.key = "0", .shape = {3, 1}, .numbers = std::vector<float>(64)}.pickled()},
             {"fc.bias", TorchTensor{.key = "0", .shape = {3}, .numbers = std::vector<float>(64)}.pickled()}}))),
        "network");
    const std::string vocabulary = file_of(input, "vocabulary");
    return refusal_of([&] { use_imported(import_model(network, {.vocab = vocabulary})); });
  }
  ImportOptions options;
  std::string path;
  if (choice == 'b' || choice == 'k') {
    path = bundle_around(input, choice == 'k');
    options.vocab = file_of(R"(["a", "b", "c"])", "vocabulary");
  } else {
    std::string bytes(input);
    if (choice == 'p') bytes = archive_around(input);
    if (choice == 'n') bytes = arrays_around(input);
    path = file_of(bytes, "checkpoint");
  }
  const std::string unread = refusal_of([&] {
    expect(find_invalid_utf8(describe_checkpoint(path)) == std::string_view::npos, "a description is UTF-8");
  });
  if (!unread.empty()) return unread;
  return refusal_of([&] { use_imported(import_model(path, options)); });
}

}  // namespace unroll
