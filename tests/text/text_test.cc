#include "unroll/text.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unroll/warning.h"

namespace unroll {
namespace {

using namespace std::string_literals;

// kUnpacked as `gzip -9n` packs them.
constexpr std::array<unsigned char, 63> kPacked = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x0b, 0xc9, 0x57, 0x48, 0x4a, 0xd5,
    0x51, 0xc8, 0x2f, 0x52, 0xc8, 0xcb, 0x2f, 0x51, 0x28, 0x01, 0xf3, 0xb8, 0x4a, 0x32, 0x12, 0x4b,
    0x14, 0x32, 0x8b, 0x15, 0x4a, 0x32, 0x52, 0x15, 0x0a, 0x4b, 0x53, 0x8b, 0x4b, 0x32, 0xf3, 0xf3,
    0xf4, 0xb8, 0x42, 0x88, 0x57, 0x0a, 0x00, 0x70, 0xaf, 0x5e, 0xbb, 0x56, 0x00, 0x00, 0x00};
constexpr std::string_view kUnpacked =
    "To be, or not to be,\nthat is the question.\nTo be, or not to be,\nthat is the question.\n";

std::string packed() { return {reinterpret_cast<const char*>(kPacked.data()), kPacked.size()}; }

std::string little_endian(std::uint32_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  return out;
}

std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

// A gzip stream (RFC 1952) that holds each part as one uncompressed block of at most 65,535 bytes.
std::string gzip_of(const std::vector<std::string>& parts) {
  std::string stream = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"s;
  std::string all;
  for (const std::string& part : parts) {
    const auto size = static_cast<std::uint32_t>(part.size());
    stream += "\x00"s + little_endian(size, 2) + little_endian(~size, 2) + part;
    all += part;
  }
  stream += "\x01\x00\x00\xff\xff"s + little_endian(crc32_of(all), 4);
  return stream + little_endian(static_cast<std::uint32_t>(all.size()), 4);
}

std::vector<std::string> lines_of(const std::string& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  std::string line;
  while (reader.next(line)) lines.push_back(line);
  return lines;
}

// A pipe whose reading end is opened by its path.
class Pipe {
 public:
  Pipe() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("no pipe");
  }
  ~Pipe() {
    close_writer();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }
  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t done = ::write(ends_[1], bytes.data(), bytes.size());
      if (done < 0) throw std::runtime_error("cannot write to the pipe");
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
  }
  void close_writer() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

TEST(ReadText, GivesEveryByteOfAFile) {
  const TemporaryFolder folder;
  std::string bytes;
  for (int i = 0; i < 70000; ++i) bytes += static_cast<char>(static_cast<unsigned char>(i * 7));
  write_bytes(folder.path("a"), bytes);
  EXPECT_EQ(read_text(folder.path("a")), bytes);
  write_bytes(folder.path("empty"), "");
  EXPECT_EQ(read_text(folder.path("empty")), "");
}

TEST(ReadText, NamesTheSystemsReasonForWhatCannotBeRead) {
  const TemporaryFolder folder;
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "No such file", [&] { (void)read_text(folder.path("missing")); }));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, folder.path("missing"), [&] { (void)read_text(folder.path("missing")); }));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "Is a directory", [&] { (void)read_text(folder.path()); }));
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "Is a directory", [&] { const LineReader reader(folder.path()); }));
}

