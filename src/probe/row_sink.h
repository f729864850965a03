// Turns the steps of a network into rows of texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "probe/text_pooling.h"
#include "unroll/label/classifier.h"
#include "unroll/probe/text_states.h"

namespace unroll {

// A symbol of a text, and the step of the text after which its row is read.
struct RowPlace {
  std::int64_t step = 0;
  std::string_view name = {};
};

// A text as steps of a network.
struct ReadText {
  std::size_t text = 0;             // its place among the texts of the call
  std::int64_t steps = 0;           // 0: it has no row, but per text, which is zero
  std::vector<RowPlace> rows = {};  // by step
  std::int64_t pooled_from = 0;     // the first step that a readout goes over
  bool is_zero = false;             // per text, its row is zero
};

// Takes the steps of texts in their order, and passes on rows.
class RowSink {
 public:
  // `pooling` is empty where rows are of symbols, or where vectors of texts are made elsewhere.
  RowSink(std::int64_t columns, std::optional<TextPooling>& pooling, const TextNames& names, const StateVisitor& visit)
      : pooling_(pooling), names_(names), visit_(visit), zeros_(static_cast<std::size_t>(columns)) {}

  // Announces the next text.
  void expect(ReadText text);

  // Takes the next step of the texts. Throws Error{kNumeric} unless it is finite.
  void take(std::span<const float> step);

  // Takes the vector of the next text instead of its steps.
  void take_vector(std::span<const float> vector);

 private:
  void pass_rows(const ReadText& text, std::span<const float> step);
  // Goes on to the next text with a step.
  void advance();
  void expect_finite(const ReadText& text, std::span<const float> values) const;

  std::optional<TextPooling>& pooling_;
  const TextNames& names_;
  const StateVisitor& visit_;
  std::vector<float> zeros_;
  std::deque<ReadText> texts_;
  std::int64_t step_ = 0;  // in the first of them
  std::size_t row_ = 0;    // the next row of that
};

}  // namespace unroll
