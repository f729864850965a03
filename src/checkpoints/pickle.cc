#include "checkpoints/pickle.h"

#include <fmt/core.h>

#include <charconv>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "checkpoints/byte_reader.h"
#include "checkpoints/pickle_calls.h"
#include "checkpoints/pickle_opcodes.h"
#include "checkpoints/pickle_text.h"

namespace unroll {
namespace {

constexpr std::int64_t kNewestProtocol = 5;
constexpr std::size_t kLongestName = 255;

class PickleMachine {
 public:
  PickleMachine(ValueGraph& graph, std::string_view bytes, const std::string& name, const PersistentIds& persistent)
      : graph_(graph), reader_(bytes, name), persistent_(persistent) {}

  Pickle run() {
    for (;;) {
      reader_.seek(reader_.at());
      if (reader_.left() == 0) reader_.refuse("it is cut short, or no pickle: it has no instruction that ends it");
      const PickleInstruction instruction = next_instruction(reader_);
      if (instruction.op == PickleOp::kStop) break;
      if (!run_scalar(instruction) && !run_container(instruction) && !run_memo(instruction)) run_call(instruction);
    }
    const ValueId root = pop();
    if (!stack_.empty() || !marks_.empty()) reader_.refuse("the pickle ends with more than one value");
    return {.root = root, .bytes = reader_.at()};
  }

 private:
  // Instructions that push a value, or change nothing. Returns false for others, as those below.
  bool run_scalar(const PickleInstruction& i) {
    switch (i.op) {
      case PickleOp::kProto:
        if (i.number > kNewestProtocol) reader_.refuse(fmt::format("the pickle has protocol {}", i.number));
        return true;
      case PickleOp::kFrame:
        return true;
      case PickleOp::kNone:
        return push(graph_.add_none());
      case PickleOp::kNewTrue:
        return push(graph_.add_bool(true));
      case PickleOp::kNewFalse:
        return push(graph_.add_bool(false));
      case PickleOp::kBinInt:
      case PickleOp::kBinInt1:
      case PickleOp::kBinInt2:
        return push(graph_.add_integer(i.number));
      case PickleOp::kInt:
        if (i.text == "00" || i.text == "01") return push(graph_.add_bool(i.text == "01"));
        return push(whole(i.text));
      case PickleOp::kLong:
        return push(whole(i.text));
      case PickleOp::kLong1:
      case PickleOp::kLong4:
        return push(add_long(graph_, i.text));
      case PickleOp::kFloat:
        return push(graph_.add_real(real(i.text)));
      case PickleOp::kBinFloat:
        return push(graph_.add_real(i.real));
      case PickleOp::kString:
        return push(graph_.add_string(checked(unquoted_python(i.text))));
      case PickleOp::kUnicode:
        return push(graph_.add_string(checked(raw_unicode(i.text))));
      case PickleOp::kBinString:
      case PickleOp::kShortBinString:
      case PickleOp::kBinUnicode:
      case PickleOp::kShortBinUnicode:
      case PickleOp::kBinUnicode8:
        return push(graph_.add_string(std::string(i.text)));
      case PickleOp::kBinBytes:
      case PickleOp::kShortBinBytes:
      case PickleOp::kBinBytes8:
        return push(graph_.add_text(ValueKind::kBytes, std::string(i.text)));
      default:
        return false;
    }
  }

