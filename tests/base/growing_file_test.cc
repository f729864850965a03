#include "unroll/growing_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

std::size_t entries_of(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.exists() ? 1U : 0U;
  return count;
}

TEST(GrowingFile, AppearsUnderItsPathWhenItIsComplete) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  write_bytes(path, "old");
  GrowingFile file(path);
  EXPECT_FALSE(file.left());
  file.start();
  file.write("new ");
  file.write("bytes");
  EXPECT_EQ(bytes_of(path), "old");
  EXPECT_EQ(bytes_of(file.part_path()), "new bytes");
  file.finish();
  EXPECT_EQ(bytes_of(path), "new bytes");
  EXPECT_FALSE(file.left());
}

TEST(GrowingFile, IsFoundAgainAndGoesOnAfterTheBytesThatAreKept) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  {
    GrowingFile file(path);
    file.start();
    file.write("whole line\nhal");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  {
    GrowingFile file(path);
    ASSERT_EQ(file.left(), 14);
    file.start(11);
    file.write("next line\n");
    file.finish();
  }
  EXPECT_EQ(bytes_of(path), "whole line\nnext line\n");
  EXPECT_EQ(entries_of(folder.path()), 1U);
}

TEST(GrowingFile, IsWrittenByOneAtATime) {
  const TemporaryFolder folder;
  const GrowingFile first(folder.path("x"));
  EXPECT_TRUE(
      fails_with(ErrorCode::kFile, "another process is writing", [&] { const GrowingFile second(folder.path("x")); }));
}

TEST(GrowingFile, DoesNotWriteIntoWhatIsNoFile) {
  const TemporaryFolder folder;
  write_bytes(folder.path("other"), "somebody's");
  std::filesystem::create_symlink("other", folder.path(".x.unroll-part"));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "not a regular file", [&] { const GrowingFile file(folder.path("x")); }));
  EXPECT_EQ(bytes_of(folder.path("other")), "somebody's");
}

TEST(GrowingFile, NoticesThatAnotherProcessWroteIntoIt) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  GrowingFile file(path);
  file.start();
  file.write("mine");
  std::ofstream(file.part_path(), std::ios::app | std::ios::binary) << " and yours";
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "did another process write it", [&] { file.finish(); }));
  write_bytes(file.part_path(), "not");
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "did another process write it", [&] { file.finish(); }));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(GrowingFile, IsDiscarded) {
  const TemporaryFolder folder;
  GrowingFile file(folder.path("x"));
  file.start();
  file.write("text");
  file.discard();
  EXPECT_FALSE(file.left());
}

}  // namespace
}  // namespace unroll
