#include "checkpoints/pickle_opcodes.h"

#include <fmt/core.h>

#include <bit>
#include <charconv>

namespace unroll {
namespace {

double big_endian_double(std::string_view bytes) {
  std::uint64_t bits = 0;
  for (const char byte : bytes) bits = bits << 8 | static_cast<unsigned char>(byte);
  return std::bit_cast<double>(bits);
}

// A place in the memo, in decimal digits.
std::int64_t decimal_line(ByteReader& reader) {
  const std::string_view line = reader.line();
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (failure != std::errc() || end != line.data() + line.size() || number < 0) {
    reader.refuse("a place in the memo is not a whole number");
  }
  return number;
}

std::string_view signed_text(ByteReader& reader) {
  const std::int32_t length = reader.i32();
  if (length < 0) reader.refuse(fmt::format("a length is {}", length));
  return reader.take(static_cast<std::uint64_t>(length));
}

[[noreturn]] void refuse_op(ByteReader& reader, unsigned char code) {
  switch (static_cast<PickleOp>(code)) {
    case PickleOp::kExt1:
    case PickleOp::kExt2:
    case PickleOp::kExt4:
      reader.refuse("the pickle refers to its writer's registry of extensions, which is not in the file");
    case PickleOp::kPersistentText:
      reader.refuse("the pickle has a persistent id as text, which no known format has");
    case PickleOp::kByteArray8:
    case PickleOp::kNextBuffer:
    case PickleOp::kReadonlyBuffer:
      reader.refuse("the pickle has buffers of protocol 5: write it with protocol 4");
    default:
      reader.refuse(fmt::format("0x{:02x} is not an instruction of a pickle", code));
  }
}

}  // namespace

PickleInstruction next_instruction(ByteReader& reader) {
  const std::uint8_t code = reader.u8();
  const auto op = static_cast<PickleOp>(code);
  switch (op) {
    case PickleOp::kMark:
    case PickleOp::kStop:
    case PickleOp::kPop:
    case PickleOp::kPopMark:
    case PickleOp::kDup:
    case PickleOp::kNone:
    case PickleOp::kPersistent:
    case PickleOp::kReduce:
    case PickleOp::kAppend:
    case PickleOp::kBuild:
    case PickleOp::kDict:
    case PickleOp::kEmptyDict:
    case PickleOp::kAppends:
    case PickleOp::kList:
    case PickleOp::kEmptyList:
    case PickleOp::kObj:
    case PickleOp::kSetItem:
    case PickleOp::kTuple:
    case PickleOp::kEmptyTuple:
    case PickleOp::kSetItems:
    case PickleOp::kNewObj:
    case PickleOp::kTuple1:
    case PickleOp::kTuple2:
    case PickleOp::kTuple3:
    case PickleOp::kNewTrue:
    case PickleOp::kNewFalse:
    case PickleOp::kEmptySet:
    case PickleOp::kAddItems:
    case PickleOp::kFrozenSet:
    case PickleOp::kNewObjEx:
    case PickleOp::kStackGlobal:
    case PickleOp::kMemoize:
      return {.op = op};
    case PickleOp::kFloat:
    case PickleOp::kInt:
    case PickleOp::kLong:
    case PickleOp::kString:
    case PickleOp::kUnicode:
      return {.op = op, .text = reader.line()};
    case PickleOp::kGlobal:
    case PickleOp::kInst: {
      const std::string_view module = reader.line();
      return {.op = op, .text = module, .second = reader.line()};
    }
    case PickleOp::kGet:
    case PickleOp::kPut:
      return {.op = op, .number = decimal_line(reader)};
    case PickleOp::kBinInt:
      return {.op = op, .number = reader.i32()};
    case PickleOp::kBinInt1:
    case PickleOp::kBinGet:
    case PickleOp::kBinPut:
    case PickleOp::kProto:
      return {.op = op, .number = reader.u8()};
    case PickleOp::kBinInt2:
      return {.op = op, .number = reader.u16()};
    case PickleOp::kLongBinGet:
    case PickleOp::kLongBinPut:
      return {.op = op, .number = reader.u32()};
    case PickleOp::kBinFloat:
      return {.op = op, .real = big_endian_double(reader.take(sizeof(double)))};
    case PickleOp::kLong1:
    case PickleOp::kShortBinString:
    case PickleOp::kShortBinUnicode:
    case PickleOp::kShortBinBytes: {
      const std::uint8_t length = reader.u8();
      return {.op = op, .text = reader.take(length)};
    }
    case PickleOp::kLong4:
    case PickleOp::kBinString:
      return {.op = op, .text = signed_text(reader)};
    case PickleOp::kBinUnicode:
    case PickleOp::kBinBytes: {
      const std::uint32_t length = reader.u32();
      return {.op = op, .text = reader.take(length)};
    }
    case PickleOp::kBinUnicode8:
    case PickleOp::kBinBytes8: {
      const std::uint64_t length = reader.u64();
      return {.op = op, .text = reader.take(length)};
    }
    case PickleOp::kFrame: {
      const std::uint64_t length = reader.u64();
      if (length > reader.left()) reader.refuse("a frame is longer than the file");
      return {.op = op};
    }
    case PickleOp::kPersistentText:
    case PickleOp::kExt1:
    case PickleOp::kExt2:
    case PickleOp::kExt4:
    case PickleOp::kByteArray8:
    case PickleOp::kNextBuffer:
    case PickleOp::kReadonlyBuffer:
      break;
  }
  refuse_op(reader, code);
}

}  // namespace unroll
