#include "unroll/nbest/nbest.h"

#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unroll/nbest/combination.h"
#include "unroll/nbest/references.h"
#include "unroll/text.h"

namespace unroll {
namespace {

const std::vector<std::string> kLibriSpeech{"id", "rank", "score", "text"};

class Nbest : public ::testing::Test {
 protected:
  std::string write(const std::string& content, const std::string& name = "lists") {
    write_bytes(folder_.path(name), content);
    return folder_.path(name);
  }

  std::vector<NbestList> read(const std::string& content, const NbestFormat& format) {
    NbestReader reader(write(content), format);
    std::vector<NbestList> lists;
    NbestList list;
    while (reader.next(list)) lists.push_back(list);
    return lists;
  }

  void refuses(const std::string& content, const NbestFormat& format, const std::string& words) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, words, [&] { read(content, format); })) << content;
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "lists', ", [&] { read(content, format); })) << content;
  }

  // The lines again with new numbers in their places.
  std::string rescored(const std::string& content, const NbestFormat& format, const NewNumbers& numbers) {
    std::string text;
    for (const NbestList& list : read(content, format)) {
      for (const Hypothesis& hypothesis : list.hypotheses) text += rescored_line(hypothesis, numbers) + "\n";
    }
    return text;
  }

  TemporaryFolder folder_;
};

TEST_F(Nbest, LinesOfAnIdAreAList) {
  const auto lists = read("u1 the cat\nu1  the \t dog\r\nu2\nu3 a  b \n", {});
  ASSERT_EQ(lists.size(), 3U);
  EXPECT_EQ(lists[0].id, "u1");
  ASSERT_EQ(lists[0].hypotheses.size(), 2U);
  EXPECT_EQ(lists[0].hypotheses[1].line, "u1  the \t dog\r");
  EXPECT_EQ(lists[0].hypotheses[1].text, "the \t dog");
  EXPECT_EQ(lists[0].hypotheses[1].text_column, 5);
  EXPECT_EQ(lists[0].hypotheses[1].words, 2);
  EXPECT_EQ(lists[0].hypotheses[1].number, 2);
  EXPECT_FALSE(lists[0].hypotheses[0].score.has_value());
  EXPECT_EQ(lists[1].hypotheses[0].text, "");
  EXPECT_EQ(lists[1].hypotheses[0].words, 0);
  EXPECT_EQ(lists[2].hypotheses[0].text, "a  b");
}

TEST_F(Nbest, KaldisIdsEndInANumber) {
  const NbestFormat kaldi{.dialect = NbestDialect::kKaldi};
  const auto lists = read("a-b-1 x\na-b-2 y\na-c-1 z\n", kaldi);
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_EQ(lists[0].id, "a-b");
  EXPECT_EQ(lists[0].hypotheses.size(), 2U);
  EXPECT_EQ(best_line(kaldi, lists[0], lists[0].hypotheses[1]), "a-b y");
  refuses("utt x y\n", kaldi, "line 1, column 1: the id \"utt\" does not end in a dash and a number");
  refuses("a-1 x\n  utt- y\n", kaldi, "line 2, column 3: the id");
  EXPECT_EQ(read("  a-b-1 x\n", kaldi)[0].hypotheses[0].id_column, 3);
  refuses("-1 x\n", kaldi, "line 1, column 1: ");
}

