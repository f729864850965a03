#include "checkpoints/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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

ForeignFile read_bytes(const std::string& bytes) {
  const TemporaryFolder folder;
  write_bytes(folder.path("x.pt"), bytes);
  return read_checkpoint(folder.path("x.pt"));
}

// The numbers of the tensor under a key of the dict that a file consists of.
std::vector<double> numbers_in(const std::string& bytes, const std::string& key) {
  const ForeignFile checkpoint = read_bytes(bytes);
  const ValueId id = checkpoint.values.find(checkpoint.root, key);
  if (!checkpoint.values.is(id, ValueKind::kTensor)) return {};
  return read_numbers(checkpoint.values, checkpoint.values.tensor(id), key);
}

std::string file_refusal(const std::string& bytes) {
  try {
    static_cast<void>(read_bytes(bytes));
    return "";
  } catch (const Error& error) {
    return error.code() == ErrorCode::kFormat ? error.what() : "another code";
  }
}

TorchTensor good() { return {.key = "0", .shape = {2, 2}, .numbers = {1, 2, 3, 4}}; }

std::string dict_of(const TorchTensor& tensor) { return pickle::dict({{"w", tensor.pickled()}}); }

std::string zip_refusal(const TorchTensor& tensor) {
  return file_refusal(zip_of(torch_parts(dict_of(tensor), {good()})));
}

std::string view_of(const std::string& key, std::int64_t offset, std::int64_t count) {
  return pickle::tuple({pickle::text(key), pickle::whole(offset), pickle::whole(count)});
}

TEST(TorchFile, TensorsOfArchivesAreReadThroughTheirViews) {
  EXPECT_THAT(numbers_in(zip_of(torch_parts(dict_of(good()), {good()})), "w"), ElementsAre(1, 2, 3, 4));
  TorchTensor row = good();
  row.shape = {2};
  row.offset = 1;
  row.strides = {2};
  EXPECT_THAT(numbers_in(zip_of(torch_parts(dict_of(row), {good()})), "w"), ElementsAre(2, 4));
}

TEST(TorchFile, NumbersOfABigEndianMachineAreSwapped) {
  std::vector<ZipPart> parts = torch_parts(dict_of(good()), {good()});
  std::string& numbers = parts[1].bytes;
  for (auto at = numbers.begin(); at != numbers.end(); at += 4) std::reverse(at, at + 4);
  parts.push_back({"archive/byteorder", "big"});
  EXPECT_THAT(numbers_in(zip_of(parts), "w"), ElementsAre(1, 2, 3, 4));
}

TEST(TorchFile, LegacyFilesAreReadWithViewsOfStorages) {
  EXPECT_THAT(numbers_in(legacy_torch(dict_of(good()), {good()}), "w"), ElementsAre(1, 2, 3, 4));
  TorchTensor part = good();
  part.shape = {2};
  part.view = view_of("1", 1, 3);
  part.offset = 1;
  EXPECT_THAT(numbers_in(legacy_torch(dict_of(part), {good()}), "w"), ElementsAre(3, 4));
}

TEST(TorchFile, SourceTextOfClassesIsKept) {
  const std::string id = pickle::tuple({pickle::text("module"), pickle::name("model", "RNN"), pickle::text("model.py"),
                                        pickle::text("class RNN:\n")}) +
                         "Q";
  const ForeignFile checkpoint = read_bytes(legacy_torch(pickle::object(id, pickle::dict({})), {}));
  ASSERT_EQ(checkpoint.sources.size(), 1U);
  EXPECT_EQ(checkpoint.sources[0].name, "model.RNN");
  EXPECT_EQ(checkpoint.sources[0].text, "class RNN:\n");
  EXPECT_EQ(checkpoint.values[checkpoint.root].text, "model.RNN");
}

