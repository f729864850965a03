// The page that the server shows: the files of web/, built into the program.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/http.h"

namespace unroll {

// Answers GET and HEAD for / and for each file of web/ at its path there, "/views/read.js". Only what a page is made of
// is answered: HTML, style sheets, scripts, SVG. Files that are built in are compressed where the client takes gzip,
// each once. Every answer has an ETag, and is asked about again (no-cache).
//
// What a page may do is told to browsers: nothing from other servers, no script or style within the page
// (Content-Security-Policy), no frame of another page around it, no type but the one told, no Referer to anybody.
//
// For one thread.
class PageFiles {
 public:
  // With a folder, its files are read at each request instead. Throws Error{kUsage} where it has no index.html.
  explicit PageFiles(std::string folder = {});

  // Whether there may be a file of the page at `path`, which is public then: a path that a file can have, of a type
  // that is answered; of built-in files only those that are there.
  [[nodiscard]] bool is_page_path(std::string_view path) const;

  // The answer, with status 200 or 304; nothing where there is no such file.
  [[nodiscard]] std::optional<HttpResponse> answer(const HttpRequest& request);

 private:
  std::string folder_;
  std::map<std::string, std::string, std::less<>> compressed_;  // by path; empty: no smaller
};

}  // namespace unroll
