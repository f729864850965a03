// A file that is written piece by piece and appears under its path when it is complete.
//
//   unroll::OutputFile file("states.tsv");
//   while (more()) file.write(row());
//   file.finish();
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace unroll {

// Replaces what is at `path`, or leaves it as it was: until finish() the bytes are in a file without a name, which is
// gone with this object or with the program. Nobody else of this program's kind writes the path meanwhile. The end of a
// symbolic link is replaced, and the link stays. One thread at a time.
class OutputFile {
 public:
  // Throws Error{kFile} as expect_writable() of unroll/paths.h, and if another process is writing the path.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;

  // Appends. Throws Error{kFile} naming the path and the system's reason (no space); so do the others.
  void write(std::string_view bytes);

  // Puts `bytes` in the place of the first that were written, at least as many.
  void rewrite_start(std::string_view bytes);

  // Flushes the file to disk and puts it in its place. Nothing may follow.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
