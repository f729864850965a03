#include "unroll/cell.h"

#include "base/names.h"

namespace unroll {
namespace {

constexpr std::string_view name(Cell cell) noexcept {
  switch (cell) {
    case Cell::kRnnTanh:
      return "rnn-tanh";
    case Cell::kRnnRelu:
      return "rnn-relu";
    case Cell::kLstm:
      return "lstm";
    case Cell::kGru:
      return "gru";
    case Cell::kGruResetBefore:
      return "gru-reset-before";
    case Cell::kMinGru:
      return "min-gru";
    case Cell::kMinLstm:
      return "min-lstm";
  }
  return {};
}

}  // namespace

std::string_view cell_name(Cell cell) noexcept { return name(cell); }

Cell parse_cell(std::string_view text) { return parse_name<Cell, name>("cell", text); }

std::span<const Cell> all_cells() noexcept { return kAllValues<Cell, name>; }

int gate_count(Cell cell) noexcept {
  switch (cell) {
    case Cell::kRnnTanh:
    case Cell::kRnnRelu:
      return 1;
    case Cell::kLstm:
      return 4;
    case Cell::kGru:
    case Cell::kGruResetBefore:
    case Cell::kMinLstm:
      return 3;
    case Cell::kMinGru:
      return 2;
  }
  return 0;
}

bool has_recurrent_weights(Cell cell) noexcept {
  switch (cell) {
    case Cell::kRnnTanh:
    case Cell::kRnnRelu:
    case Cell::kLstm:
    case Cell::kGru:
    case Cell::kGruResetBefore:
      return true;
    case Cell::kMinGru:
    case Cell::kMinLstm:
      return false;
  }
  return false;
}

bool has_cell_state(Cell cell) noexcept { return cell == Cell::kLstm; }

}  // namespace unroll