TEST_F(Nbest, MosesLinesKeepAllButTheTotalAndTakeAFeature) {
  const NbestFormat moses{.dialect = NbestDialect::kMoses};
  const std::string text =
      "0 ||| das Haus | ||| LM0= -1.5 WordPenalty0= -3 ||| -4.25 ||| 0=0 1=1\n"
      "0 |||  |||  ||| 1e-3\r\n"
      "1|||x ||| y ||| F0= -2 |||\t-7 \n";
  refuses(text, moses, "line 3, column 1: the id is \"1|||x\"");  // bars that do not stand alone are text
  const std::string good = text.substr(0, text.find("1|||x")) + "1 ||| a|||b ||| F0= -2 |||\t-7 \n";
  const auto lists = read(good, moses);
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_EQ(lists[0].hypotheses[0].text, "das Haus |");
  EXPECT_EQ(lists[0].hypotheses[0].words, 3);
  EXPECT_EQ(lists[0].hypotheses[0].score, -4.25);
  EXPECT_EQ(lists[0].hypotheses[1].text, "");
  EXPECT_EQ(lists[1].hypotheses[0].text, "a|||b");
  EXPECT_EQ(rescored(good, moses, {.lm = -0.5, .total = -9.75}),
            "0 ||| das Haus | ||| LM0= -1.5 WordPenalty0= -3 unroll= -0.5 ||| -9.75 ||| 0=0 1=1\n"
            "0 |||  ||| unroll= -0.5  ||| -9.75\r\n"
            "1 ||| a|||b ||| F0= -2 unroll= -0.5 |||\t-9.75 \n");
  EXPECT_EQ(best_line(moses, lists[0], lists[0].hypotheses[0]), "das Haus |");
  refuses(rescored(good, moses, {}), moses, "line 1, column 49: there is a feature unroll= already");
  refuses("0 ||| a ||| b= 1\n", moses, "line 1, column 17: 3 fields between bars");
  refuses("0 ||| a ||| b= 1 ||| none\n", moses, "line 1, column 22: the total is \"none\": expected a number");
  refuses("0 ||| a ||| b= 1 ||| nan\n", moses, "expected a number");
  refuses("\n", moses, "line 1, column 1: 1 field between bars");
}

TEST_F(Nbest, SrilmsLinesTakeALanguageModelScore) {
  const NbestFormat srilm{.dialect = NbestDialect::kSrilm};
  const std::string text = "-10.5  -3.25 2 the cat\n-11 -4 2 <s> the dog </s>\r\n-12 -1 0\n-12 -1 1 the -pau-\n";
  const auto lists = read(text, srilm);
  ASSERT_EQ(lists.size(), 1U);
  EXPECT_EQ(lists[0].id, "lists");
  EXPECT_EQ(lists[0].hypotheses[0].score, -10.5);
  EXPECT_EQ(lists[0].hypotheses[0].lm_score, -3.25);
  EXPECT_EQ(lists[0].hypotheses[1].text, "the dog");
  EXPECT_EQ(lists[0].hypotheses[2].text, "");
  EXPECT_EQ(lists[0].hypotheses[3].words, 1);
  EXPECT_EQ(rescored(text, srilm, {.lm = -0.5, .total = 7}),
            "-10.5  -0.5 2 the cat\n-11 -0.5 2 <s> the dog </s>\r\n-12 -0.5 0\n-12 -0.5 1 the -pau-\n");
  EXPECT_TRUE(is_log10(srilm));
  refuses("-1 -2\n", srilm, "line 1, column 6: nwords is missing");
  refuses("-1 -2 3 a b\n", srilm, "line 1, column 7: nwords is 3: expected a whole number up to 2");
  refuses("-1 -2 1.5 a b\n", srilm, "line 1, column 7: nwords is 1.5");
  refuses("-1 x 1 a\n", srilm, "line 1, column 4: lscore is \"x\"");
  refuses("NBestList2.0\n", srilm, "line 1, column 1: ascore is \"NBestList2.0\"");
  refuses("-1 -2 1 a\n\n", srilm, "line 2, column 1: ascore is missing");
  refuses("inf -2 1 a\n", srilm, "expected a number");
}

