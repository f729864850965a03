#include "checkpoints/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/pickle_writer.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::HasSubstr;

// What a graph holds, as Python would write it, a few levels deep.
std::string shown(const ValueGraph& graph, ValueId id, int levels = 4) {
  if (id == kNoValue || levels == 0) return "...";
  const Value& value = graph[id];
  const auto items = [&] {
    std::string text;
    for (const ValueId item : value.items) text += (text.empty() ? "" : " ") + shown(graph, item, levels - 1);
    return text;
  };
  switch (value.kind) {
    case ValueKind::kInteger:
      return std::to_string(value.integer);
    case ValueKind::kBool:
      return value.integer != 0 ? "True" : "False";
    case ValueKind::kReal:
      return std::to_string(value.real);
    case ValueKind::kString:
      return "'" + value.text + "'";
    case ValueKind::kList:
      return "[" + items() + "]";
    case ValueKind::kTuple:
      return "(" + items() + ")";
    case ValueKind::kDict:
      return "{" + items() + "}";
    case ValueKind::kObject:
      return value.text + "<" + items() + ">";
    default:
      return std::string(value_kind_name(value.kind)) + ":" + value.text;
  }
}

std::string read_shown(const std::string& bytes) {
  ValueGraph graph;
  const Pickle pickle = read_pickle(graph, bytes, "'x.pkl'");
  EXPECT_EQ(pickle.bytes, bytes.size());
  return shown(graph, pickle.root);
}

std::string pickle_refusal(const std::string& bytes) {
  try {
    ValueGraph graph;
    static_cast<void>(read_pickle(graph, bytes, "'x.pkl'"));
    return "";
  } catch (const Error& error) {
    return error.code() == ErrorCode::kFormat ? error.what() : "another code";
  }
}

TEST(Pickle, ProtocolZeroIsRead) {
  // pickle.dumps([1, -2, 2**40, 1.5, True, None, "a'b\n", {"k": (1,)}], 0) of Python 3.11, and of Python 2 a string.
  EXPECT_EQ(
      read_shown("(lp0\nI1\naI-2\naL1099511627776L\naF1.5\naI01\naNaVa'b\\u000a\np1\na(dp2\nVk\np3\n(I1\ntp4\nsa."),
      "[1 -2 1099511627776 1.500000 True none: 'a'b\n' {'k' (1)}]");
  EXPECT_EQ(read_shown("S'it\\'s \\x41\\\\'\n."), "'it's A\\'");
  EXPECT_EQ(read_shown("V\\u20ac\xE9\n."), "'\xE2\x82\xAC\xC3\xA9'");
}

TEST(Pickle, BinaryProtocolsAreRead) {
  // pickle.dumps((b"ab", {1: "x"}, 2**70, -129, 0.1), 4)
  const std::string large = "\0\0\0\0\0\0\0\0@"s;
  EXPECT_EQ(read_shown("\x80\x04\x95\x2b\0\0\0\0\0\0\0(C\x02"s + "ab\x94}\x94K\x01\x8c\x01x\x94s\x8a\x09" + large +
                       "J\x7f\xff\xff\xffG?\xb9\x99\x99\x99\x99\x99\x9at\x94."),
            "(bytes:ab {1 'x'} large integer:" + large + " -129 0.100000)");
  EXPECT_EQ(read_shown("\x80\x02\x8a\x01\x80."), "-128");
  EXPECT_EQ(read_shown("\x80\x02\x8a\0."s), "0");
  EXPECT_EQ(read_shown("\x80\x02U\x01zq\x01h\x01\x86."), "('z' 'z')");
  EXPECT_EQ(read_shown("\x80\x02U\x01\xff."), "bytes:\xff");
  EXPECT_EQ(read_shown("\x80\x04\x8f(K\x01K\x02\x90."), "set:");
  EXPECT_EQ(read_shown("\x80\x02K\x01(K\x02K\x03"
                       "1K\x04\x86."),
            "(1 4)");
  EXPECT_EQ(read_shown("\x80\x02K\x01"
                       "2\x86."),
            "(1 1)");
  EXPECT_EQ(read_shown("\x80\x02K\x01K\x02"
                       "0."),
            "1");
}

TEST(Pickle, CallsBecomeObjectsWhateverTheyCall) {
  EXPECT_EQ(read_shown(pickle::file(pickle::call("os", "system", pickle::tuple({pickle::text("ls")})))),
            "os.system<('ls') ... ... ...>");
  EXPECT_EQ(read_shown("cbuiltins\ngetattr\n(cbuiltins\nobject\nVx\ntR."),
            "builtins.getattr<(name:builtins.object 'x') ... ... ...>");
  EXPECT_EQ(read_shown("(imodule\nClass\n."), "module.Class<() ... ... ...>");
  EXPECT_EQ(read_shown("(cmodule\nClass\nI1\no}Vk\nI2\nsb."), "module.Class<(1) {'k' 2} ... ...>");
  EXPECT_EQ(read_shown("\x80\x04\x8c\x01m\x8c\x01n\x93)\x81]K\x01"
                       "ab."),
            "m.n<() [1] ... ...>");
  EXPECT_EQ(read_shown("\x80\x02"
                       "cm\nn\n)\x81K\x01"
                       "aK\x02K\x03s."),
            "m.n<() ... [1] {2 3}>");
  EXPECT_EQ(read_shown("ccopy_reg\n_reconstructor\n(cargparse\nNamespace\nc__builtin__\nobject\nNtR}Vk\nI2\nsb."),
            "argparse.Namespace<(name:argparse.Namespace name:__builtin__.object none:) {'k' 2} ... ...>");
}

