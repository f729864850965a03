// Converts text to SentencePiece's pieces and back: the only use of the library on texts.
//
// Source: Kudo & Richardson, "SentencePiece: A simple and language independent subword tokenizer and detokenizer"
// (2018).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// U+2581, which stands for a space in pieces.
inline constexpr std::string_view kSpacePiece = "\xE2\x96\x81";

// What the library complains of, for a message: without the place in its source ("file.cc(12) [condition] words") and
// without a final full stop.
[[nodiscard]] std::string plain_words(std::string_view complaint);

// A SentencePiece model. Immutable; any number of threads may use one.
//
// Ids are the library's. The boundary is the model's end of sentence ("</s>"), or, if it has none, an additional last
// symbol, "<eos>".
class SentencePiece {
 public:
  // `model`: the bytes of a .model file. Throws Error{kFormat} beginning with `name` for bytes that are not one.
  SentencePiece(std::string model, const std::string& name);
  ~SentencePiece();

  [[nodiscard]] const std::string& model() const noexcept { return model_; }
  [[nodiscard]] const std::vector<std::string>& symbols() const noexcept { return symbols_; }  // by id
  [[nodiscard]] std::int32_t boundary() const noexcept { return boundary_; }
  [[nodiscard]] std::int32_t unknown() const noexcept { return unknown_; }

  // The text of `id`: U+2581 as a space, a byte piece as its byte, nothing for control symbols.
  [[nodiscard]] const std::string& written(std::int32_t id) const { return written_[static_cast<std::size_t>(id)]; }

  // Whether this symbol never occurs in a text: control symbols and unused pieces.
  [[nodiscard]] bool is_control(std::int32_t id) const { return control_[static_cast<std::size_t>(id)]; }

  // Whether the first space of a line is dropped in writing, since encode() added it.
  [[nodiscard]] bool drops_first_space() const noexcept { return drops_first_space_; }

  // Appends the pieces of a line without line end; `offset` is that of its first byte. Throws Error{kInput}, naming
  // `name`, if the line is longer than 16 MiB or the library rejects it. Requires UTF-8.
  void encode(std::string_view line, std::int64_t offset, std::string_view name, std::vector<Token>& tokens) const;

  // The text of a line's pieces.
  [[nodiscard]] std::string decode(const std::vector<Token>& tokens) const;

 private:
  struct Library;
  std::string model_;
  std::unique_ptr<const Library> library_;
  std::vector<std::string> symbols_;
  std::vector<std::string> written_;
  std::vector<bool> control_;
  std::int32_t boundary_ = -1;
  std::int32_t unknown_ = -1;
  bool drops_first_space_ = false;
};

}  // namespace unroll
