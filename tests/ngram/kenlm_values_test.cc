// The numbers of KenLM's toy model (lm/test.arpa), and the values that its unit tests expect of it (lm/model_test.cc),
// as github.com/kpu/kenlm has them. The model tries every rule of back-off, and is not normalised.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "support/temporary_folder.h"
#include "unroll/ngram/ngram.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Lines of n-grams, each a log10 p, words, and perhaps a weight.
constexpr std::string_view kUnigrams = R"(-1.383514 , -0.30103
-1.139057 . -0.845098
-1.029493 </s>
-99 <s> -0.4149733
-1.995635 <unk> -20
-1.285941 a -0.69897
-1.687872 also -0.30103
-1.687872 beyond -0.30103
-1.687872 biarritz -0.30103
-1.687872 call -0.30103
-1.687872 concerns -0.30103
-1.687872 consider -0.30103
-1.687872 considering -0.30103
-1.687872 for -0.30103
-1.509559 higher -0.30103
-1.687872 however -0.30103
-1.687872 i -0.30103
-1.687872 immediate -0.30103
-1.687872 in -0.30103
-1.687872 is -0.30103
-1.285941 little -0.69897
-1.383514 loin -0.30103
-1.687872 look -0.30103
-1.285941 looking -0.4771212
-1.206319 more -0.544068
-1.509559 on -0.4771212
-1.509559 screening -0.4771212
-1.687872 small -0.30103
-1.687872 the -0.30103
-1.687872 to -0.30103
-1.687872 watch -0.30103
-1.687872 watching -0.30103
-1.687872 what -0.30103
-1.687872 would -0.30103
-3.141592 foo
-2.718281 bar 3.0
-6.535897 baz -0.0
)";

constexpr std::string_view kBigrams = R"(-0.6925742 , .
-0.7522095 , however
-0.7522095 , is
-0.0602359 . </s>
-0.4846522 <s> looking -0.4771214
-1.051485 <s> screening
-1.07153 <s> the
-1.07153 <s> watching
-1.07153 <s> what
-0.09132547 a little -0.69897
-0.2922095 also call
-0.2922095 beyond immediate
-0.2705918 biarritz .
-0.2922095 call for
-0.2922095 concerns in
-0.2922095 consider watch
-0.2922095 considering consider
-0.2834328 for ,
-0.5511513 higher more
-0.5845945 higher small
-0.2834328 however ,
-0.2922095 i would
-0.2922095 immediate concerns
-0.2922095 in biarritz
-0.2922095 is to
-0.09021038 little more -0.1998621
-0.7273645 loin ,
-0.6925742 loin .
-0.6708385 loin </s>
-0.2922095 look beyond
-0.4638903 looking higher
-0.4638903 looking on -0.4771212
-0.5136299 more . -0.4771212
-0.3561665 more loin
-0.1649931 on a -0.4771213
-0.1649931 screening a -0.4771213
-0.2705918 small .
-0.287799 the screening
-0.2922095 to look
-0.2622373 watch </s>
-0.2922095 watching considering
-0.2922095 what i
-0.2922095 would also
-2 also would -6
-15 <unk> <unk> -2
-4 <unk> however -1
-6 foo bar
)";

constexpr std::string_view kTrigrams = R"(-0.01916512 more . </s>
-0.0283603 on a little -0.4771212
-0.0283603 screening a little -0.4771212
-0.01660496 a little more -0.09409451
-0.3488368 <s> looking higher
-0.3488368 <s> looking on -0.4771212
-0.1892331 little more loin
-0.04835128 looking on a -0.4771212
-3 also would consider -7
-6 <unk> however <unk> -12
-7 to look a
)";

constexpr std::string_view kFourgrams = R"(-0.009249173 looking on a little -0.4771212
-0.005464747 on a little more -0.4771212
-0.005464747 screening a little more
-0.1453306 a little more loin
-0.01552657 <s> looking on a -0.4771212
-4 also would consider higher -8
)";

constexpr std::string_view kFivegrams = R"(-0.003061223 <s> looking on a little
-0.001813953 looking on a little more
-0.0432557 on a little more loin
-5 also would consider higher looking
)";

std::string toy_arpa() {
  const std::vector<std::string_view> sections{kUnigrams, kBigrams, kTrigrams, kFourgrams, kFivegrams};
  std::string text = "\\data\\\n";
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const auto count = std::count(sections[i].begin(), sections[i].end(), '\n');
    text += "ngram " + std::to_string(i + 1) + "=" + std::to_string(count) + "\n";
  }
  for (std::size_t i = 0; i < sections.size(); ++i) {
    text += "\n\\" + std::to_string(i + 1) + "-grams:\n" + std::string(sections[i]);
  }
  return text + "\n\\end\\\n";
}