TEST(Pickle, CallsThatMeanPlainDataBecomeThat) {
  EXPECT_EQ(read_shown("ccollections\nOrderedDict\n)RVk\nI1\ns."), "{'k' 1}");
  EXPECT_EQ(read_shown("ccollections\nOrderedDict\n((lp0\n(lp1\nVk\naI1\naatR."), "{'k' 1}");
  EXPECT_EQ(read_shown("ccollections\nCounter\n(}Vk\nI1\nstR."), "{'k' 1}");
  EXPECT_EQ(read_shown("c__builtin__\nset\n((lI1\natR."), "set:");
  EXPECT_EQ(read_shown("ccollections\ndefaultdict\n(c__builtin__\nint\ntRVk\nI1\ns."), "{'k' 1}");
}

TEST(Pickle, ArraysOfNumpyBecomeTensors) {
  // pickle.dumps(numpy.array([[1, 2], [3, 4]], ">f4", order="F"), 2)
  const std::string dtype = pickle::call("numpy", "dtype", pickle::tuple({pickle::text("f4")})) +
                            pickle::tuple({pickle::whole(3), pickle::text(">")}) + "b";
  std::string numbers;
  for (const float number : {1.0F, 3.0F, 2.0F, 4.0F}) {
    const std::string bytes = number_bytes(number);
    numbers += std::string(bytes.rbegin(), bytes.rend());
  }
  const std::string made =
      "\x80\x02"
      "cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\nNNtR" +
      pickle::tuple({pickle::whole(1), pickle::wholes({2, 2}), dtype, "\x88", "U\x10" + numbers}) + "b.";
  ValueGraph graph;
  const ValueId root = read_pickle(graph, made, "'x.pkl'").root;
  ASSERT_TRUE(graph.is(root, ValueKind::kTensor));
  EXPECT_THAT(read_numbers(graph, graph.tensor(root), "x"), ElementsAre(1, 2, 3, 4));
}

TEST(Pickle, WhatPythonWouldRefuseIsRefusedByItsByte) {
  EXPECT_THAT(pickle_refusal("\x80\x02}}"), HasSubstr("'x.pkl', byte 4: it is cut short"));
  EXPECT_THAT(pickle_refusal(""), HasSubstr("cut short"));
  EXPECT_THAT(pickle_refusal("\x80\x02."), HasSubstr("lacks a value"));
  EXPECT_THAT(pickle_refusal("\x80\x02N(."), HasSubstr("lacks a value"));
  EXPECT_THAT(pickle_refusal("\x80\x02Nt."), HasSubstr("lacks a mark"));
  EXPECT_THAT(pickle_refusal("\x80\x02(NN\x85t."), "");
  EXPECT_THAT(pickle_refusal("\x80\x02N(N\x86."), HasSubstr("lacks a value"));
  EXPECT_THAT(pickle_refusal("\x80\x02NN."), HasSubstr("more than one value"));
  EXPECT_THAT(pickle_refusal("\x80\x02h\x05."), HasSubstr("place 5 of the memo"));
  EXPECT_THAT(pickle_refusal("\x80\x02}r\xff\xff\xff\xff."), "");
  EXPECT_THAT(pickle_refusal("\x80\x02X\xff\xff\xff\xff"s + "abc."), HasSubstr("4294967295 bytes were to follow"));
  EXPECT_THAT(pickle_refusal("\x80\x04\x8d\0\0\0\0\0\0\0\x40."s), HasSubstr("cut short"));
  EXPECT_THAT(pickle_refusal("\x80\x02\x8b\xff\xff\xff\xff."), HasSubstr("a length is -1"));
  EXPECT_THAT(pickle_refusal("\x80\x04\x95\xff\0\0\0\0\0\0\0N."s), HasSubstr("a frame is longer"));
  EXPECT_THAT(pickle_refusal("\x80\x02\x82\x01."), HasSubstr("registry"));
  EXPECT_THAT(pickle_refusal("\x80\x02P1\n."), HasSubstr("persistent id"));
  EXPECT_THAT(pickle_refusal("\x80\x02K\x01Q."), HasSubstr("persistent id"));
  EXPECT_THAT(pickle_refusal("\x80\x05\x97."), HasSubstr("protocol 5"));
  EXPECT_THAT(pickle_refusal("\x80\x06N."), HasSubstr("protocol 6"));
  EXPECT_THAT(pickle_refusal("\xff."), HasSubstr("0xff is not an instruction"));
  EXPECT_THAT(pickle_refusal("I1x\n."), HasSubstr("is not a whole number"));
  EXPECT_THAT(pickle_refusal("Fx\n."), HasSubstr("is not a number"));
  EXPECT_THAT(pickle_refusal("S'\\x4'\n."), HasSubstr("not written as Python"));
  EXPECT_THAT(pickle_refusal("}I1\nVk\nVv\nuN."), HasSubstr("lacks a mark"));
  EXPECT_THAT(pickle_refusal("}(I1\nu."), HasSubstr("a key without a value"));
  EXPECT_THAT(pickle_refusal("I1\nI2\na."), HasSubstr("is put into a integer"));
  EXPECT_THAT(pickle_refusal("cm\nn\n)\x81}b}b."), HasSubstr("built twice"));
}

TEST(Pickle, CopiesThatShortInstructionsAskForAreLimited) {
  std::string bytes =
      "\x80\x02"
      "c__builtin__\nset\nq\x01(";
  for (int i = 0; i < 10'000; ++i) bytes += "N";
  bytes +=
      "l\x85q\x02"
      "0";
  for (int i = 0; i < 10'000; ++i) bytes += "h\x01h\x02R0";
  EXPECT_THAT(pickle_refusal(bytes + "N."), HasSubstr("copies more than 64 MB"));
}

}  // namespace
}  // namespace unroll
