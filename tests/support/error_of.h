// Catches the Error of a call, for tests that check it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "unroll/error.h"

namespace unroll {

// Returns the Error that `f` throws. Any other exception propagates and fails the test.
template <class F>
std::optional<Error> error_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

// Checks that `f` throws an Error of this code whose message contains `part`.
template <class F>
testing::AssertionResult fails_with(ErrorCode code, const std::string& part, const F& f) {
  const std::optional<Error> error = error_of(f);
  if (!error) return testing::AssertionFailure() << "no error was thrown";
  if (error->code() != code) {
    return testing::AssertionFailure() << "code " << static_cast<int>(error->code()) << ": " << error->what();
  }
  if (std::string(error->what()).find(part) == std::string::npos) {
    return testing::AssertionFailure() << "\"" << error->what() << "\" does not hold \"" << part << "\"";
  }
  return testing::AssertionSuccess();
}

}  // namespace unroll
