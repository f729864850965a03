#include "server/page/page_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "embedded/embedded_files.h"
#include "server/page/gzip.h"
#include "support/temporary_folder.h"
#include "unroll/error.h"

namespace unroll {
namespace {

HttpRequest asking_for(std::string path, std::vector<std::pair<std::string, std::string>> headers = {}) {
  HttpRequest request;
  request.method = "GET";
  request.path = std::move(path);
  request.headers = std::move(headers);
  return request;
}

std::string header_of(const HttpResponse& response, const std::string& name) {
  for (const auto& [known, value] : response.headers) {
    if (known == name) return value;
  }
  return {};
}

std::string unpacked(const std::string& packed, std::size_t size) {
  std::string bytes(size, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string input = packed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.total_out, size);
  inflateEnd(&stream);
  return bytes;
}

void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

TEST(PageFiles, AnswerEachFileOfThePageAndNothingElse) {
  PageFiles page;
  const std::optional<HttpResponse> index = page.answer(asking_for("/"));
  ASSERT_TRUE(index);
  EXPECT_EQ(index->body, find_embedded("web/index.html")->bytes);
  EXPECT_EQ(index->type, "text/html; charset=utf-8");
  for (const EmbeddedFile& file : embedded_files()) {
    const std::string path(file.path);
    EXPECT_FALSE(page.answer(asking_for("/" + path))) << path;
    if (!path.starts_with("web/")) continue;
    const std::optional<HttpResponse> answer = page.answer(asking_for(path.substr(3)));
    EXPECT_EQ(answer.has_value(), !path.ends_with(".safetensors")) << path;
    if (!answer) continue;
    EXPECT_EQ(answer->body, file.bytes) << path;
    EXPECT_TRUE(answer->type.ends_with("; charset=utf-8")) << answer->type;
    EXPECT_TRUE(header_of(*answer, "Content-Security-Policy").starts_with("default-src 'self';"));
    EXPECT_EQ(header_of(*answer, "Content-Security-Policy").find("unsafe"), std::string::npos);
    EXPECT_EQ(header_of(*answer, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header_of(*answer, "Referrer-Policy"), "no-referrer");
  }
}

TEST(PageFiles, AreCompressedForThoseWhoTakeIt) {
  PageFiles page;
  const std::string_view bytes = find_embedded("web/index.html")->bytes;
  for (int i = 0; i < 2; ++i) {
    const HttpResponse answer = page.answer(asking_for("/", {{"accept-encoding", "br, gzip"}})).value();
    EXPECT_EQ(header_of(answer, "Content-Encoding"), "gzip");
    EXPECT_LT(answer.body.size(), bytes.size());
    EXPECT_EQ(unpacked(answer.body, bytes.size()), bytes);
    EXPECT_EQ(header_of(answer, "Vary"), "Accept-Encoding");
  }
  EXPECT_EQ(header_of(page.answer(asking_for("/", {{"accept-encoding", "br"}})).value(), "Content-Encoding"), "");
}

TEST(PageFiles, AreSentOnceToThoseWhoHaveThem) {
  PageFiles page;
  const std::string tag = header_of(page.answer(asking_for("/")).value(), "ETag");
  for (const std::string& known : {tag, "W/" + tag, "\"x\",  " + tag, std::string("*")}) {
    const HttpResponse answer = page.answer(asking_for("/", {{"if-none-match", known}})).value();
    EXPECT_EQ(answer.status, 304) << known;
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(header_of(answer, "ETag"), tag);
  }
  for (const std::string& other : {std::string(), std::string("\"x\""), tag.substr(1), tag + "x"}) {
    EXPECT_EQ(page.answer(asking_for("/", {{"if-none-match", other}})).value().status, 200) << other;
  }
  const HttpRequest packed = asking_for("/", {{"accept-encoding", "gzip"}, {"if-none-match", tag}});
  EXPECT_EQ(page.answer(packed).value().status, 200);
}

TEST(PageFiles, OfAFolderAreReadAtEachRequest) {
  const TemporaryFolder folder;
  EXPECT_THROW(PageFiles{folder.path()}, Error);
  write(folder.path() + "/index.html", "one");
  std::filesystem::create_directory(folder.path() + "/views");
  write(folder.path() + "/views/read.js", "two");
  PageFiles page(folder.path());
  EXPECT_EQ(page.answer(asking_for("/")).value().body, "one");
  EXPECT_EQ(page.answer(asking_for("/views/read.js")).value().body, "two");
  write(folder.path() + "/index.html", "three");
  EXPECT_EQ(page.answer(asking_for("/")).value().body, "three");
  EXPECT_FALSE(page.answer(asking_for("/page.css")));
  write(folder.path() + "/page.css", "");
  EXPECT_EQ(page.answer(asking_for("/page.css")).value().body, "");
}

TEST(PageFiles, OfAFolderAreNotFoundOutsideOfIt) {
  const TemporaryFolder outside;
  write(outside.path() + "/secret.js", "secret");
  const std::string folder = outside.path() + "/page";
  std::filesystem::create_directories(folder + "/views/deep.js");
  std::filesystem::create_directory(folder + "/.git");
  for (const char* name : {"/index.html", "/.hidden.js", "/.git/a.js", "/notes.txt", "/a..b.js"})
    write(folder + name, "");
  std::filesystem::create_symlink(outside.path() + "/secret.js", folder + "/link.js");
  std::filesystem::create_directory_symlink(outside.path(), folder + "/linked");
  ASSERT_EQ(mkfifo((folder + "/pipe.js").c_str(), 0600), 0);
  PageFiles page(folder);
  EXPECT_TRUE(page.answer(asking_for("/a..b.js")));
  for (const std::string path : {"/../secret.js",
                                 "/views/../../secret.js",
                                 "/..",
                                 "/.",
                                 "//secret.js",
                                 "/./index.html",
                                 "/views//deep.js",
                                 "",
                                 "/link.js",
                                 "/linked/secret.js",
                                 "/linked",
                                 "/.hidden.js",
                                 "/.git/a.js",
                                 "/notes.txt",
                                 "/pipe.js",
                                 "/views",
                                 "/views/",
                                 "/views/deep.js",
                                 "/index.html/",
                                 "/index.html/x.js",
                                 "/..\\secret.js",
                                 "/index.html\n",
                                 "index.html",
                                 "/%2e%2e/secret.js",
                                 "/etc/passwd"}) {
    EXPECT_FALSE(page.answer(asking_for(path))) << path;
  }
  EXPECT_FALSE(page.answer(asking_for("/" + outside.path() + "/secret.js")));
  EXPECT_FALSE(page.answer(asking_for("/" + std::string(20000, 'a') + ".js")));
  EXPECT_FALSE(page.answer(asking_for("/index.html" + std::string(1, '\0') + ".js")));
}

TEST(PageFiles, OfAFolderAreNotFoundByChance) {
  const TemporaryFolder outside;
  write(outside.path() + "/s.js", "secret");
  const std::string folder = outside.path() + "/v";
  std::filesystem::create_directories(folder + "/v");
  for (const char* name : {"/index.html", "/s.js", "/v/s.js"}) write(folder + name, "public");
  PageFiles page(folder);
  constexpr std::array<std::string_view, 9> kParts{"/", "..", ".", "v", "s.js", "\\", "%2e", "index.html", "\xC3\xA9"};
  std::mt19937 dice(1);
  int found = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string path = "/";
    for (auto parts = dice() % 6; parts > 0; --parts) path += kParts.at(dice() % kParts.size());
    const std::optional<HttpResponse> answer = page.answer(asking_for(path));
    if (!answer) continue;
    EXPECT_EQ(answer->body, "public") << path;
    ++found;
  }
  EXPECT_GT(found, 100);
}

TEST(Gzip, IsTakenWhereTheHeaderNamesIt) {
  for (const char* header :
       {"gzip", "GZIP", "br;q=1, gzip;q=0.5", "*", " deflate , x-gzip", "gzip;q=1.0", "*;q=0, gzip"}) {
    EXPECT_TRUE(accepts_gzip(header)) << header;
  }
  for (const char* header :
       {"", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzipped", "identity", "gzip;q=0, *", ",,;"}) {
    EXPECT_FALSE(accepts_gzip(header)) << header;
  }
}

TEST(Gzip, IsTheSameForTheSameBytes) {
  EXPECT_EQ(gzip("abc"), gzip("abc"));
  EXPECT_EQ(unpacked(gzip(""), 0), "");
}

}  // namespace
}  // namespace unroll
