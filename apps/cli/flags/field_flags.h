// Field to flag: the library names fields of options structs (unroll/error.h), users of the command know flags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unroll/error.h"

namespace unroll {

// The flags of the verb whose command line is read: those that its help lists, and those that were given.
struct VerbFlags {
  std::vector<std::string> flags = {};
  std::vector<std::string> given = {};
};

// Of the present verb; set by Flags::parse().
[[nodiscard]] VerbFlags& present_verb();

// The flag that sets a field: "--batch-size" for "run.batch_size". Whether a verb has that flag is another question.
[[nodiscard]] std::string flag_of(std::string_view field);

// `message` with every field between backticks as a flag.
[[nodiscard]] std::string with_flags(std::string_view message);

// The same for users of `verb`: fields for which it has no flag are named in words.
[[nodiscard]] std::string with_flags(std::string_view message, const VerbFlags& verb);

// The message of an error for users of `verb`, with the advice that its flags allow.
[[nodiscard]] std::string message_for(const Error& error, const VerbFlags& verb);

}  // namespace unroll
