// A file that appears under its path when it is complete.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// Throws Error{kFile} if `path` is not to be replaced by renaming: a folder, a device, a pipe, or another user's file
// in a folder where only its owner may.
void expect_replaceable(const std::string& path);

// Removes the files that killed programs left next to `path` when they were about to replace it, by their names.
// Requires that nobody else is about to: a FileClaim of the path, or of the one that it belongs to.
void remove_leftovers(const std::string& path);

// Flushes the folder of `target`, so that a renaming in it outlives a power cut. Throws Error{kFile}; where folders
// cannot be flushed, nothing is done.
void flush_folder_of(const std::string& target);

// A file next to `target`, which is empty, and gone with this object unless it has replaced it. Until then it has no
// name (O_TMPFILE), so that a killed program leaves nothing behind; for the moment before it replaces the target, and
// all the time where the file system has no such files, it has a fresh one: ".unroll-tmp-", 16 digits that stand for
// the target's name, "-" and 16 digits.
class NewFile {
 public:
  // Requires the end of links. Throws Error{kFile} naming the target and the system's reason; so do all others.
  explicit NewFile(const std::string& target);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::string_view bytes);

  // Writes over the first bytes, which were written before.
  void rewrite_start(std::string_view bytes);

  // A path under which what was written so far can be read, while this exists.
  [[nodiscard]] std::string content_path() const;

  // Flushes the file to disk, renames it over the target, flushes the folder.
  void replace_target();

 private:
  // Calls make(name) with fresh names until it returns true or errno is not EEXIST.
  template <class Make>
  bool make_with_fresh_name(const Make& make);
  void open_named();
  bool give_name();
  void copy_to_named();

  std::string target_;
  std::string folder_;
  std::string name_;  // empty: it has none
  int descriptor_;
};

}  // namespace unroll
