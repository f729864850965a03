#include "cli/verbs/eval_pairs.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/streams/escaped.h"
#include "cli/streams/quantities.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/suites/minimal_pairs.h"
#include "unroll/suites/syntax_suite.h"

namespace unroll {
namespace {

using Object = nlohmann::ordered_json;

// Pairs or items of one kind, counted.
struct Group {
  std::string name;
  std::string phenomenon;
  Proportion all;
  Proportion known;  // of those without unknown words
  std::int64_t ties = 0;
  bool suite = false;

  void count(bool correct, bool tie, bool unknown) {
    all.count(correct);
    if (!unknown) known.count(correct);
    ties += tie ? 1 : 0;
  }
  void add(const Group& other) {
    all.hits += other.all.hits;
    all.of += other.all.of;
    known.hits += other.known.hits;
    known.of += other.known.of;
    ties += other.ties;
  }
};

Group& group_of(std::vector<Group>& groups, const std::string& name, const std::string& phenomenon) {
  const auto found = std::ranges::find_if(
      groups, [&](const Group& group) { return group.name == name && group.phenomenon == phenomenon; });
  if (found != groups.end()) return *found;
  Group& group = groups.emplace_back();
  group.name = name;
  group.phenomenon = phenomenon;
  return group;
}

bool is_suite(const std::string& path) { return path.ends_with(".json") || path.ends_with(".json.gz"); }

bool is_known(const std::string& path) {
  constexpr std::array<std::string_view, 6> kEnds{".jsonl", ".jsonl.gz", ".tsv", ".tsv.gz", ".json", ".json.gz"};
  return std::ranges::any_of(kEnds, [&](std::string_view end) { return path.ends_with(end); });
}

std::vector<std::string> files_of(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return {path};
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
    if (is_known(entry.path().string())) files.push_back(entry.path().string());
  }
  if (files.empty()) {
    throw Error(ErrorCode::kFile, fmt::format("'{}' has no file that ends in .jsonl, .tsv or .json", path));
  }
  std::ranges::sort(files);
  return files;
}

class PairResults {
 public:
  PairResults(const PairsCommand& command, const Model& model, Terminal& terminal, Output& out)
      : command_(command), model_(model), terminal_(terminal), out_(out) {}

  void run() {
    for (const std::string& path : files_of(command_.path)) {
      if (is_suite(path)) {
        score_items(read_syntax_suite(path));
      } else {
        score_pairs_of(read_minimal_pairs(path));
      }
    }
    terminal_.keep_live();
    if (command_.json) {
      out_.write(json_line(as_object()));
    } else {
      if (command_.items) out_.write("\n");
      print_table();
    }
  }

 private:
  void score_pairs_of(const std::vector<MinimalPair>& pairs) {
    PairOptions options{.end = command_.end, .threads = command_.threads, .progress = progress(pairs.front().paradigm)};
    const std::vector<PairScore> scores = score_pairs(model_, pairs, options);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const PairScore& score = scores[i];
      group_of(groups_, pairs[i].paradigm, pairs[i].phenomenon).count(score.correct(), score.tie(), score.unknown());
      if (command_.items) add_pair(pairs[i], score);
    }
  }

