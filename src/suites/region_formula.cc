#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/quote.h"
#include "unroll/error.h"
#include "unroll/suites/syntax_suite.h"

namespace unroll {

// A tree: leaves are numbers, inner nodes combine two of them.
struct RegionFormula::Node {
  enum class Kind { kRegion, kAllRegions, kNumber, kPlus, kMinus, kLess, kGreater, kEqual, kAnd, kOr };

  Kind kind = Kind::kNumber;
  double number = 0;
  std::int64_t region = 0;
  std::string condition;
  std::shared_ptr<const Node> left;
  std::shared_ptr<const Node> right;

  [[nodiscard]] bool is_statement() const noexcept {
    switch (kind) {
      case Kind::kLess:
      case Kind::kGreater:
      case Kind::kEqual:
      case Kind::kAnd:
      case Kind::kOr:
        return true;
      case Kind::kRegion:
      case Kind::kAllRegions:
      case Kind::kNumber:
      case Kind::kPlus:
      case Kind::kMinus:
        return false;
    }
    return false;
  }
};

// From the loosest operator to the tightest, one function each.
class FormulaParser {
 public:
  using Node = RegionFormula::Node;
  using Kind = Node::Kind;
  using Tree = std::shared_ptr<const Node>;

  explicit FormulaParser(const std::string& text) : text_(text) {}

  Tree parse() {
    Tree tree = statement();
    if (!at_end()) refuse("expected the end or an operator");
    if (!tree->is_statement()) refuse("expected a comparison: < > or =");
    return tree;
  }

 private:
  static constexpr int kDeepest = 64;
  static constexpr int kMostOperators = 1000;  // a tree of them may be as deep

  // & and | have one rank.
  Tree statement() {
    Tree tree = comparison();
    while (true) {
      const bool both = take('&');
      if (!both && !take('|')) return tree;
      const Tree right = comparison();
      if (!tree->is_statement() || !right->is_statement()) refuse("& and | are between comparisons");
      tree = joined(both ? Kind::kAnd : Kind::kOr, tree, right);
    }
  }

  Tree comparison() {
    Tree left = sum();
    for (const auto& [sign, kind] : {std::pair{'<', Kind::kLess}, {'>', Kind::kGreater}, {'=', Kind::kEqual}}) {
      if (!take(sign)) continue;
      const Tree right = sum();
      if (left->is_statement() || right->is_statement()) refuse("a comparison is between numbers");
      return joined(kind, left, right);
    }
    return left;
  }

  Tree sum() {
    Tree tree = operand();
    while (true) {
      const bool plus = take('+');
      if (!plus && !take('-')) return tree;
      const Tree right = operand();
      if (tree->is_statement() || right->is_statement()) refuse("a sum is of numbers");
      tree = joined(plus ? Kind::kPlus : Kind::kMinus, tree, right);
    }
  }

  Tree operand() {
    if (take('[')) return bracketed(']');
    if (take('(')) return is_region() ? region() : bracketed(')');
    return number();
  }

  Tree bracketed(char end) {
    if (++depth_ > kDeepest) refuse("brackets are too deep");
    Tree tree = statement();
    if (!take(end)) refuse(fmt::format("expected \"{}\"", end));
    --depth_;
    return tree;
  }

  // After an opening bracket: digits or a star, and then a semicolon.
  bool is_region() {
    const std::size_t end = text_.find_first_not_of("0123456789* ", at_);
    return end != std::string::npos && text_[end] == ';';
  }

  Tree region() {
    auto node = std::make_shared<Node>();
    if (take('*')) {
      node->kind = Kind::kAllRegions;
    } else {
      node->kind = Kind::kRegion;
      node->region = parsed<std::int64_t>("the number of a region");
    }
    for (const char sign : {';', '%'}) {
      if (!take(sign)) refuse(fmt::format("expected \"{}\"", sign));
    }
    const std::size_t end = text_.find('%', at_);
    if (end == std::string::npos || end == at_) refuse("expected %condition%");
    node->condition = text_.substr(at_, end - at_);
    at_ = end + 1;
    if (!take(')')) refuse("expected \")\"");
    return node;
  }

  Tree number() {
    auto node = std::make_shared<Node>();
    const bool signed_plus = take('+');
    if (signed_plus && !at_end() && text_[at_] == '-') refuse("expected one sign");
    node->number = parsed<double>("a region like (2;%match%), a number or a bracket");
    return node;
  }

  template <class Number>
  Number parsed(std::string_view what) {
    skip_spaces();
    Number value{};
    const char* const first = text_.data() + at_;
    const auto [end, fault] = std::from_chars(first, text_.data() + text_.size(), value);
    if (fault != std::errc() || !std::isfinite(static_cast<double>(value))) refuse(fmt::format("expected {}", what));
    at_ += static_cast<std::size_t>(end - first);
    return value;
  }

  Tree joined(Kind kind, const Tree& left, const Tree& right) {
    if (++operators_ > kMostOperators) refuse(fmt::format("more than {} operators", kMostOperators));
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->left = left;
    node->right = right;
    return node;
  }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool at_end() {
    skip_spaces();
    return at_ == text_.size();
  }
  bool take(char sign) {
    if (at_end() || text_[at_] != sign) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorCode::kInput, fmt::format("formula {}, character {}: {}", quote(text_), at_ + 1, why));
  }

  const std::string& text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int operators_ = 0;
};

namespace {

using Surprisals = RegionSurprisals;

double value_of(const std::string& condition, std::int64_t region, const Surprisals& surprisals) {
  const auto found = std::ranges::find(surprisals, std::pair{condition, region}, &Surprisals::value_type::first);
  if (found == surprisals.end()) {
    throw Error(ErrorCode::kInput, fmt::format("there is no region {} of condition {}", region, quote(condition)));
  }
  return found->second;
}

double value_of_all(const std::string& condition, const Surprisals& surprisals) {
  double sum = 0;
  bool found = false;
  for (const auto& [place, value] : surprisals) {
    if (place.first != condition) continue;
    sum += value;
    found = true;
  }
  if (!found) throw Error(ErrorCode::kInput, fmt::format("there is no condition {}", quote(condition)));
  return sum;
}

// Truth is 1 and 0.
template <class Node>
double value(const Node& node, const Surprisals& surprisals) {
  using Kind = typename Node::Kind;
  const auto left = [&] { return value(*node.left, surprisals); };
  const auto right = [&] { return value(*node.right, surprisals); };
  switch (node.kind) {
    case Kind::kRegion:
      return value_of(node.condition, node.region, surprisals);
    case Kind::kAllRegions:
      return value_of_all(node.condition, surprisals);
    case Kind::kNumber:
      return node.number;
    case Kind::kPlus:
      return left() + right();
    case Kind::kMinus:
      return left() - right();
    case Kind::kLess:
      return left() < right() ? 1 : 0;
    case Kind::kGreater:
      return left() > right() ? 1 : 0;
    case Kind::kEqual: {
      const double expected = right();
      return std::fabs(left() - expected) <= 1e-3 + 1e-5 * std::fabs(expected) ? 1 : 0;
    }
    case Kind::kAnd:
      return std::min(left(), right());  // both sides are evaluated, so that a missing region is reported
    case Kind::kOr:
      return std::max(left(), right());
  }
  return 0;
}

}  // namespace

RegionFormula::RegionFormula(const std::string& text) : text_(text), root_(FormulaParser(text_).parse()) {}

bool RegionFormula::holds(const RegionSurprisals& surprisals) const { return value(*root_, surprisals) != 0; }

}  // namespace unroll
