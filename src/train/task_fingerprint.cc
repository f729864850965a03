#include "train/task_fingerprint.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "unroll/fnv1a.h"

namespace unroll {
namespace {

// A hash of numbers: enough to tell one set of texts from another.
class Fingerprint {
 public:
  void add(std::uint64_t number) { hash_ = fnv1a(hash_, number); }
  template <class T>
  void add_all(const std::vector<T>& numbers) {
    for (const T number : numbers) add(static_cast<std::uint64_t>(static_cast<std::int64_t>(number)));
    add(numbers.size());
  }
  // By their bits.
  void add_floats(const std::vector<float>& numbers) {
    for (const float number : numbers) add(std::bit_cast<std::uint32_t>(number));
  }
  void add(const Examples& examples) {
    add_all(examples.starts);
    add_all(examples.ids);
    add_all(examples.labels);
    add_all(examples.sets);
    add_all(examples.words.characters);
    for (const float weight : examples.weights) add(static_cast<std::uint64_t>(static_cast<double>(weight) * 1e6));
    add_floats(examples.numbers);
    add_floats(examples.wanted);
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return hash_; }

 private:
  std::uint64_t hash_ = kFnv1aStart;
};

}  // namespace

std::string task_fingerprint(const TaskText& task) {
  Fingerprint print;
  for (const std::string& label : task.task.labels) print.add_all(std::vector<char>(label.begin(), label.end()));
  print.add(task.train);
  print.add(task.valid);
  return fmt::format("{:016x}, {} + {} texts", print.value(), task.train.count(), task.valid.count());
}

}  // namespace unroll