  void score_items(const SyntaxSuite& suite) {
    const std::vector<ItemScore> scores =
        score_suite(model_, suite, {.threads = command_.threads, .progress = progress(suite.name)});
    Group& group = group_of(groups_, suite.name, "");
    group.suite = true;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      group.count(scores[i].correct(), false, scores[i].unknown_tokens > 0);
      if (command_.items) add_item(suite, suite.items[i], scores[i]);
    }
  }

  std::function<void(std::int64_t, std::int64_t)> progress(const std::string& name) {
    return [this, name](std::int64_t done, std::int64_t total) {
      if (terminal_.live_due()) terminal_.live(fmt::format("{}  {}%", name, 100 * done / total));
    };
  }

  void add_pair(const MinimalPair& pair, const PairScore& score) {
    if (!command_.json) {
      if (std::exchange(first_item_, false)) {
        out_.write("# columns: paradigm correct log_prob_good log_prob_bad unknown_good unknown_bad good bad\n");
      }
      out_.write(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", escaped(pair.paradigm),
                             score.tie()       ? "tie"
                             : score.correct() ? "yes"
                                               : "no",
                             score.good.log_prob, score.bad.log_prob, score.good.unknown_tokens,
                             score.bad.unknown_tokens, escaped(pair.good), escaped(pair.bad)));
      return;
    }
    items_.push_back({{"paradigm", pair.paradigm},
                      {"good", pair.good},
                      {"bad", pair.bad},
                      {"log_prob_good", score.good.log_prob},
                      {"log_prob_bad", score.bad.log_prob},
                      {"unknown_good", score.good.unknown_tokens},
                      {"unknown_bad", score.bad.unknown_tokens},
                      {"correct", score.correct()},
                      {"tie", score.tie()}});
  }

  void add_item(const SyntaxSuite& suite, const SuiteItem& item, const ItemScore& score) {
    if (!command_.json) {
      if (std::exchange(first_item_, false)) {
        out_.write("# columns: suite item correct unknown, then yes or no for each prediction\n");
      }
      std::string row = fmt::format("{}\t{}\t{}\t{}", escaped(suite.name), item.number, score.correct() ? "yes" : "no",
                                    score.unknown_tokens);
      for (const bool holds : score.predictions) row += holds ? "\tyes" : "\tno";
      out_.write(row + "\n");
      return;
    }
    Object entry{{"suite", suite.name}, {"item", item.number}, {"correct", score.correct()}};
    entry["unknown"] = score.unknown_tokens;
    entry["predictions"] = score.predictions;
    entry["metric"] = region_metric_name(suite.metric);  // of the surprisals
    for (const auto& [place, bits] : score.surprisals) {
      entry["surprisals_bits"][place.first][std::to_string(place.second)] = bits;
    }
    items_.push_back(std::move(entry));
  }

  // The groups of each phenomenon that has more than one, and all of them, added up.
  [[nodiscard]] std::vector<Group> sums() const {
    std::vector<Group> phenomena;
    Group all;
    all.name = "overall";
    for (const Group& group : groups_) {
      all.add(group);
      if (!group.phenomenon.empty()) group_of(phenomena, group.phenomenon, "").add(group);
    }
    phenomena.push_back(all);
    return phenomena;
  }

  [[nodiscard]] std::string policy() const {
    const Tokenizer& tokenizer = model_.tokenizer();
    const bool end = command_.end && tokenizer.boundary() >= 0;
    std::string_view unknown = "scored as <unk>";
    if (tokenizer.unknown() < 0) unknown = tokenizer.kind() == TokenizerKind::kByte ? "none" : "refused";
    return fmt::format("each sentence by itself, its end {}; {}unknown words {}; precision {}",
                       end ? "included (in suites not)" : "not scored",
                       model_.begin_policy() == BeginPolicy::kNone ? "the first token is given; " : "", unknown,
                       precision_name(model_.precision()));
  }

  static Object object_of(const Group& group) {
    return {{"name", group.name},
            {"items", group.all.of},
            {"correct", group.all.hits},
            {"accuracy", group.all.share()},
            {"low", group.all.low()},
            {"high", group.all.high()},
            {"ties", group.ties},
            {"with_unknown", group.all.of - group.known.of},
            {"accuracy_without_unknown", group.known.of > 0 ? Object(group.known.share()) : Object()}};
  }

  [[nodiscard]] Object as_object() const {
    Object object{{"policy", policy()}, {"interval", "95%, Wilson"}};
    for (const char* list : {"paradigms", "suites", "phenomena"}) object[list] = Object::array();
    for (const Group& group : groups_) {
      Object entry = object_of(group);
      if (!group.phenomenon.empty()) entry["phenomenon"] = group.phenomenon;
      object[group.suite ? "suites" : "paradigms"].push_back(std::move(entry));
    }
    const std::vector<Group> sums = this->sums();
    for (std::size_t i = 0; i + 1 < sums.size(); ++i) object["phenomena"].push_back(object_of(sums[i]));
    object["overall"] = object_of(sums.back());
    if (command_.items) object["items"] = items_;
    return object;
  }

  void print_row(const Group& group, std::size_t width) {
    const auto percent = [](double share) { return 100 * share; };
    const std::string known = group.known.of > 0 ? fmt::format("{:.1f}%", percent(group.known.share())) : "-";
    out_.write(fmt::format("{:<{}}  {:>7}  {:>6.1f}%  {:>5.1f} to {:>5.1f}  {:>6}  {:>12}  {:>8}\n",
                           escaped(group.name), width, grouped(group.all.of), percent(group.all.share()),
                           percent(group.all.low()), percent(group.all.high()), grouped(group.ties),
                           grouped(group.all.of - group.known.of), known));
  }

  void print_table() {
    std::size_t width = std::string_view("paradigm or suite").size();
    for (const Group& group : groups_) width = std::max(width, escaped(group.name).size());
    const std::vector<Group> sums = this->sums();
    for (const Group& group : sums) width = std::max(width, escaped(group.name).size());
    out_.write(fmt::format("# policy: {}\n", policy()));
    out_.write("# correct: the acceptable sentence is the more probable one (ties are not), or all predictions hold\n");
    out_.write("# without: correct of those without unknown words\n");
    out_.write(fmt::format("{:<{}}  {:>7}  {:>7}  {:>14}  {:>6}  {:>12}  {:>8}\n", "paradigm or suite", width, "items",
                           "correct", "95% interval", "ties", "with unknown", "without"));
    for (const Group& group : groups_) print_row(group, width);
    if (groups_.size() == 1) return;
    out_.write("\n");
    for (const Group& group : sums) print_row(group, width);
  }

  const PairsCommand& command_;
  const Model& model_;
  Terminal& terminal_;
  Output& out_;
  std::vector<Group> groups_;
  Object items_ = Object::array();
  bool first_item_ = true;
};

}  // namespace

void evaluate_pairs(const PairsCommand& command, const Model& model, Terminal& terminal, Output& out) {
  PairResults(command, model, terminal, out).run();
}

}  // namespace unroll