TEST(ReadText, RefusesAFileThatItHasNoPermissionFor) {
  const TemporaryFolder folder;
  const std::string path = folder.path("secret");
  write_bytes(path, "text");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  // Root may read anything, so a child process drops its privileges first.
  const pid_t child = ::fork();
  if (child == 0) {
    const bool dropped = ::geteuid() != 0 || ::setuid(65534) == 0;
    const std::optional<Error> error = error_of([&path] { (void)read_text(path); });
    const bool refused = error && error->code() == ErrorCode::kFile &&
                         std::string_view(error->what()).find("Permission denied") != std::string_view::npos;
    ::_exit(dropped && refused ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ReadText, ReadsAPipeToItsEnd) {
  Pipe pipe;
  std::thread writer([&pipe] {
    pipe.write(std::string(300000, 'x'));
    pipe.close_writer();
  });
  const std::string path = pipe.path();
  const std::string text = read_text(path);
  writer.join();
  EXPECT_EQ(text, std::string(300000, 'x'));
}

TEST(ReadTexts, PutsANewlineWhereAFileThatOthersFollowLacksOne) {
  const TemporaryFolder folder;
  write_bytes(folder.path("open"), "a");
  write_bytes(folder.path("closed"), "b\n");
  write_bytes(folder.path("empty"), "");
  const std::string open = folder.path("open");
  const std::string closed = folder.path("closed");
  const std::string empty = folder.path("empty");
  EXPECT_EQ(read_texts({open}), "a");
  EXPECT_EQ(read_texts({open, closed, open}), "a\nb\na");
  EXPECT_EQ(read_texts({empty, open}), "a");
  EXPECT_EQ(read_texts({closed, empty, open}), "b\na");
}

const std::string kMark = "\xEF\xBB\xBF";

TEST(ByteOrderMark, AtTheHeadOfAFileIsNoPartOfItsText) {
  const TemporaryFolder folder;
  const std::string path = folder.path("a");
  write_bytes(path, kMark + "one\n" + kMark + "two");
  const std::string second = kMark + "two";
  EXPECT_EQ(read_text(path), "one\n" + second);
  EXPECT_EQ(read_text(path, TextCoding::kBytes), "one\n" + second);
  EXPECT_EQ(lines_of(path), (std::vector<std::string>{"one", second}));
  EXPECT_EQ(read_texts({path, path}), "one\n" + second + "\none\n" + second);
  EXPECT_EQ(without_byte_order_mark({kMark + second, "a"}), second);
  write_bytes(path, gzip_of({"\xEF", "\xBB\xBFone"}));
  EXPECT_EQ(read_text(path), "one");
}

TEST(ByteOrderMark, AloneIsAnEmptyText) {
  const TemporaryFolder folder;
  write_bytes(folder.path("a"), kMark);
  EXPECT_EQ(read_text(folder.path("a")), "");
  EXPECT_TRUE(lines_of(folder.path("a")).empty());
}

TEST(ByteOrderMark, ThatIsNotWholeIsText) {
  const TemporaryFolder folder;
  for (const std::string& bytes : {"\xEF"s, "\xEF\xBB"s, "\xEF\xBBone"s, "\0\0\xFE"s, "\0"s, "\xFE"s, "\xFFone"s}) {
    write_bytes(folder.path("a"), bytes);
    EXPECT_EQ(read_text(folder.path("a")), bytes);
  }
}

TEST(ByteOrderMark, OfUtf16AndUtf32IsRefusedWithAdviceUnlessAnyBytesAreRead) {
  const TemporaryFolder folder;
  const std::string path = folder.path("a");
  const std::vector<std::pair<std::string, std::string>> files = {{"UTF-16", "\xFF\xFE"s},
                                                                  {"UTF-16", "\xFE\xFF\0a"s},
                                                                  {"UTF-16", "\xFF\xFE\n\0"s},
                                                                  {"UTF-32", "\xFF\xFE\0\0a\0\0\0"s},
                                                                  {"UTF-32", "\0\0\xFE\xFF\0\0\0a"s}};
  for (const auto& [coding, bytes] : files) {
    write_bytes(path, bytes);
    const std::string advice = "'" + path + "' is " + coding;
    EXPECT_TRUE(fails_with(ErrorCode::kInput, advice, [&] { (void)read_text(path); }));
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "iconv -f " + coding + " -t UTF-8", [&] { (void)lines_of(path); }));
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "f is " + coding, [&] { (void)without_byte_order_mark({bytes, "f"}); }));
    EXPECT_EQ(read_text(path, TextCoding::kBytes), bytes);
  }
}

TEST(IdCache, IsRefusedAsTextUnlessAnyBytesAreRead) {
  const TemporaryFolder folder;
  const std::string path = folder.path("a");
  const std::string head = "unrolids\1\0\0\0"s;
  write_bytes(path, head + "\x02\0\0\0"s);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "'" + path + "' is an id cache", [&] { (void)read_text(path); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "is an id cache", [&] { (void)lines_of(path); }));
  EXPECT_EQ(read_text(path, TextCoding::kBytes).size(), 16U);
  for (std::size_t size = 1; size < head.size(); ++size) {
    write_bytes(path, head.substr(0, size));
    EXPECT_EQ(read_text(path), head.substr(0, size));
  }
}

