// SentencePiece: models made here, text to pieces and back, and files that are damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "model/base64.h"
#include "model/model_file.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "support/tiny_model.h"
#include "text/sentencepiece_file.h"
#include "unroll/evaluate.h"
#include "unroll/generator.h"
#include "unroll/model.h"
#include "unroll/sentencepiece.h"

namespace unroll {
namespace {

using testing::HasSubstr;

std::string learned(SentencePieceKind kind = SentencePieceKind::kBpe, bool lossless = false) {
  return train_sentencepiece({some_text(), "some text"},
                             {.kind = kind, .vocab_size = lossless ? 300 : 40, .lossless = lossless});
}

Tokenizer tokenizer_of(const std::string& model) { return Tokenizer::from_sentencepiece(model, "'test.model'"); }

// The text written for the ids of a line.
std::string written(const Tokenizer& tokenizer, const std::string& line) {
  std::string text;
  std::int32_t previous = -1;
  for (const Token& token : tokenizer.encode_line({line, "line"})) {
    text += tokenizer.written(previous, token.id);
    previous = token.id;
  }
  return text;
}

// A field of a protocol buffer: bytes under a number.
std::string field(int number, const std::string& bytes) {
  std::string text(1, static_cast<char>(number << 3 | 2));
  std::size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7U) text += static_cast<char>(static_cast<unsigned char>(size | 0x80U));
  return text + static_cast<char>(size) + bytes;
}

std::string unit(std::uint32_t value) {
  std::string bytes;
  for (unsigned shift = 0; shift < 32; shift += 8)
    bytes += static_cast<char>(static_cast<unsigned char>(value >> shift));
  return bytes;
}

// A model with one piece and these rules of normalisation.
std::string with_rules(const std::string& trie, const std::string& replacements) {
  const auto size = static_cast<std::uint32_t>(trie.size());
  return field(1, field(1, "a")) + field(3, field(2, unit(size) + trie + replacements));
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST(SentencePiece, TheSameTextGivesTheSameModel) {
  for (const SentencePieceKind kind : {SentencePieceKind::kUnigram, SentencePieceKind::kBpe}) {
    const SentencePieceOptions options{.kind = kind, .vocab_size = 27};
    EXPECT_EQ(train_sentencepiece({some_text(), "a"}, options), train_sentencepiece({some_text(), "b"}, options));
  }
}

TEST(SentencePiece, LearnsAsManyPiecesAsAskedFor) { EXPECT_EQ(tokenizer_of(learned()).size(), 40); }

TEST(SentencePiece, TextIsWrittenBackAsItWas) {
  const Tokenizer plain = tokenizer_of(learned());
  EXPECT_EQ(written(plain, "the cat sees a dog"), "the cat sees a dog");
  const Tokenizer lossless = tokenizer_of(learned(SentencePieceKind::kBpe, true));
  for (const char* line : {"the  cat ", "  a", "", " ", "\xE2\x98\x83 na\xC3\xAFve \xEF\xAC\x81\tx"}) {
    EXPECT_EQ(written(lossless, line), line);
    const EncodedText text = lossless.encode({std::string(line) + "\n", "text"});
    EXPECT_TRUE(text.lossless) << line;
    EXPECT_EQ(text.unknown, 0);
  }
}

TEST(SentencePiece, SaysWhereTextIsLost) {
  const Tokenizer tokenizer = tokenizer_of(learned());
  EXPECT_TRUE(tokenizer.encode({"the cat\na dog\n", "text"}).lossless);
  for (const char* text : {"the  cat\n", " the\n", "the cat", "the cat\r\n", "\xE2\x98\x83\n", "\xEF\xAC\x81\n"}) {
    EXPECT_FALSE(tokenizer.encode({text, "text"}).lossless) << text;
  }
  EXPECT_GT(tokenizer.encode({"\xE2\x98\x83\n", "text"}).unknown, 0);
}

TEST(SentencePiece, ALineHasTheIdsThatItHasWithinItsText) {
  const Tokenizer tokenizer = tokenizer_of(learned());
  const std::string text = "the cat\r\n\nold dog\n";
  std::vector<std::int32_t> lines;
  for (const char* line : {"the cat\r", "", "old dog"}) {
    for (const Token& token : tokenizer.encode_line({line, "line"})) lines.push_back(token.id);
    lines.push_back(tokenizer.boundary());
  }
  EXPECT_EQ(tokenizer.encode({text, "text"}).ids, lines);
  std::vector<std::int32_t> whole;
  for (const Token& token : tokenizer.encode_line({text, "line"})) whole.push_back(token.id);
  EXPECT_EQ(whole, lines);
}

TEST(SentencePiece, EachByteIsInOneTokenAtMostAndInOrder) {
  for (const bool lossless : {false, true}) {
    const std::string line = "the  \xE2\x98\x83old cat \xC3\xA9. ";
    std::int64_t end = 0;
    for (const Token& token : tokenizer_of(learned(SentencePieceKind::kBpe, lossless)).encode_line({line, "line"})) {
      EXPECT_GE(token.offset, end);
      end = token.offset + token.length;
    }
    EXPECT_GE(end, std::ssize(line) - 1);
    EXPECT_LE(end, std::ssize(line));
  }
}

TEST(SentencePiece, RefusesASizeThatTheTextDoesNotFit) {
  const auto train = [](std::int64_t size) {
    return error_of([&] {
             static_cast<void>(train_sentencepiece({some_text(), "book"}, {.vocab_size = size}));
           })
        .value();
  };
  EXPECT_THAT(train(5000).what(), HasSubstr("Vocabulary size too high"));
  EXPECT_EQ(train(5000).code(), ErrorCode::kUsage);
  EXPECT_THAT(train(3).what(), HasSubstr("smaller"));
  EXPECT_EQ(train(1).code(), ErrorCode::kUsage);
}

TEST(SentencePiece, RefusesTextThatItCannotLearnFrom) {
  const auto train = [](const std::string& text) {
    return error_of([&] { static_cast<void>(train_sentencepiece({text, "book"}, {.vocab_size = 10})); }).value();
  };
  EXPECT_EQ(train("").code(), ErrorCode::kInput);
  EXPECT_THAT(train("good\nb\xFF").what(), HasSubstr("book: byte 6 (line 2)"));
  EXPECT_EQ(train("\n\n\n").code(), ErrorCode::kInput);
}

TEST(SentencePiece, RefusesALineThatTheLibraryHasNoMemoryFor) {
  const Tokenizer tokenizer = tokenizer_of(learned());
  const std::string line((std::size_t{16} << 20) + 1, 'a');
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "split it", [&] {
    static_cast<void>(tokenizer.encode_line({line, "f"}));
  }));
}

