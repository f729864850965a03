// Paths that a verb writes to, checked before it does any work.
#pragma once

#include <string>
#include <vector>

namespace unroll {

// Throws Error{kUsage} if writing to `path`, given by `flag`, would replace one of the inputs.
void expect_no_input(const std::string& flag, const std::string& path, const std::vector<std::string>& inputs);

// The same, and Error{kUsage} for standard output and for a file that exists where it is not to be overwritten (the
// message suggests --overwrite), and Error{kFile} for a path that cannot be written.
void expect_output(const std::string& flag, const std::string& path, const std::vector<std::string>& inputs,
                   bool overwrite);

}  // namespace unroll