struct Step {
  std::string_view word;
  double log10_p;
};

class KenLmValues : public testing::Test {
 protected:
  KenLmValues() : ngram_(loaded()) {}

  Ngram loaded() {
    write_bytes(folder_.path("toy.arpa"), toy_arpa());
    return Ngram::load(folder_.path("toy.arpa"));
  }
  [[nodiscard]] std::int32_t id(std::string_view word) const {
    const std::int32_t found = ngram_.id(word);
    return found < 0 ? ngram_.unknown() : found;
  }
  // The words one after another; returns the state after them.
  NgramState expect(NgramState state, const std::vector<Step>& steps) const {
    for (const Step& step : steps) {
      const double found = ngram_.log_prob(state, id(step.word)) / std::numbers::ln10;
      EXPECT_NEAR(found, step.log10_p, 1e-5 * std::fabs(step.log10_p)) << step.word;
    }
    return state;
  }
  [[nodiscard]] NgramState after(const std::vector<std::string_view>& words) const {
    NgramState state;
    for (const std::string_view word : words) ngram_.read(state, id(word));
    return state;
  }

  TemporaryFolder folder_;
  Ngram ngram_;
};

TEST_F(KenLmValues, AtTheStartOfALine) {
  expect(ngram_.begin(), {{"looking", -0.4846522}});
  expect(ngram_.begin(), {{",", -1.383514 - 0.4149733}});
  expect(ngram_.begin(), {{"this_is_not_found", -1.995635 - 0.4149733}});
}

TEST_F(KenLmValues, OfWordsThatContinueALine) {
  const NgramState little =
      expect(ngram_.begin(), {{"looking", -0.484652}, {"on", -0.348837}, {"a", -0.0155266}, {"little", -0.00306122}});
  expect(little, {{"the", -4.04005},
                  {"biarritz", -1.9889},
                  {"not_found", -2.29666},
                  {"more", -1.20632 - 20},
                  {".", -0.51363},
                  {"</s>", -0.0191651}});
  expect(little, {{"more", -0.00181395}, {"loin", -0.0432557}});
}

TEST_F(KenLmValues, OfContextsThatAreNotListed) {
  const NgramState consider = expect({}, {{"also", -1.687872}, {"would", -2}, {"consider", -3}});
  expect(consider, {{"higher", -4}, {"looking", -5}});
  expect(consider, {{"not_found", -1.995635 - 7.0 - 0.30103}});
  const NgramState looking = expect({}, {{"higher", -1.509559}, {"looking", -1.285941 - 0.30103}});
  expect(looking, {{"not_found", -1.995635 - 0.4771212}});
  expect(looking, {{"consider", -1.687872 - 0.4771212}});
  expect({}, {{"would", -1.687872},
              {"consider", -1.687872 - 0.30103},
              {"higher", -1.509559 - 0.30103},
              {"looking", -1.285941 - 0.30103}});
}

TEST_F(KenLmValues, OfUnknownWords) {
  const NgramState unknown = expect({}, {{"not_found", -1.995635}});
  expect(unknown, {{"not_found2", -15}, {"not_found3", -15 - 2.0}});
  expect(unknown, {{"however", -4}, {"not_found3", -6}});
}

TEST_F(KenLmValues, OfWeightsAboveOne) {
  expect({}, {{"baz", -6.535897}});
  expect({}, {{"foo", -3.141592}, {"bar", -6.0}, {"bar", -2.718281 + 3.0}});
  expect({}, {{"to", -1.687872}, {"look", -0.2922095}, {"a", -7}});
}

TEST_F(KenLmValues, OfShortenedContexts) {
  expect(after({"looking"}), {{"on", -0.4638903}});
  expect(after({"a", "little", "the"}), {{"biarritz", -1.9889}});
  expect(after({"the"}), {{"biarritz", -1.9889}});
  expect(after({"biarritz"}), {{"not_found", -2.29666}});
  expect(after({"a"}), {{"little", -0.09132547}});
  expect(after({"on", "a"}), {{"little", -0.0283603}});
  expect({}, {{"the", -1.687872}});
  expect({}, {{"little", -1.285941}});
}

// Some of its contexts were made up.
TEST_F(KenLmValues, OfTheSumsAreNotOne) {
  EXPECT_GT(ngram_.sums().wrong, 0);
  EXPECT_EQ(ngram_.sums().worst_context, "also would consider higher");
  EXPECT_NEAR(ngram_.sums().worst_sum, 1e-5 + 1e-8, 1e-9);
}

}  // namespace
}  // namespace unroll