TEST(SentencePiece, SaysWhyItCannotLearnFromNextToNothing) {
  for (const char* text : {"\n", " \n\t\r\n "}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "f: the text is white space alone", [&] {
      static_cast<void>(train_sentencepiece({text, "f"}, {}));
    }));
  }
  for (const SentencePieceKind kind : {SentencePieceKind::kUnigram, SentencePieceKind::kBpe}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "cannot learn from it: there is too little text", [&] {
      static_cast<void>(train_sentencepiece({"a\n", "f"}, {.kind = kind}));
    }));
  }
}

TEST(SentencePiece, EveryShorterFileIsRefusedOrStillAModel) {
  const std::string model = learned();
  int refused = 0;
  for (std::size_t size = 0; size < model.size(); size += 1 + size / 100) {
    try {
      static_cast<void>(tokenizer_of(model.substr(0, size)).encode_line({"the cat", "line"}));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kFormat);
      EXPECT_THAT(error.what(), HasSubstr("test.model"));
      ++refused;
    }
  }
  EXPECT_GT(refused, 300);
}

TEST(SentencePiece, NoChangedByteEndsTheProcess) {
  const std::string model = learned();
  int refused = 0;
  for (std::uint32_t i = 0; i < 400; ++i) {
    const auto dice = random_words(1, 0, RandomPurpose::kTestPoint, 0, i, 0);
    std::string changed = model;
    changed[dice[0] % (i % 2 == 0 ? 900 : model.size())] = static_cast<char>(dice[1] & 0xFFU);
    try {
      static_cast<void>(tokenizer_of(changed).encode({"the old cat\xE2\x98\x83\n", "text"}));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 20);
}

TEST(SentencePiece, RefusesFilesThatAreUnsafeForTheLibrary) {
  const auto fault = [](const std::string& model) {
    return std::string(error_of([&] { check_sentencepiece_file(model, "'test.model'"); }).value().what());
  };
  const std::string nowhere = repeated(unit(0x1000U << 10U), 256);  // from every unit out of the table
  // The type "user-defined" as a number, as the lower 32 bits of one, and before a type that does not exist.
  const auto nested = [](const std::string& type) {
    std::string pieces;
    for (int i = 1; i <= 40; ++i) pieces += field(1, field(1, std::string(static_cast<std::size_t>(i), 'a')) + type);
    return pieces;
  };
  EXPECT_THAT(fault("this is no model at all"), HasSubstr("'test.model': not a usable SentencePiece model"));
  EXPECT_THAT(fault(""), HasSubstr("has no pieces"));
  EXPECT_THAT(fault(field(1, field(1, ""))), HasSubstr("piece 0 is empty"));
  EXPECT_THAT(fault(field(1, field(1, std::string(5000, 'x')))), HasSubstr("piece 0 is longer"));
  EXPECT_THAT(fault(field(1, field(1, "a\xFF"))), HasSubstr("not UTF-8"));
  EXPECT_THAT(fault(field(1, field(1, std::string("a\0b", 3)))), HasSubstr("NUL"));
  EXPECT_THAT(fault(field(1, field(1, "a") + '\x15' + unit(0x7FC00000))), HasSubstr("score"));
  for (const char* type : {"\x18\x04", "\x18\x84\x80\x80\x80\x10", "\x18\x04\x18\x63"}) {
    EXPECT_THAT(fault(nested(type)), HasSubstr("prefixes of each other"));
  }
  // A piece with a NUL, under a tag whose lower 32 bits are that of pieces.
  EXPECT_THAT(fault(field(1, field(1, "a")) + "\x8A\x80\x80\x80\x10" + std::string("\x03\x0A\x01\0", 4)),
              HasSubstr("too large a number"));
  EXPECT_THAT(fault(with_rules("short", std::string(1, '\0'))), HasSubstr("damaged"));
  EXPECT_THAT(fault(with_rules(nowhere + nowhere, std::string(1, '\0'))), HasSubstr("leaves its table"));
  EXPECT_THAT(fault(with_rules(repeated(unit(0), 256), std::string(2000, 'x') + '\0')), HasSubstr("inserts more"));
  EXPECT_THAT(fault(std::string(kLargestSentencePieceFile + 1, 'x')), HasSubstr("expected at most"));
}

TEST(SentencePiece, RulesWithACycleAreRefused) {
  // Each unit's label is its own number, and all steps stay in the one block: every string of bytes is a path.
  std::string trie;
  for (std::uint32_t i = 0; i < 256; ++i) trie += unit(i);
  const std::string model = with_rules(trie, std::string(1, '\0'));
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "contain a cycle", [&] { check_sentencepiece_file(model, "f"); }));
}

