// Compares the cells with numbers published in the unit tests of other projects.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "support/recurrent_layer.h"

namespace unroll {
namespace {

using Json = nlohmann::json;
using Numbers = std::vector<double>;

Json published_vectors() {
  std::ifstream file(UNROLL_TEST_FIXTURES "/published_vectors.json");
  return Json::parse(file).at("vectors");
}

std::vector<std::string> our_gate_order(Cell cell) {
  switch (cell) {
    case Cell::kRnnTanh:
    case Cell::kRnnRelu:
      return {"new"};
    case Cell::kLstm:
      return {"input", "forget", "cell", "output"};
    case Cell::kGru:
    case Cell::kGruResetBefore:
      return {"reset", "update", "new"};
    case Cell::kMinGru:
    case Cell::kMinLstm:
      break;  // not published
  }
  return {};
}

// Blocks of one gate each, from the entry's order to ours.
Numbers in_our_order(const Json& entry, Cell cell, const char* tensor) {
  const auto theirs = entry.at("gate_order").get<std::vector<std::string>>();
  const auto values = entry.at(tensor).get<Numbers>();
  const std::size_t block = values.size() / theirs.size();
  Numbers ours;
  for (const std::string& gate : our_gate_order(cell)) {
    const auto at = std::find(theirs.begin(), theirs.end(), gate) - theirs.begin();
    const auto first = values.begin() + at * static_cast<std::ptrdiff_t>(block);
    ours.insert(ours.end(), first, first + static_cast<std::ptrdiff_t>(block));
  }
  return ours;
}

// An entry's inputs in the order of layer_slices.
Numbers layer_values(const Json& entry, Cell cell) {
  Numbers all;
  const auto append = [&all](const Numbers& numbers) { all.insert(all.end(), numbers.begin(), numbers.end()); };
  for (const char* tensor : {"U", "W", "b_input", "b_hidden"}) append(in_our_order(entry, cell, tensor));
  append(entry.at("x").get<Numbers>());
  append(entry.at("h_before").get<Numbers>());
  if (has_cell_state(cell)) append(entry.at("c_before").get<Numbers>());
  return all;
}

RecurrentPoint point_of(const Json& entry, const Numbers& values) {
  const auto size = [&entry](const char* name) { return entry.at(name).get<std::int64_t>(); };
  const Cell cell = parse_cell(entry.at("cell").get<std::string>());
  RecurrentPoint point{cell, {size("steps"), size("rows"), size("inputs"), size("units")}, {}, {}, {}, {}, {}, {}};
  point.slices = layer_slices(cell, point.shape);
  for (const double value : values) point.values.push_back(static_cast<float>(value));
  return point;
}

double largest_difference(const Numbers& actual, const Numbers& expected) {
  if (actual.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::fabs(actual[i] - expected[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

Numbers last_of(const Numbers& all, std::size_t count) {
  return {all.end() - static_cast<std::ptrdiff_t>(std::min(count, all.size())), all.end()};
}

// Every output that the entry has: all h, the last h, the last c.
void expect_published_outputs(const Json& entry, const Numbers& h, const Numbers& c) {
  const auto tolerance = entry.at("tolerance").get<double>();
  const std::size_t states = entry.at("rows").get<std::size_t>() * entry.at("units").get<std::size_t>();
  const std::map<std::string, Numbers> outputs = {
      {"h", h}, {"h_last", last_of(h, states)}, {"c_last", last_of(c, states)}};
  int compared = 0;
  for (const auto& [name, values] : outputs) {
    if (!entry.contains(name)) continue;
    EXPECT_LE(largest_difference(values, entry.at(name).get<Numbers>()), tolerance) << name;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

TEST(PublishedVectors, CoverEveryGatedCellAndTheSimpleOneFromThreeProjects) {
  std::map<std::string, int> cells;
  std::map<std::string, int> sources;
  for (const Json& entry : published_vectors()) {
    ++cells[entry.at("cell").get<std::string>()];
    ++sources[entry.at("source").get<std::string>()];
  }
  EXPECT_EQ(cells, (std::map<std::string, int>{{"gru", 2}, {"gru-reset-before", 4}, {"lstm", 5}, {"rnn-tanh", 2}}));
  EXPECT_EQ(sources.size(), 3U);
}

TEST(PublishedVectors, MatchTheReference) {
  for (const Json& entry : published_vectors()) {
    SCOPED_TRACE(entry.at("name").get<std::string>());
    const Numbers values = layer_values(entry, parse_cell(entry.at("cell").get<std::string>()));
    const RecurrentPoint point = point_of(entry, values);
    const ReferenceRun<double> run(point, std::span<const double>(values));
    expect_published_outputs(entry, run.tape.h.values, run.tape.c.values);
  }
}

TEST(PublishedVectors, MatchTheFastLayers) {
  Workers workers(2);
  for (const Json& entry : published_vectors()) {
    SCOPED_TRACE(entry.at("name").get<std::string>());
    const RecurrentPoint point = point_of(entry, layer_values(entry, parse_cell(entry.at("cell").get<std::string>())));
    LayerRun run(point, workers);
    run.forward();
    const std::vector<float> h = run.outputs();
    const std::vector<float> c = run.cells();
    expect_published_outputs(entry, {h.begin(), h.end()}, {c.begin(), c.end()});
  }
}

// The two positions of the reset gate differ if the state and b' are not zero: the vectors distinguish them.
TEST(PublishedVectors, DistinguishThePositionsOfTheResetGate) {
  int told_apart = 0;
  for (const Json& entry : published_vectors()) {
    const Cell cell = parse_cell(entry.at("cell").get<std::string>());
    if (cell != Cell::kGru && cell != Cell::kGruResetBefore) continue;
    const Numbers values = layer_values(entry, cell);
    RecurrentPoint point = point_of(entry, values);
    point.cell = cell == Cell::kGru ? Cell::kGruResetBefore : Cell::kGru;
    const ReferenceRun<double> run(point, std::span<const double>(values));
    const auto h_last = entry.at("h_last").get<Numbers>();
    if (largest_difference(last_of(run.tape.h.values, h_last.size()), h_last) >
        10 * entry.at("tolerance").get<double>())
      ++told_apart;
  }
  EXPECT_GE(told_apart, 4);
}

}  // namespace
}  // namespace unroll