TEST(TorchFile, TensorsThatContradictTheirStoragesAreRefused) {
  TorchTensor tensor = good();
  tensor.offset = 1;
  EXPECT_THAT(zip_refusal(tensor), HasSubstr("does not fit into its storage \"0\" of 4 numbers"));
  tensor = good();
  tensor.said = 5;
  EXPECT_THAT(zip_refusal(tensor), HasSubstr("has 16 bytes: expected 5 numbers of type float32"));
  tensor.said = std::int64_t{1} << 62;
  EXPECT_THAT(zip_refusal(tensor), HasSubstr("is said to have"));
  tensor = good();
  tensor.key = "1";
  EXPECT_THAT(zip_refusal(tensor), HasSubstr("storage \"1\" is missing"));
  tensor.key = "../../version";
  EXPECT_THAT(zip_refusal(tensor), HasSubstr("is missing"));
  tensor = good();
  tensor.type = "FancyStorage";
  EXPECT_THAT(zip_refusal(tensor), HasSubstr("\"torch.FancyStorage\""));
  tensor = good();
  tensor.shape = {std::int64_t{1} << 40, std::int64_t{1} << 40};
  tensor.strides = {0, 0};
  EXPECT_THAT(zip_refusal(tensor), HasSubstr("does not fit"));
  tensor.shape = {-2, 2};
  EXPECT_THAT(zip_refusal(tensor), HasSubstr("negative length"));
}

TEST(TorchFile, OneStorageWithTwoTypesIsRefused) {
  TorchTensor doubles = good();
  doubles.type = "DoubleStorage";
  doubles.shape = {2};
  doubles.said = 2;
  const std::string object = pickle::dict({{"w", good().pickled()}, {"v", doubles.pickled()}});
  EXPECT_THAT(file_refusal(zip_of(torch_parts(object, {good()}))),
              HasSubstr("has 4 numbers of type float32 in one place and 2 of type float64 in another"));
}

TEST(TorchFile, ArchivesThatLieAreRefused) {
  const std::vector<ZipPart> parts = torch_parts(dict_of(good()), {good()});
  EXPECT_EQ(file_refusal(zip_of(parts)), "");
  EXPECT_THAT(file_refusal(zip_of(parts, 1)), HasSubstr("says that it has 4 members"));
  EXPECT_THAT(file_refusal(zip_of(parts).substr(0, 200)), HasSubstr("no end: it is cut short"));
  EXPECT_THAT(file_refusal(zip_of(parts) + "x"), HasSubstr("ends before the file does"));
  EXPECT_THAT(file_refusal(zip_of(parts) + zip_of(parts)), HasSubstr("directory does not stand before its end"));

  std::vector<ZipPart> twice = parts;
  twice.push_back(parts[0]);
  EXPECT_THAT(file_refusal(zip_of(twice)), HasSubstr("two members archive/data.pkl"));
  twice.back().name = "other/data.pkl";
  EXPECT_THAT(file_refusal(zip_of(twice)), HasSubstr("more than one data.pkl"));
  twice.back().name = "other/version";
  EXPECT_THAT(file_refusal(zip_of(twice)), HasSubstr("is not in the folder"));

  std::vector<ZipPart> changed = parts;
  changed[1].method = 8;
  EXPECT_THAT(file_refusal(zip_of(changed)), HasSubstr("member archive/data/0: it is compressed"));
  changed = parts;
  changed[1].local_name = "archive/data/1";
  EXPECT_THAT(file_refusal(zip_of(changed)), HasSubstr("its own header calls it \"archive/data/1\""));
  changed = parts;
  changed[2].name = "archive/a\x1b[31m";
  EXPECT_THAT(file_refusal(zip_of(changed)), HasSubstr("expected one that can be printed"));
  std::string damaged = zip_of(parts);
  damaged[damaged.find(float_bytes({1, 2, 3, 4})) + 3] ^= 1;
  EXPECT_THAT(file_refusal(damaged), HasSubstr("member archive/data/0: it is damaged"));
}

TEST(TorchFile, LegacyFilesThatLieAreRefused) {
  TorchTensor tensor = good();
  EXPECT_THAT(file_refusal(legacy_torch(dict_of(tensor), {good()}, false)), HasSubstr("big-endian machine"));
  EXPECT_THAT(file_refusal(legacy_torch(dict_of(tensor), {})), HasSubstr("storage \"0\" is missing"));
  EXPECT_THAT(file_refusal(legacy_torch(dict_of(tensor), {good(), good()})), HasSubstr("storage \"0\" is there twice"));
  TorchTensor other = good();
  other.key = "1";
  EXPECT_THAT(file_refusal(legacy_torch(dict_of(tensor), {good(), other})), HasSubstr("nothing refers to storage"));
  EXPECT_THAT(file_refusal(legacy_torch(dict_of(tensor), {good()}) + "x"), HasSubstr("1 bytes follow"));
  tensor.said = -4;
  EXPECT_THAT(file_refusal(legacy_torch(dict_of(good()), {tensor})), "");
  for (const std::int64_t count : {std::int64_t{1} << 61, std::int64_t{3}}) {
    TorchTensor said = good();
    said.said = count;
    EXPECT_THAT(file_refusal(legacy_torch(dict_of(good()), {said})), HasSubstr("expected 4"));
    EXPECT_NE(file_refusal(legacy_torch(dict_of(said), {said})), "");
  }
  tensor = good();
  tensor.view = view_of("1", 2, 3);
  EXPECT_THAT(file_refusal(legacy_torch(dict_of(tensor), {good()})), HasSubstr("a view of storage"));
}

