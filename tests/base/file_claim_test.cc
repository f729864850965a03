#include "base/file_claim.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unroll/paths.h"

namespace unroll {
namespace {

std::vector<std::string> lock_files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("lock")) names.push_back(name);
  }
  return names;
}

bool is_claimed(const std::string& path) {
  const std::optional<Error> error = error_of([&] { const FileClaim claim(path); });
  return error && std::string(error->what()).find("another process is writing") != std::string::npos;
}

// Runs `f` in a child process of a user without privileges; what it returned.
template <class F>
int as_another_user(const F& f) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(99);
    int result = 98;
    try {
      result = f();
    } catch (const Error&) {
      result = 97;
    }
    ::_exit(result);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The lock file that a killed process leaves behind.
void leave_lock(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    const FileClaim claim(path);
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
}

TEST(FileClaim, IsHeldOnceAndLeavesNothing) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  {
    const FileClaim claim(path);
    EXPECT_EQ(lock_files_in(folder.path()), std::vector<std::string>{".x.unroll-lock"});
    EXPECT_TRUE(is_claimed(path));
    EXPECT_FALSE(is_claimed(folder.path("y")));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FileClaim, NamesTheProcessThatHoldsItAndOfAnotherHostWhatToDo) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  const FileClaim claim(path);
  const std::string lock = folder.path(".x.unroll-lock");
  const std::string text = bytes_of(lock);
  const std::string process = "process " + std::to_string(::getpid()) + " on host ";
  ASSERT_NE(text.find(process), std::string::npos);
  const auto said = [&] { return std::string(error_of([&] { const FileClaim second(path); })->what()); };
  EXPECT_NE(said().find(process), std::string::npos);
  EXPECT_EQ(said().find("remove"), std::string::npos);
  std::ofstream(lock, std::ios::in | std::ios::binary)
      << text.substr(0, text.find(process)) << "process 77 on host elsewhere\n";
  EXPECT_NE(said().find("(process 77 on host elsewhere)"), std::string::npos);
  EXPECT_NE(said().find("remove '" + lock + "'"), std::string::npos);
}

TEST(FileClaim, ThatAKilledProcessLeftBlocksNobodyAndIsRemoved) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  leave_lock(path);
  EXPECT_EQ(lock_files_in(folder.path()).size(), 1U);
  EXPECT_FALSE(is_claimed(path));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FileClaim, IsOfTheFileAtTheEndOfLinks) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path("there"));
  std::filesystem::create_symlink("there/x", folder.path("link"));
  std::filesystem::create_symlink("there", folder.path("same"));
  const FileClaim claim(folder.path("link"));
  for (const char* name : {"link", "there/x", "same/x", "same/../there/x"}) {
    EXPECT_TRUE(is_claimed(folder.path(name))) << name;
  }
}

TEST(FileClaim, SparesFilesThatAreNoLockFiles) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  write_bytes(path + ".lock", "versions of packages");
  write_bytes(folder.path(".x.unroll-lock"), "somebody's");
  write_bytes(folder.path("target"), "");
  std::filesystem::create_symlink("target", folder.path(".y.unroll-lock"));
  std::filesystem::create_directory(folder.path(".z.unroll-lock"));
  ASSERT_EQ(::mkfifo(folder.path(".p.unroll-lock").c_str(), 0600), 0);
  for (const char* name : {"x", "y", "z", "p"}) EXPECT_NO_THROW({ const FileClaim claim(folder.path(name)); }) << name;
  EXPECT_EQ(bytes_of(path + ".lock"), "versions of packages");
  EXPECT_EQ(bytes_of(folder.path(".x.unroll-lock")), "somebody's");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path(".y.unroll-lock")));
  EXPECT_TRUE(std::filesystem::is_directory(folder.path(".z.unroll-lock")));
  EXPECT_TRUE(std::filesystem::is_fifo(folder.path(".p.unroll-lock")));
}

TEST(FileClaim, DoesNotMindALockThatACallerHoldsOnItsOwnFile) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  write_bytes(path + ".lock", "");
  const int descriptor = ::open((path + ".lock").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(descriptor, LOCK_EX | LOCK_NB), 0);
  EXPECT_FALSE(is_claimed(path));
  ::close(descriptor);
}