// SRILM leaves pauses out always, and noise words where it is given a list of them.
TEST_F(Nbest, SrilmsPausesAndNoiseAreNotWords) {
  const std::string text = "-1 -2 2 <s> -pau- the  -pau- [laugh] cat </s>\n-1 -2 1 -pau-\n-1 -2 2 the  cat\n";
  NbestFormat srilm{.dialect = NbestDialect::kSrilm};
  const auto texts = [&](const NbestFormat& format) {
    std::vector<std::string> found;
    const NbestList list = read(text, format).at(0);
    for (const Hypothesis& hypothesis : list.hypotheses) found.push_back(hypothesis.text);
    return found;
  };
  EXPECT_EQ(texts(srilm), (std::vector<std::string>{"the [laugh] cat", "", "the  cat"}));
  const NbestList list = read(text, srilm).at(0);
  EXPECT_EQ(best_line(srilm, list, list.hypotheses[0]), "lists the [laugh] cat");
  EXPECT_EQ(rescored_line(list.hypotheses[0], {.lm = -7}), "-1 -7 2 <s> -pau- the  -pau- [laugh] cat </s>");
  srilm.noise = {"[laugh]", "[cough]"};
  EXPECT_EQ(texts(srilm), (std::vector<std::string>{"the cat", "", "the  cat"}));
  const std::string said = write("lists the -pau- cat [cough]\n", "said");
  EXPECT_EQ(References(said, srilm).of(list, "lists"), "the cat");
  EXPECT_EQ(read("u the -pau-\n", {}).at(0).hypotheses[0].text, "the -pau-");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "format srilm alone, not of rnnlm", [] { check({.noise = {"[laugh]"}}); }));
}

