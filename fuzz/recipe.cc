#include "cli/flags/recipe.h"

#include "cli/flags/train_flags.h"
#include "target.h"
#include "targets.h"

namespace unroll {

std::string fuzz_recipe(std::string_view input) {
  const std::string path = file_of(input, "fuzzed.toml");
  return refusal_of([&] {
    expect(parse_recipe("fuzzed", path, input).text == input, "a recipe keeps its text");
    expect(parse_train_command({"book.txt", "--save", "book.model", "--recipe", path}).has_value(),
           "a recipe does not ask for help");
  });
}

}  // namespace unroll