TEST(IdCache, IsKnownWhereItArrivesInTwoParts) {
  const std::string head = "unrolids\1\0\0\0"s;
  for (std::size_t size = 1; size < head.size(); ++size) {
    Pipe pipe;
    LineReader reader(pipe.path());
    std::string line;
    pipe.write(head.substr(0, size));
    EXPECT_FALSE(reader.ready());
    pipe.write(head.substr(size));
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "is an id cache", [&] { (void)reader.next(line); })) << size;
  }
  Pipe text;
  LineReader reader(text.path());
  std::string line;
  text.write("unrolids\n");  // answered without waiting for more
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "unrolids");
}

TEST(Gzip, IsUnpackedWhateverTheNameOfTheFile) {
  const TemporaryFolder folder;
  write_bytes(folder.path("text"), packed());
  EXPECT_EQ(read_text(folder.path("text")), kUnpacked);
  EXPECT_EQ(lines_of(folder.path("text")).size(), 4U);
}

TEST(Gzip, OfSeveralStreamsIsOneText) {
  const TemporaryFolder folder;
  write_bytes(folder.path("two.gz"), gzip_of({"first "}) + packed() + gzip_of({}) + gzip_of({"last"}));
  EXPECT_EQ(read_text(folder.path("two.gz")), "first "s.append(kUnpacked) + "last");
}

TEST(Gzip, MayBePaddedWithZeros) {
  const TemporaryFolder folder;
  write_bytes(folder.path("padded.gz"), packed() + std::string(1000, '\0'));
  EXPECT_EQ(read_text(folder.path("padded.gz")), kUnpacked);
}

TEST(Gzip, UnpacksToFarMoreThanItsSize) {
  const TemporaryFolder folder;
  std::vector<std::string> parts(40, std::string(65535, 'z'));
  write_bytes(folder.path("long.gz"), gzip_of(parts));
  EXPECT_EQ(read_text(folder.path("long.gz")), std::string(40 * 65535, 'z'));
}

TEST(Gzip, ThatEndsEarlyIsRefusedWhereverItEnds) {
  const TemporaryFolder folder;
  const std::string path = folder.path("cut.gz");
  for (std::size_t size = 2; size < packed().size(); ++size) {
    write_bytes(path, packed().substr(0, size));
    EXPECT_TRUE(fails_with(ErrorCode::kFile, "ends early", [&] { (void)read_text(path); })) << size << " bytes";
    EXPECT_TRUE(fails_with(ErrorCode::kFile, "ends early", [&] { (void)lines_of(path); })) << size << " bytes";
  }
}

TEST(Gzip, ThatIsDamagedIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.path("damaged.gz");
  for (std::size_t byte = 10; byte < packed().size(); ++byte) {
    std::string bytes = packed();
    bytes[byte] = static_cast<char>(bytes[byte] ^ 1);
    write_bytes(path, bytes);
    EXPECT_TRUE(fails_with(ErrorCode::kFile, "damaged.gz", [&] { (void)read_text(path); })) << "byte " << byte;
  }
}

TEST(Gzip, IsReadWithAWarningWhereSomethingElseFollowsIt) {
  const TemporaryFolder folder;
  const std::string path = folder.path("trailing.gz");
  std::vector<std::string> warnings;
  set_warning_handler([&](const std::string& message) { warnings.push_back(message); });
  for (const std::string& rest :
       {"junk"s, "\0\0junk"s, "j"s, "\x1f"s, "\x1fjunk"s, "junk" + packed(), std::string(200000, 'j')}) {
    write_bytes(path, packed() + gzip_of({"end"}) + rest);
    EXPECT_EQ(read_text(path), std::string(kUnpacked) + "end");
    EXPECT_EQ(lines_of(path).back(), "end");
    EXPECT_EQ(warnings,
              std::vector<std::string>(2, "'" + path + "': what follows the gzip data is not gzip and is left out"));
    warnings.clear();
  }
  write_bytes(path, packed() + "\x1f\x8b\x08");
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "ends early", [&] { (void)read_text(path); }));
  set_warning_handler({});
}

TEST(Gzip, OfSeveralStreamsMayArriveInTwoPartsCutAnywhere) {
  const std::string stream = gzip_of({"one\n"}) + gzip_of({"two\n"});
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    Pipe pipe;
    LineReader reader(pipe.path());
    pipe.write(stream.substr(0, cut));
    static_cast<void>(reader.ready());  // reads what has arrived
    pipe.write(stream.substr(cut));
    pipe.close_writer();
    std::string first;
    std::string second;
    EXPECT_TRUE(reader.next(first) && reader.next(second)) << "cut at " << cut;
    EXPECT_EQ(first + second, "onetwo") << "cut at " << cut;
  }
}