// SRILM's total is ascore + lmw lscore + wtw nwords, and nwords leaves pauses out. By hand, for an lmw of 8:
//
//   wtw   -1000 -10 3     -995 -11 2       -990 -11.5 4
//     0   -1080           -1083            -1082
//    -2   -1086           -1087            -1090
//     3   -1071           -1077            -1070
TEST_F(Nbest, SrilmsTotalsOrderItsLists) {
  const std::string text = "-1000 -10 3 a b c\n-995 -11 2 -pau- a b\n-990 -11.5 +4 a b c d\n";
  std::vector<Evidence> list;
  const NbestList srilm = read(text, {.dialect = NbestDialect::kSrilm}).at(0);
  for (const Hypothesis& hypothesis : srilm.hypotheses) {
    list.push_back({.score = hypothesis.score.value(),
                    .old_lm = hypothesis.lm_score.value(),
                    .words = static_cast<double>(hypothesis.words)});
  }
  const auto order = [&](double wtw) { return ranking({.lm_weight = 8, .word_weight = wtw, .lambda = 0}, list); };
  EXPECT_EQ(order(0), (std::vector<std::size_t>{0, 2, 1}));
  EXPECT_EQ(order(-2), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(order(3), (std::vector<std::size_t>{2, 0, 1}));
  EXPECT_EQ(total({.lm_weight = 8, .word_weight = 3, .lambda = 0}, list[2]), -1070);
}

TEST_F(Nbest, ColumnsKeepEveryByteThatIsNotANewNumber) {
  const NbestFormat plain{.dialect = NbestDialect::kColumns, .columns = kLibriSpeech};
  const std::string text = "u1\t1\t-4.5\tTHE \xff CAT \r\nu1\t2\t-5\t\nu2\t1\t0\tA\n";
  const auto lists = read(text, plain);
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_EQ(lists[0].hypotheses[0].text, "THE \xff CAT ");
  EXPECT_EQ(lists[0].hypotheses[0].score, -4.5);
  EXPECT_EQ(rescored(text, plain, {.lm = -1, .total = -2}),
            "u1\t1\t-4.5\tTHE \xff CAT \t-1\t-2\r\nu1\t2\t-5\t\t-1\t-2\nu2\t1\t0\tA\t-1\t-2\n");
  EXPECT_EQ(rescored(text, plain, {.lm = -1, .total = -2, .rank = 7}).substr(0, 5), "u1\t7\t");
  EXPECT_EQ(best_line(plain, lists[0], lists[0].hypotheses[0]), "u1\tTHE \xff CAT ");

  const NbestFormat full{.dialect = NbestDialect::kColumns, .columns = {"total", "text", "-", "lscore", "id"}};
  EXPECT_EQ(rescored("x\ta b\t \x01 \t-3\tu\n", full, {.lm = 0.25, .total = 1e300}), "1e+300\ta b\t \x01 \t0.25\tu\n");
  refuses("u\t1\t2\n", plain, "line 1, column 6: 3 columns, separated by tabs: expected 4");
  refuses("u\t1\t2\ta\tb\n", plain, "line 1, column 9: 5 columns");
  refuses("u\tfirst\t2\ta\n", plain, "line 1, column 3: rank is \"first\"");
  refuses("u\t1\t2\ta\nu\t1\t-4,5\ta\n", plain, "line 2, column 5: score is \"-4,5\"");
  refuses("\t1\t2\ta\n", plain, "line 1, column 1: the id is empty");
}

TEST_F(Nbest, ObjectsKeepTheirSpacingAndKeys) {
  const NbestFormat json{.dialect = NbestDialect::kJson};
  const std::string text =
      "{ \"id\" : \"u,{1\", \"text\":\"the \\\"cat\\\"\", \"total\" : -1.5e3 , \"more\":{\"total\":[1,2]}, "
      "\"rank\":1}\r\n"
      "{\"id\":\"u,{1\",\"lscore\":-2,\"text\":\"\",\"rank\": 2 }\n";
  refuses(text, json, "line 2, column 1: it has lscore, unlike the first hypothesis of \"u,{1\"");
  const std::string one = text.substr(0, text.find('\n') + 1);
  const auto lists = read(one, json);
  EXPECT_EQ(lists[0].id, "u,{1");
  EXPECT_EQ(lists[0].hypotheses[0].text, "the \"cat\"");
  EXPECT_EQ(
      rescored(one, json, {.lm = -7, .total = 0.5, .rank = 3}),
      "{ \"id\" : \"u,{1\", \"text\":\"the \\\"cat\\\"\", \"total\" : 0.5 , \"more\":{\"total\":[1,2]}, \"rank\":3,"
      "\"lscore\":-7}\r\n");
  EXPECT_EQ(rescored("{\"id\":7,\"lscore\":-2,\"text\":\"\",\"rank\": 2 }\n", json, {.lm = -7, .total = 0.5}),
            "{\"id\":7,\"lscore\":-7,\"text\":\"\",\"rank\": 2 ,\"total\":0.5}\n");
  refuses("{\"id\":1}\n", json, "line 1, column 9: the key text is missing");
  refuses("{\"id\":1,\"text\":2}\n", json, "line 1, column 16: text is not a string");
  refuses("{\"id\":null,\"text\":\"\"}\n", json, "line 1, column 7: id is neither text nor a whole number");
  refuses("{\"id\":1,\"text\":\"\",\"score\":\"-1\"}\n", json, "line 1, column 27: score is not a number");
  refuses("{\"id\":1,\"text\":\"a\\nb\"}\n", json, "line 1, column 16: text holds a line end");
  refuses("{\"\\u0069d\":true,\"text\":\"\"}\n", json, "line 1, column 1: the key id is written with escapes");
  refuses("{\"id\":1,\"text\":\"\"\n", json, "line 1");
  refuses("{\"id\":\"a\\nb\",\"text\":\"\"}\n", json, "line 1, column 7: the id holds a line end");
  refuses("{\"id\":1,\"text\":\"\",\"score\":-1e200}\n", json,
          "line 1, column 27: score is -1e+200: expected a number");
  refuses("{\"id\":1,\"text\":\"\"}\n}\n", json, "line 2, column 1: the line is not valid JSON at byte 1");
  refuses("[]\n", json, "line 1, column 1: expected a JSON object");
  refuses("{\"id\":1,\"text\":\"\"}\n\n", json, "line 2");
}

TEST_F(Nbest, NumbersAreNeitherHugeNorTooSmallToRead) {
  const NbestFormat columns{.dialect = NbestDialect::kColumns, .columns = {"id", "score", "text"}};
  for (const std::string tiny : {"1e-400", "-1E-999", "-0"}) {
    EXPECT_EQ(read("u\t" + tiny + "\ta\n", columns)[0].hypotheses[0].score, 0) << tiny;
  }
  EXPECT_EQ(read("u\t-1e30\ta\n", columns)[0].hypotheses[0].score, -1e30);
  refuses("u\t1e31\ta\n", columns, "line 1, column 3: score is 1e+31: expected a number from -1e30 to 1e30");
  refuses("u\t-1e200\ta\n", columns, "line 1, column 3: score is -1e+200");
  refuses("u\t1e400\ta\n", columns, "expected a number");
  refuses("u\t1" + std::string(400, '0') + "e-9\ta\n", columns, "expected a number");
}

TEST_F(Nbest, AListBeforeAnothersWrongLineIsHandedOut) {
  const auto before = [&](const std::string& content, const NbestFormat& format) {
    NbestReader reader(write(content), format);
    std::size_t lists = 0;
    NbestList list;
    std::string first;
    std::string again;
    try {
      while (reader.next(list)) ++lists;
    } catch (const Error& error) {
      first = error.what();
    }
    try {
      (void)reader.next(list);
    } catch (const Error& error) {
      again = error.what();
    }
    EXPECT_NE(first, "");
    EXPECT_EQ(first, again);
    return lists;
  };
  const NbestFormat columns{.dialect = NbestDialect::kColumns, .columns = {"score", "id", "text"}};
  EXPECT_EQ(before("1\tu\ta\nx\tv\ta\n", columns), 1U);
  EXPECT_EQ(before("1\tu\ta\nx\tu\ta\n", columns), 0U);  // it may lack hypotheses
  EXPECT_EQ(before("1\tu\ta\n1\tv\n", columns), 1U);
  EXPECT_EQ(before("1\tu\ta\n1\n", columns), 0U);
  const NbestFormat moses{.dialect = NbestDialect::kMoses};
  EXPECT_EQ(before("0 ||| a ||| ||| 1\n1 ||| a\n", moses), 1U);
  EXPECT_EQ(before("-1 -2 1 a\n-1 x 1 a\n", {.dialect = NbestDialect::kSrilm}), 0U);
  EXPECT_EQ(before("a-1 x\na- y\n", {.dialect = NbestDialect::kKaldi}), 0U);
  const NbestFormat json{.dialect = NbestDialect::kJson};
  EXPECT_EQ(before("{\"id\":1,\"text\":\"\"}\n{\"id\":2,\"text\":0}\n", json), 1U);
  EXPECT_EQ(before("{\"id\":1,\"text\":\"\"}\n{\"id\":2\n", json), 0U);
}

TEST_F(Nbest, AnIdThatComesBackIsRefused) {
  const NbestFormat columns{.dialect = NbestDialect::kColumns, .columns = {"text", "id"}};
  refuses("u1\tu1\nb\tu2\nu1 c\tu1\n", columns, "line 3, column 6: the id \"u1\" came before");
  const NbestFormat json{.dialect = NbestDialect::kJson};
  const std::string escaped = "{\"id\":\"\\u0061\",\"text\":\"\"}\n";
  refuses(escaped + "{\"id\":2,\"text\":\"\"}\n" + escaped, json, "line 3, column 7: the id \"a\" came before");
  refuses("u1 a\nu2 b\nu1 c\n", {}, "line 3, column 1: the id \"u1\" came before");
  refuses("the cat\na dog\nthe dog\n", {}, "line 3, column 1: the id \"the\" came before");
  refuses("u1 a\n\nu1 c\n", {}, "line 2, column 1: there is no id");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "lists' holds no hypothesis", [&] { read("", {}); }));
}

