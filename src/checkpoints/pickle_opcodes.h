// The instructions of Python's pickles, decoded one by one.
//
// Source: CPython's Lib/pickletools.py, which describes each opcode, and Lib/pickle.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "checkpoints/byte_reader.h"

namespace unroll {

enum class PickleOp : unsigned char {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kFloat = 'F',
  kInt = 'I',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kLong = 'L',
  kBinInt2 = 'M',
  kNone = 'N',
  kPersistentText = 'P',
  kPersistent = 'Q',
  kReduce = 'R',
  kString = 'S',
  kBinString = 'T',
  kShortBinString = 'U',
  kUnicode = 'V',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kEmptyDict = '}',
  kAppends = 'e',
  kGet = 'g',
  kBinGet = 'h',
  kInst = 'i',
  kLongBinGet = 'j',
  kList = 'l',
  kEmptyList = ']',
  kObj = 'o',
  kPut = 'p',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kBinFloat = 'G',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kProto = 0x80,
  kNewObj = 0x81,
  kExt1 = 0x82,
  kExt2 = 0x83,
  kExt4 = 0x84,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8A,
  kLong4 = 0x8B,
  kShortBinUnicode = 0x8C,
  kBinUnicode8 = 0x8D,
  kBinBytes8 = 0x8E,
  kEmptySet = 0x8F,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
  kNextBuffer = 0x97,
  kReadonlyBuffer = 0x98,
};

// An instruction and its argument.
struct PickleInstruction {
  PickleOp op = PickleOp::kStop;
  std::string_view text = {};    // of strings and bytes as stored, of lines without their ends
  std::string_view second = {};  // of kGlobal and kInst: the line after `text`
  std::int64_t number = 0;       // of whole numbers of fixed size, and of places in the memo
  double real = 0;               // of kBinFloat
};

// Reads the next instruction. Throws Error{kFormat} for an unknown one, for one whose argument is cut short or
// negative, and for those that need what is not in the bytes: extensions, buffers, persistent ids as text.
[[nodiscard]] PickleInstruction next_instruction(ByteReader& reader);

}  // namespace unroll