TEST(TorchFile, WhatIsNestedTooDeepIsRefusedByTheFilesName) {
  EXPECT_THAT(file_refusal("\x80\x02" + std::string(1000, ']') + std::string(999, 'a') + "."),
              HasSubstr("x.pt': values are nested more than 500 deep"));
}

TEST(TorchFile, ParametersOfTheirStateAreTensors) {
  const std::string parameter = pickle::name("torch.nn.parameter", "Parameter") + ")\x81" +
                                pickle::tuple({good().pickled(), "N", "N", "\x88", "\x89"}) + "b";
  EXPECT_THAT(numbers_in(zip_of(torch_parts(pickle::dict({{"w", parameter}}), {good()})), "w"),
              ElementsAre(1, 2, 3, 4));
}

// A member of a tar archive, with a header of which only what is read is there.
std::string tar_member(const std::string& name, const std::string& data) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  const std::string digits = "00000000000";
  std::string size;
  for (std::size_t rest = data.size(); rest > 0; rest /= 8)
    size.insert(size.begin(), static_cast<char>('0' + rest % 8));
  header.replace(124, 11, digits.substr(size.size()) + size);
  header[156] = '0';
  header.replace(257, 5, "ustar");
  return header + data + std::string((512 - data.size() % 512) % 512, '\0');
}

std::string torch_tar(std::int64_t count_of_storage, std::int64_t offset) {
  const std::string storages =
      pickle::file(pickle::whole(1)) +
      pickle::file(pickle::tuple({pickle::whole(7), pickle::text("cpu"), pickle::name("torch", "FloatStorage")})) +
      number_bytes(count_of_storage) + float_bytes({1, 2, 3, 4}) + pickle::file("]");
  const std::string tensors =
      pickle::file(pickle::whole(1)) +
      pickle::file(pickle::tuple({pickle::whole(9), pickle::whole(7), pickle::name("torch", "FloatTensor")})) +
      number_bytes(std::int64_t{1}) + number_bytes(std::int64_t{2}) + number_bytes(std::int64_t{2}) +
      number_bytes(offset);
  return tar_member("sys_info", pickle::file(pickle::dict({{"little_endian", "\x88"}}))) +
         tar_member("storages", storages) + tar_member("tensors", tensors) +
         tar_member("pickle", pickle::file(pickle::dict({{"w", pickle::text("9") + "Q"}}))) + std::string(1024, '\0');
}

TEST(TorchFile, TarArchivesAreRead) {
  EXPECT_THAT(numbers_in(torch_tar(4, 1), "w"), ElementsAre(2, 4));
  EXPECT_THAT(file_refusal(torch_tar(4, 2)), HasSubstr("does not fit"));
  EXPECT_THAT(file_refusal(torch_tar(std::int64_t{1} << 61, 1)), HasSubstr("is said to have"));
  EXPECT_THAT(file_refusal(torch_tar(4, 1).substr(0, 1024)), HasSubstr("a tar archive without storages"));
}

TEST(TorchFile, OtherFilesAreRefusedByTheirKind) {
  std::vector<ZipPart> script = torch_parts(dict_of(good()), {good()});
  script.push_back({"archive/constants.pkl", pickle::file(")")});
  EXPECT_THAT(file_refusal(zip_of(script)), HasSubstr("a TorchScript archive"));
  EXPECT_THAT(file_refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(file_refusal("\x89HDF\r\n\x1a\n rest"), HasSubstr("an HDF5 file (Keras)"));
  EXPECT_THAT(file_refusal(zip_of({{"a.txt", "x"}})), HasSubstr("not one of PyTorch"));
}

}  // namespace
}  // namespace unroll