TEST_F(Nbest, ColumnsMustHaveNamesThatAreKnown) {
  const auto fails = [](const std::vector<std::string>& columns, const std::string& words) {
    return fails_with(ErrorCode::kUsage, words,
                      [&] { check(NbestFormat{.dialect = NbestDialect::kColumns, .columns = columns}); });
  };
  EXPECT_TRUE(fails({"id", "txt"}, "unknown column \"txt\""));
  EXPECT_TRUE(fails({"id", "text", "id"}, "the column id is named twice"));
  EXPECT_TRUE(fails({"id", "score"}, "there is no column text"));
  EXPECT_TRUE(fails({}, "there is no column id"));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "alone, not in moses", [] {
    check(NbestFormat{.dialect = NbestDialect::kMoses, .columns = {"id", "text"}});
  }));
  EXPECT_EQ(parse_nbest_dialect("srilm"), NbestDialect::kSrilm);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "unknown format 'htk'", [] { (void)parse_nbest_dialect("htk"); }));
}

TEST_F(Nbest, ReferencesAreFoundByIdOrByNumber) {
  const NbestFormat rnnlm;
  const References references(write("u1\tTHE  CAT\r\nu2\nu3 a\n", "references"), rnnlm);
  const auto lists = read("u1 x\nu2 x\nu9 x\n", rnnlm);
  EXPECT_EQ(references.of(lists[0], "'f'"), "THE  CAT");
  EXPECT_EQ(references.of(lists[1], "'f'"), "");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "'f', line 3, column 1: ", [&] { (void)references.of(lists[2], "'f'"); }));
  const NbestFormat moses{.dialect = NbestDialect::kMoses};
  const References numbered(write("das Haus\n\n", "references"), moses);
  EXPECT_EQ(numbered.of(read("0 ||| a ||| ||| 1\n", moses)[0], "'f'"), "das Haus");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 2, column 1: the id \"u\" came before",
                         [&] { References(write("u a\nu b\n", "references"), rnnlm); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 1, column 1: there is no id",
                         [&] { References(write(" \n", "references"), rnnlm); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 2, column 3: the id \"u\" came before",
                         [&] { References(write("u a\n  u b\n", "references"), rnnlm); }));
  const NbestFormat columns{.dialect = NbestDialect::kColumns, .columns = {"text", "id"}};
  const References spaced(write("u 1\tthe cat\nu 2\t\nu3 a dog\n", "references"), columns);
  const auto their_lists = read("a\tu 1\na\tu 2\na\tu3\nu\tu\n", columns);
  EXPECT_EQ(spaced.of(their_lists[0], "'f'"), "the cat");
  EXPECT_EQ(spaced.of(their_lists[1], "'f'"), "");
  EXPECT_EQ(spaced.of(their_lists[2], "'f'"), "a dog");
  EXPECT_TRUE(
      fails_with(ErrorCode::kInput, "'f', line 4, column 3: ", [&] { (void)spaced.of(their_lists[3], "'f'"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 1, column 1: there is no id",
                         [&] { References(write("\ta\n", "references"), columns); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "holds no reference", [&] { References(write("", "references"), rnnlm); }));
}

TEST_F(Nbest, AByteOrderMarkBelongsToNoId) {
  const std::string mark = "\xEF\xBB\xBF";
  const auto lists = read(mark + "u1 the cat\nu1 the dog\nu2 a\n", {});
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_EQ(lists[0].hypotheses[0].line, "u1 the cat");
  EXPECT_EQ(References(write(mark + "u1 the cat\n", "references"), {}).of(lists[0], "'f'"), "the cat");
  const References moses(write(mark + "das Haus\n", "references"), {.dialect = NbestDialect::kMoses});
  EXPECT_EQ(moses.of(read("0 ||| das ||| ||| 0\n", {.dialect = NbestDialect::kMoses})[0], "'f'"), "das Haus");
  EXPECT_EQ(read(mark + R"({"id": "u", "text": "a"})" + "\n", {.dialect = NbestDialect::kJson})[0].id, "u");
  EXPECT_EQ(read(mark + "u\ta\n", {.dialect = NbestDialect::kColumns, .columns = {"id", "text"}})[0].id, "u");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "lists' is UTF-16", [&] { read("\xFF\xFEu\n", {}); }));
}

TEST_F(Nbest, LowerCaseKeepsWhiteSpaceAndWhatIsNotText) {
  EXPECT_EQ(lower_case("  THE \t\xC3\x89t\xC3\xA9 \n"), "  the \t\xC3\xA9t\xC3\xA9 \n");
  EXPECT_EQ(lower_case("A\xff"), "A\xff");
  EXPECT_EQ(lower_case(""), "");
}

}  // namespace
}  // namespace unroll
