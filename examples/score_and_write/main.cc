// score_and_write MODEL SENTENCE: prints the log-probability of a sentence, then 100 symbols generated after it.
#include <unroll/generator.h>
#include <unroll/model.h>
#include <unroll/scorer.h>

#include <exception>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: score_and_write MODEL SENTENCE\n";
    return 2;
  }
  const std::string sentence = argv[2];
  try {
    const auto model = unroll::Model::load(argv[1]);

    unroll::Scorer scorer(model);
    const unroll::Score score = scorer.score(sentence);
    std::cout.precision(std::numeric_limits<double>::max_digits10);
    std::cout << "log_prob " << score.log_prob << " nats, " << score.predictions << " tokens\n";

    unroll::Generator writer(model, {.temperature = 0.8, .seed = 1});
    writer.write(sentence, 100, [](std::string_view piece) {
      std::cout << piece << std::flush;
      return true;
    });
    std::cout << '\n';
  } catch (const std::exception& error) {  // unroll::Error says what failed, where, and what to try
    std::cerr << "score_and_write: " << error.what() << '\n';
    return 1;
  }
}
