// One writer at a time for a path.
#pragma once

#include <string>

namespace unroll {

// An exclusive claim to write `path` for the lifetime of this object: a lock (flock) on the file ".NAME.unroll-lock"
// next to the end of its links, which is created and removed again, and names its holder, process and host. A killed
// process loses its claim; the lock file that it leaves behind blocks nobody, and the next claim removes it. A file
// of that name that is not a lock file is neither changed nor removed.
//
// Among the processes of one machine, and where a network file system passes locks on to its server (NFS as Linux
// mounts it) of all its clients; the server frees the locks of a client that died when it notices. Where there are no
// locks everybody gets the claim.
class FileClaim {
 public:
  // Throws Error{kFile} if another process or object holds the claim, naming that, and as expect_writable() of
  // unroll/paths.h.
  explicit FileClaim(const std::string& path);
  ~FileClaim();
  FileClaim(const FileClaim&) = delete;
  FileClaim& operator=(const FileClaim&) = delete;

 private:
  // Opens the lock file, made if it is missing; whether it can serve as a lock.
  bool open_lock();
  // Throws, and removes the file, if there is no space for its text.
  void write_text();
  // Whether the lock file is still the one that is open: its last holder may have removed it.
  [[nodiscard]] bool is_in_place() const;
  [[nodiscard]] bool is_ours() const;
  // Writes into the lock file who holds it.
  void name_holder() const;

  std::string path_;
  std::string lock_path_;
  int descriptor_ = -1;
  bool made_ = false;  // by this object
};

}  // namespace unroll