TEST(FileClaim, ThatAnotherUserLeftBlocksNobodyInAFolderOfAll) {
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), static_cast<std::filesystem::perms>(01777));
  const std::string path = folder.path("x");
  leave_lock(path);
  EXPECT_EQ(as_another_user([&] { return is_claimed(path) ? 1 : 0; }), 0);
  const FileClaim claim(path);
  EXPECT_EQ(as_another_user([&] { return is_claimed(path) ? 1 : 0; }), 1);
}

TEST(FileClaim, IsRefusedForAPathThatCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "absent/x", [&] { const FileClaim claim(folder.path("absent/x")); }));
  const std::string longest = folder.path(std::string(242, 'n'));
  EXPECT_NO_THROW({ const FileClaim claim(longest); });
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "File name too long", [&] { const FileClaim claim(longest + "n"); }));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Paths, AFileIsWritableOrNotAndTryingChangesNothing) {
  const TemporaryFolder folder;
  EXPECT_NO_THROW(expect_writable(folder.path("x")));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "Is a directory", [&] { expect_writable(folder.path()); }));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "not a regular file", [] { expect_writable("/dev/null"); }));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "too long", [&] { expect_writable(folder.path(std::string(245, 'n'))); }));
  write_bytes(folder.path("x"), "old");
  expect_writable(folder.path("x"));
  EXPECT_EQ(bytes_of(folder.path("x")), "old");
}

TEST(Paths, AnotherUsersFileInAFolderLikeTmpIsNotWritable) {
  const TemporaryFolder folder;
  write_bytes(folder.path("x"), "old");
  std::filesystem::permissions(folder.path(), static_cast<std::filesystem::perms>(01777));
  const auto writable = [&](const char* name) {
    return as_another_user([&] {
      expect_writable(folder.path(name));
      return 0;
    });
  };
  EXPECT_EQ(writable("new"), 0);
  if (::geteuid() != 0) GTEST_SKIP() << "there is no other user to be";
  EXPECT_EQ(writable("x"), 97);
}

TEST(Paths, TheSameFileIsKnownByAnyName) {
  const TemporaryFolder folder;
  write_bytes(folder.path("x"), "x");
  write_bytes(folder.path("other"), "x");
  std::filesystem::create_symlink("x", folder.path("link"));
  std::filesystem::create_hard_link(folder.path("x"), folder.path("hard"));
  std::filesystem::create_symlink(folder.path("absent"), folder.path("dangling"));
  for (const char* name : {"x", "link", "hard", "./x"}) {
    EXPECT_TRUE(same_file(folder.path("x"), folder.path(name))) << name;
  }
  EXPECT_FALSE(same_file(folder.path("x"), folder.path("other")));
  EXPECT_TRUE(same_file(folder.path("absent"), folder.path("./absent")));
  EXPECT_TRUE(same_file(folder.path("absent"), folder.path("dangling")));
  EXPECT_FALSE(same_file(folder.path("absent"), folder.path("absent2")));
  EXPECT_FALSE(same_file(folder.path("absent"), folder.path("x")));
  EXPECT_FALSE(same_file(folder.path("a/absent"), folder.path("b/absent")));
  EXPECT_TRUE(same_file("-", "/dev/stdin"));
}

// A program that is killed between giving a new file a name and renaming it leaves that name behind.
TEST(FileClaim, RemovesWhatAKilledWriterOfTheSamePathLeft) {
  const TemporaryFolder folder;
  const std::string path = folder.path("model");
  const std::string left = folder.path(".unroll-tmp-9de543933e6e703a-0123456789abcdef");  // FNV-1a of "model"
  write_bytes(left, "half");
  const std::vector<std::string> others{".unroll-tmp-0123456789abcdef-0123456789abcdef",
                                        ".unroll-tmp-9de543933e6e703a-0123", ".unroll-tmp", "model.tmp"};
  for (const std::string& name : others) write_bytes(folder.path(name), "somebody's");
  { const FileClaim claim(path); }
  EXPECT_FALSE(std::filesystem::exists(left));
  for (const std::string& name : others) EXPECT_TRUE(std::filesystem::exists(folder.path(name))) << name;
}

}  // namespace
}  // namespace unroll
