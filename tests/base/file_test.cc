#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

void replace(const std::string& path, const std::string& content) {
  replace_file(path, std::array<std::string_view, 1>{content});
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

// Makes every file that this process writes end at `bytes`, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

// Runs `f` in a child process without root's access to every file; true if it throws Error{kFile} naming `path` and a
// lack of permission.
template <class F>
bool lacks_permission(const std::string& path, const F& f) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(2);
    try {
      f();
    } catch (const Error& error) {
      const std::string message = error.what();
      const bool told =
          message.find(path) != std::string::npos && message.find("Permission denied") != std::string::npos;
      ::_exit(error.code() == ErrorCode::kFile && told ? 0 : 3);
    }
    ::_exit(4);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(File, ReadsBackEveryByteThatWasWrittenInPieces) {
  const TemporaryFolder folder;
  std::string all_values;
  for (int value = 0; value < 256; ++value) all_values += static_cast<char>(value);
  const std::vector<std::string_view> pieces = {"first", "", all_values, "last"};
  replace_file(folder.path("x"), pieces);
  EXPECT_EQ(read_file(folder.path("x")), "first" + all_values + "last");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"x"});
}

TEST(File, ReadsAnEmptyFileAsNothing) {
  const TemporaryFolder folder;
  replace_file(folder.path("x"), {});
  EXPECT_EQ(read_file(folder.path("x")), "");
}

TEST(File, ReplacesTheTargetOfASymbolicLink) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path("there"));
  replace(folder.path("there/file"), "old");
  std::filesystem::create_symlink("there/file", folder.path("link"));
  std::filesystem::create_symlink(folder.path("link"), folder.path("link to link"));
  std::filesystem::create_symlink("there/new", folder.path("dangling"));
  replace(folder.path("link to link"), "new");
  replace(folder.path("dangling"), "first");
  EXPECT_EQ(read_file(folder.path("there/file")), "new");
  EXPECT_EQ(read_file(folder.path("there/new")), "first");
  for (const char* link : {"link", "link to link", "dangling"}) {
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path(link))) << link;
  }
  EXPECT_EQ(names_in(folder.path("there")), (std::vector<std::string>{"file", "new"}));

  std::filesystem::create_symlink("loop", folder.path("loop"));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "loop", [&] { replace(folder.path("loop"), "x"); }));
}

TEST(Error, IsOneLine) {
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "a  b", [] { static_cast<void>(read_file("a\r\nb")); }));
}

TEST(File, ReadsTheHeadOfAFile) {
  const TemporaryFolder folder;
  replace(folder.path("x"), "abcdef");
  EXPECT_EQ(read_head(folder.path("x"), 3), "abc");
  EXPECT_EQ(read_head(folder.path("x"), 10), "abcdef");
}

TEST(File, ReadsAPipeToItsEnd) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string content(200'000, 'x');
  std::thread writer([&] { write_bytes(pipe, content); });
  const std::string read = read_file(pipe);
  writer.join();
  EXPECT_EQ(read, content);
}

TEST(File, AMappedFileSurvivesMoves) {
  const TemporaryFolder folder;
  const std::string content(200'000, 'x');
  replace(folder.path("x"), content);
  MappedFile file(folder.path("x"));
  file.fetch();
  const char* const place = file.bytes().data();
  const MappedFile moved = std::move(file);
  EXPECT_EQ(moved.bytes(), content);
  EXPECT_EQ(moved.bytes().data(), place);
}

TEST(File, AMappedFileKeepsItsBytesWhenItIsReplaced) {
  const TemporaryFolder folder;
  replace(folder.path("x"), "the old content");
  const MappedFile file(folder.path("x"));
  replace(folder.path("x"), "new");
  EXPECT_EQ(file.bytes(), "the old content");
  remove_file(folder.path("x"));
  EXPECT_EQ(file.bytes(), "the old content");
}

TEST(File, ReadsAFileThatCannotBeMapped) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string content(200'000, 'x');
  std::thread writer([&] { write_bytes(pipe, content); });
  MappedFile file(pipe);
  writer.join();
  const MappedFile moved = std::move(file);
  moved.fetch();
  EXPECT_EQ(moved.bytes(), content);
  replace_file(folder.path("empty"), {});
  EXPECT_EQ(MappedFile(folder.path("empty")).bytes(), "");
  EXPECT_NE(MappedFile("/proc/self/status").bytes(), "");
}

TEST(File, SaysWhyAFileCannotBeMapped) {
  const TemporaryFolder folder;
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "Is a directory", [&] { const MappedFile file(folder.path()); }));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "No such file", [&] { const MappedFile file(folder.path("absent")); }));
}