  bool run_container(const PickleInstruction& i) {
    switch (i.op) {
      case PickleOp::kMark:
        marks_.push_back(stack_.size());
        return true;
      case PickleOp::kPop:
        // As in Python, a mark on top is what is popped.
        if (!marks_.empty() && marks_.back() == stack_.size()) {
          marks_.pop_back();
        } else {
          pop();
        }
        return true;
      case PickleOp::kPopMark:
        pop_to_mark();
        return true;
      case PickleOp::kDup:
        return push(top());
      case PickleOp::kEmptyList:
        return push(graph_.add_items(ValueKind::kList, {}));
      case PickleOp::kEmptyTuple:
        return push(graph_.add_items(ValueKind::kTuple, {}));
      case PickleOp::kEmptyDict:
        return push(graph_.add_items(ValueKind::kDict, {}));
      case PickleOp::kEmptySet:
        return push(graph_.add_items(ValueKind::kSet, {}));
      case PickleOp::kList:
        return push(graph_.add_items(ValueKind::kList, pop_to_mark()));
      case PickleOp::kTuple:
        return push(graph_.add_items(ValueKind::kTuple, pop_to_mark()));
      case PickleOp::kFrozenSet:
        return push(graph_.add_items(ValueKind::kSet, pop_to_mark()));
      case PickleOp::kDict:
        return push(graph_.add_items(ValueKind::kDict, pairs(pop_to_mark())));
      case PickleOp::kTuple1:
        return push(graph_.add_items(ValueKind::kTuple, pop_many(1)));
      case PickleOp::kTuple2:
        return push(graph_.add_items(ValueKind::kTuple, pop_many(2)));
      case PickleOp::kTuple3:
        return push(graph_.add_items(ValueKind::kTuple, pop_many(3)));
      case PickleOp::kAppend:
        return append(pop_many(1), ValueKind::kList);
      case PickleOp::kAppends:
        return append(pop_to_mark(), ValueKind::kList);
      case PickleOp::kAddItems:
        return append(pop_to_mark(), ValueKind::kSet);
      case PickleOp::kSetItem:
        return append(pop_many(2), ValueKind::kDict);
      case PickleOp::kSetItems:
        return append(pairs(pop_to_mark()), ValueKind::kDict);
      default:
        return false;
    }
  }

  bool run_memo(const PickleInstruction& i) {
    switch (i.op) {
      case PickleOp::kGet:
      case PickleOp::kBinGet:
      case PickleOp::kLongBinGet: {
        const auto found = memo_.find(i.number);
        if (found == memo_.end()) reader_.refuse(fmt::format("nothing was stored in place {} of the memo", i.number));
        return push(found->second);
      }
      case PickleOp::kPut:
      case PickleOp::kBinPut:
      case PickleOp::kLongBinPut:
        return store(i.number);
      case PickleOp::kMemoize:
        return store(std::ssize(memo_));
      default:
        return false;
    }
  }

  void run_call(const PickleInstruction& i) {
    switch (i.op) {
      case PickleOp::kGlobal:
        push(named(i.text, i.second));
        return;
      case PickleOp::kStackGlobal: {
        const std::vector<ValueId> parts = pop_many(2);
        for (const ValueId part : parts) {
          if (!graph_.is(part, ValueKind::kString)) reader_.refuse("a name is not a string");
        }
        push(named(graph_[parts[0]].text, graph_[parts[1]].text));
        return;
      }
      case PickleOp::kReduce:
      case PickleOp::kNewObj: {
        const std::vector<ValueId> parts = pop_many(2);
        push(call(parts[0], parts[1]));
        return;
      }
      case PickleOp::kNewObjEx: {
        const std::vector<ValueId> parts = pop_many(3);
        push(call(parts[0], parts[1]));
        return;
      }
      case PickleOp::kInst: {
        const ValueId callee = named(i.text, i.second);
        push(call(callee, graph_.add_items(ValueKind::kTuple, pop_to_mark())));
        return;
      }
      case PickleOp::kObj: {
        std::vector<ValueId> parts = pop_to_mark();
        if (parts.empty()) reader_.refuse("an object has no class");
        const ValueId callee = parts.front();
        parts.erase(parts.begin());
        push(call(callee, graph_.add_items(ValueKind::kTuple, std::move(parts))));
        return;
      }
      case PickleOp::kBuild: {
        const ValueId state = pop();
        build(graph_, top(), state, reader_);
        return;
      }
      default:
        push(persistent(pop()));
    }
  }

  bool push(ValueId id) {
    stack_.push_back(id);
    return true;
  }

  ValueId top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) reader_.refuse("an instruction lacks a value");
    return stack_.back();
  }