using SentencePieceRun = SmallRun;

TEST_F(SentencePieceRun, AModelFileHoldsTheTokenizer) {
  TrainOptions options = small();
  const std::string path = folder_.path("sub.model");
  const std::string bytes = learned();
  save_sentencepiece(path, bytes);
  options.tokenizer = {.kind = TokenizerKind::kSentencePiece, .vocab_file = path};
  train(options);
  std::filesystem::remove(path);
  const Model model = Model::load(options.files.save);
  EXPECT_EQ(model.tokenizer().kind(), TokenizerKind::kSentencePiece);
  EXPECT_EQ(model.tokenizer().sentencepiece_model(), bytes);
  EXPECT_EQ(model.config().vocabulary, 40);
  EXPECT_TRUE(evaluate(model, {"the cat sees a dog\n", "text"}).comparable);
  EXPECT_FALSE(evaluate(model, {"the  cat\n", "text"}).comparable);
  std::string text;
  Generator(model, {.seed = 1}).write("the old", 20, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  EXPECT_FALSE(text.empty());
}

TEST_F(SentencePieceRun, ResumingEqualsNeverStopping) {
  TrainOptions options = small();
  const std::string path = folder_.path("sub.model");
  save_sentencepiece(path, learned());
  options.tokenizer = {.kind = TokenizerKind::kSentencePiece, .vocab_file = path};
  const std::string whole = trained(options);
  EXPECT_EQ(trained_in_parts(options), whole);
}

TEST(SentencePiece, ItsMetadataIsCheckedLikeEverythingElse) {
  const Tokenizer tokenizer = tokenizer_of(learned());
  const NetworkConfig config = tiny_config(Cell::kGru, tokenizer);
  std::map<std::string, std::string> metadata = model_metadata(config, tokenizer, {});
  EXPECT_EQ(tokenizer_from_metadata(metadata, "f").vocabulary(), tokenizer.vocabulary());
  const auto fault = [&](const std::string& json) {
    metadata["tokenizer"] = json;
    return std::string(error_of([&] { static_cast<void>(tokenizer_from_metadata(metadata, "f")); }).value().what());
  };
  const std::string model = encode_base64(tokenizer.sentencepiece_model());
  EXPECT_THAT(fault(R"({"kind":"sentencepiece","lowercase":false})"), HasSubstr("lacks \"model\""));
  EXPECT_THAT(fault(R"({"kind":"sentencepiece","lowercase":false,"model":"?"})"), HasSubstr("base64"));
  EXPECT_THAT(fault(R"({"kind":"sentencepiece","lowercase":false,"model":"QUJD"})"), HasSubstr("SentencePiece model"));
  EXPECT_THAT(fault(R"({"kind":"byte","lowercase":false,"model":"QUJD"})"), HasSubstr("has \"model\""));
  EXPECT_THAT(fault(R"({"kind":"sentencepiece","lowercase":true,"model":")" + model + R"("})"),
              HasSubstr("lower case"));
}

TEST(Base64, MatchesTheStandardAndRoundTrips) {
  EXPECT_EQ(encode_base64(""), "");
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("fo"), "Zm8=");
  EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
  std::string bytes;
  for (int value = 255; value >= 0; --value) {
    bytes += static_cast<char>(value);
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  }
  for (const char* text : {"Zg", "Zg=", "Zh==", "Z===", "Zg==Zg==", "Zm9?", "Zm8 "}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

}  // namespace
}  // namespace unroll
