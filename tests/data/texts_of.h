// Labelled texts of a file with the given content.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/temporary_folder.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/error.h"

namespace unroll {

// The texts of a file called `name` with these bytes; options.paths is set.
inline LabelledTexts texts_of(const std::string& name, const std::string& bytes, LabelledTextOptions options = {}) {
  const TemporaryFolder folder;
  options.paths = {folder.path(name)};
  write_bytes(options.paths[0], bytes);
  return read_labelled_texts(options);
}

// The message that refuses such a file, its path without the folder; empty if it is accepted.
inline std::string refusal_of_texts(const std::string& name, const std::string& bytes,
                                    LabelledTextOptions options = {}) {
  const TemporaryFolder folder;
  options.paths = {folder.path(name)};
  write_bytes(options.paths[0], bytes);
  try {
    static_cast<void>(read_labelled_texts(options));
  } catch (const Error& error) {
    std::string message = error.what();
    for (std::size_t at = message.find(folder.path() + "/"); at != std::string::npos;
         at = message.find(folder.path() + "/")) {
      message.erase(at, folder.path().size() + 1);
    }
    return message;
  }
  return "";
}

// "good,long: what a film" for each text.
inline std::vector<std::string> shown(const LabelledTexts& texts) {
  std::vector<std::string> lines;
  for (const LabelledText& text : texts.texts) {
    std::string labels;
    for (const std::int32_t label : text.labels) {
      labels += (labels.empty() ? "" : ",") + texts.labels.at(static_cast<std::size_t>(label));
    }
    lines.push_back(labels + ": " + text.text);
  }
  return lines;
}

}  // namespace unroll
