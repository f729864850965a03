// A file that is written over a long time, appears under its path when it is complete, and is found again after a kill.
//
//   unroll::GrowingFile file("scores.txt");
//   file.start(file.left() ? whole_bytes_of(file.part_path()) : 0);
//   while (more()) file.write(rows());
//   file.finish();
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace unroll {

// Until finish() the bytes are in the file ".NAME.unroll-part" next to the end of the path's links. It stays when the
// program ends before: the next GrowingFile of the path may keep its first bytes. Nobody else of this program's kind
// writes the path meanwhile. What is at the path is replaced as a whole or not at all. One thread at a time.
class GrowingFile {
 public:
  // Changes nothing yet. Throws Error{kFile} as expect_writable() of unroll/paths.h, if another process is writing the
  // path, and if what has the part's name is not a regular file.
  explicit GrowingFile(const std::string& path);
  ~GrowingFile();
  GrowingFile(GrowingFile&&) noexcept;
  GrowingFile& operator=(GrowingFile&&) noexcept;

  // The name of the part, and the bytes that it has; none: there is no such file.
  [[nodiscard]] const std::string& part_path() const noexcept;
  [[nodiscard]] std::optional<std::int64_t> left() const;

  // Opens the part, made if it is missing, and cuts it after its first `kept` bytes. Requires as many. Throws
  // Error{kFile} naming the path and the system's reason; so do the others.
  void start(std::int64_t kept = 0);

  // Appends. Requires start().
  void write(std::string_view bytes);

  // Flushes the part to disk and renames it to the path. Nothing may follow. Throws Error{kFile} also if the part is
  // not as long as what was written: where there are no locks, another process may have written into it.
  void finish();

  // Removes the part, if there is one.
  void discard();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