  ValueId pop() {
    const ValueId id = top();
    stack_.pop_back();
    return id;
  }

  // The last values, in order.
  std::vector<ValueId> pop_many(std::size_t count) {
    const std::size_t first = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - first < count) reader_.refuse("an instruction lacks a value");
    return pop_from(stack_.size() - count);
  }

  std::vector<ValueId> pop_to_mark() {
    if (marks_.empty()) reader_.refuse("an instruction lacks a mark");
    const std::size_t first = marks_.back();
    marks_.pop_back();
    return pop_from(first);
  }

  std::vector<ValueId> pop_from(std::size_t first) {
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(first);
    std::vector<ValueId> values(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    return values;
  }

  std::vector<ValueId> pairs(std::vector<ValueId> values) {
    if (values.size() % 2 != 0) reader_.refuse("a dict has a key without a value");
    return values;
  }

  // Appends to what is on top: a value of this kind, or an object, which may have both elements and entries.
  bool append(const std::vector<ValueId>& values, ValueKind kind) {
    ValueId target = top();
    if (graph_.is(target, ValueKind::kObject)) {
      const ObjectItem place = kind == ValueKind::kDict ? kEntries : kElements;
      if (graph_[target].items[place] == kNoValue) {
        const ValueId made = graph_.add_items(kind, {});
        graph_[target].items[place] = made;
      }
      target = graph_[target].items[place];
    }
    const bool fits = graph_.is(target, kind) || (kind == ValueKind::kList && graph_.is(target, ValueKind::kSet));
    if (!fits) {
      reader_.refuse(fmt::format("something is put into a {}: expected a {}", value_kind_name(graph_[target].kind),
                                 value_kind_name(kind)));
    }
    std::vector<ValueId>& items = graph_[target].items;
    items.insert(items.end(), values.begin(), values.end());
    return true;
  }

  bool store(std::int64_t place) {
    const ValueId value = top();
    if (std::ssize(memo_) >= kMostValues) reader_.refuse("the memo of the pickle is too large");
    memo_[place] = value;
    return true;
  }

  ValueId named(std::string_view module, std::string_view name) {
    std::string text;
    if (module.size() + name.size() > kLongestName) reader_.refuse("a name is too long");
    budget_.take(module.size() + name.size(), reader_);
    text.append(module).append(".").append(name);
    return graph_.add_text(ValueKind::kName, std::move(text));
  }

  ValueId call(ValueId callee, ValueId arguments) {
    if (!graph_.is(arguments, ValueKind::kTuple)) reader_.refuse("arguments of a call are not a tuple");
    const Value& value = graph_[callee];
    const bool has_name = value.kind == ValueKind::kName || value.kind == ValueKind::kObject;
    const std::string name = has_name ? value.text : fmt::format("({})", value_kind_name(value.kind));
    return called(graph_, name, arguments, budget_, reader_);
  }

  ValueId persistent(ValueId id) {
    if (!persistent_) reader_.refuse("the pickle refers to what is not in the file, by a persistent id");
    return persistent_(id);
  }

  ValueId whole(std::string_view text) {
    const std::optional<std::int64_t> number = whole_python(text);
    if (!number) reader_.refuse(fmt::format("{} is not a whole number of 64 bits", quote(text)));
    return graph_.add_integer(*number);
  }

  double real(std::string_view text) {
    double number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size()) {
      reader_.refuse(fmt::format("{} is not a number", quote(text)));
    }
    return number;
  }

  std::string checked(std::optional<std::string> text) {
    if (!text) reader_.refuse("a string is not written as Python writes it");
    return *std::move(text);
  }

  ValueGraph& graph_;
  ByteReader reader_;
  const PersistentIds& persistent_;
  CopyBudget budget_;
  std::vector<ValueId> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::int64_t, ValueId> memo_;
};

}  // namespace

Pickle read_pickle(ValueGraph& graph, std::string_view bytes, const std::string& name,
                   const PersistentIds& persistent) {
  return PickleMachine(graph, bytes, name, persistent).run();
}

}  // namespace unroll