TEST(File, ReplacesALongerFileWhole) {
  const TemporaryFolder folder;
  replace(folder.path("x"), std::string(100'000, 'a'));
  replace(folder.path("x"), "short");
  EXPECT_EQ(read_file(folder.path("x")), "short");
}

TEST(File, ReadersOfTheOldFileKeepIt) {
  const TemporaryFolder folder;
  replace(folder.path("x"), "old content");
  std::ifstream reader(folder.path("x"));
  replace(folder.path("x"), "new");
  std::string line;
  std::getline(reader, line);
  EXPECT_EQ(line, "old content");
}

TEST(File, StaysWholeWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  replace(path, "the old content");
  const std::string large(100'000, 'n');
  std::optional<Error> error;
  {
    const FileSizeLimit limit(4096);
    error = error_of([&] { replace(path, large); });
  }
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kFile);
  EXPECT_NE(std::string(error->what()).find(path), std::string::npos);
  EXPECT_NE(std::string(error->what()).find("File too large"), std::string::npos);
  EXPECT_EQ(read_file(path), "the old content");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"x"});
}

TEST(File, WritesThroughNoFileOfTheSameFolder) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  for (const char* ending : {".unroll-tmp", ".lock", ".tmp"}) {
    std::filesystem::create_symlink("other", path + ending);
    replace(folder.path("other"), "somebody's");
    replace(path, "new");
    EXPECT_EQ(read_file(folder.path("other")), "somebody's") << ending;
    EXPECT_TRUE(std::filesystem::is_symlink(path + ending));
    std::filesystem::remove(path + ending);
  }
}

TEST(File, TheLongestNameIsWritten) {
  const TemporaryFolder folder;
  const std::string path = folder.path(std::string(255, 'n'));
  replace(path, "first");
  replace(path, "second");
  EXPECT_EQ(read_file(path), "second");
  EXPECT_EQ(names_in(folder.path()).size(), 1U);
}

TEST(File, WritersAtOnceEachWriteAWholeFile) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  const auto write_often = [&](char content) {
    for (int i = 0; i < 20; ++i) replace(path, std::string(300'000, content));
  };
  std::thread other([&] { write_often('a'); });
  write_often('b');
  other.join();
  const std::string content = read_file(path);
  EXPECT_EQ(content, std::string(300'000, content.at(0)));
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"x"});
}

TEST(File, SaysWhichFileIsMissing) {
  const TemporaryFolder folder;
  const std::string path = folder.path("absent");
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "cannot open '" + path + "': No such file or directory",
                         [&] { (void)read_file(path); }));
}

TEST(File, RefusesADirectory) {
  const TemporaryFolder folder;
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "Is a directory", [&] { (void)read_file(folder.path()); }));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "Is a directory", [&] { replace(folder.path(), "x"); }));
}

TEST(File, RefusesToReplaceAnythingButARegularFile) {
  const TemporaryFolder folder;
  const std::string path = folder.path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "'" + path + "': it is not a regular file", [&] { replace(path, "x"); }));
  EXPECT_TRUE(std::filesystem::is_fifo(path));
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"pipe"});
}

TEST(File, RefusesToWriteIntoAMissingFolder) {
  const TemporaryFolder folder;
  const std::string path = folder.path("absent/x");
  EXPECT_TRUE(fails_with(ErrorCode::kFile, path, [&] { replace(path, "x"); }));
}

TEST(File, SaysWhenPermissionIsMissing) {
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  const std::string path = folder.path("x");
  write_bytes(path, "secret");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  EXPECT_TRUE(lacks_permission(path, [&] { (void)read_file(path); }));
  EXPECT_TRUE(lacks_permission(path, [&] { replace(path, "overwritten"); }));
  EXPECT_TRUE(lacks_permission(path, [&] { remove_file(path); }));
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(read_file(path), "secret");
}

TEST(File, RemovesAnExistingFileAndIgnoresAMissingOne) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  EXPECT_FALSE(file_exists(path));
  replace(path, "x");
  EXPECT_TRUE(file_exists(path));
  remove_file(path);
  EXPECT_FALSE(file_exists(path));
  EXPECT_NO_THROW(remove_file(path));
  EXPECT_EQ(error_of([&] { remove_file(folder.path()); })->code(), ErrorCode::kFile);
}

}  // namespace
}  // namespace unroll