TEST(LineReader, GivesLinesWithoutTheirNewlines) {
  const TemporaryFolder folder;
  write_bytes(folder.path("a"), "one\n\n three\r\nf\0ur"s);
  EXPECT_EQ(lines_of(folder.path("a")), (std::vector<std::string>{"one", "", " three\r", "f\0ur"s}));
  write_bytes(folder.path("b"), "one\n");
  EXPECT_EQ(lines_of(folder.path("b")), (std::vector<std::string>{"one"}));
  write_bytes(folder.path("c"), "");
  EXPECT_TRUE(lines_of(folder.path("c")).empty());
  write_bytes(folder.path("d"), "\x1f");
  EXPECT_EQ(lines_of(folder.path("d")), (std::vector<std::string>{"\x1f"}));
}

TEST(LineReader, StaysAtTheEnd) {
  const TemporaryFolder folder;
  write_bytes(folder.path("a"), "one");
  LineReader reader(folder.path("a"));
  std::string line;
  EXPECT_TRUE(reader.next(line));
  EXPECT_FALSE(reader.next(line));
  EXPECT_TRUE(reader.ready());
  EXPECT_FALSE(reader.next(line));
}

TEST(LineReader, GivesALongLineWhole) {
  const TemporaryFolder folder;
  std::string text = "short\n";
  for (int i = 0; i < 500000; ++i) text += "0123456789";
  write_bytes(folder.path("long"), text + "\nend");
  const std::vector<std::string> lines = lines_of(folder.path("long"));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1], text.substr(6));
  EXPECT_EQ(lines[2], "end");
}

TEST(LineReader, AnswersAPipeLineByLine) {
  Pipe pipe;
  LineReader reader(pipe.path());
  std::string line;
  EXPECT_FALSE(reader.ready());
  pipe.write("one\ntwo\nth");
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "one");
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "two");
  EXPECT_FALSE(reader.ready());
  pipe.write("ree");
  EXPECT_FALSE(reader.ready());
  pipe.write("\n");
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "three");
  EXPECT_FALSE(reader.ready());
  pipe.close_writer();
  EXPECT_TRUE(reader.ready());
  EXPECT_FALSE(reader.next(line));
}

TEST(LineReader, WaitsForTheRestOfAByteOrderMarkAlone) {
  Pipe pipe;
  LineReader reader(pipe.path());
  std::string line;
  pipe.write(kMark.substr(0, 2));
  EXPECT_FALSE(reader.ready());
  pipe.write("\xBF");
  pipe.write("one\n");
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "one");
  Pipe zeros;
  LineReader other(zeros.path());
  zeros.write("\0\n"s);
  EXPECT_TRUE(other.ready());
  EXPECT_TRUE(other.next(line));
  EXPECT_EQ(line, "\0"s);
}

TEST(LineReader, WaitsForTheRestOfALine) {
  Pipe pipe;
  LineReader reader(pipe.path());
  pipe.write("begin");
  EXPECT_FALSE(reader.ready());
  std::thread writer([&pipe] { pipe.write(" end\nmore"); });
  std::string line;
  EXPECT_TRUE(reader.next(line));
  writer.join();
  EXPECT_EQ(line, "begin end");
}

TEST(LineReader, AnswersAPipeOfGzipAsItArrives) {
  const std::string stream = gzip_of({"one\ntw", "o\n"});
  const std::size_t first_block = 10 + 5 + 6;
  Pipe pipe;
  LineReader reader(pipe.path());
  std::string line;
  pipe.write(stream.substr(0, 1));
  EXPECT_FALSE(reader.ready());
  pipe.write(stream.substr(1, 5));
  EXPECT_FALSE(reader.ready());
  pipe.write(stream.substr(6, first_block - 6));
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "one");
  EXPECT_FALSE(reader.ready());
  pipe.write(stream.substr(first_block));
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "two");
  pipe.close_writer();
  EXPECT_FALSE(reader.next(line));
}

TEST(LineReader, KeepsItsBytesWhenMoved) {
  const TemporaryFolder folder;
  write_bytes(folder.path("a"), "one\ntwo\n");
  LineReader first(folder.path("a"));
  std::string line;
  EXPECT_TRUE(first.next(line));
  LineReader second = std::move(first);
  EXPECT_TRUE(second.next(line));
  EXPECT_EQ(line, "two");
}

}  // namespace
}  // namespace unroll
