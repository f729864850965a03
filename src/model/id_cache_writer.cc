#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "base/file_path.h"
#include "base/new_file.h"
#include "model/checksum.h"
#include "model/id_cache.h"
#include "text/byte_source.h"
#include "text/split_tail.h"
#include "text/utf8.h"
#include "text/vocabulary.h"
#include "unroll/error.h"
#include "unroll/output_file.h"

namespace unroll {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;  // of the text, at once

// The texts, unpacked and joined in a file without a name, so that they can be read several times.
class UnpackedTexts {
 public:
  // Checks each text by itself, so that a message names the very file and the place in it.
  UnpackedTexts(const IdCacheOptions& options, const std::string& target)
      : kind_(options.made ? options.made->kind() : options.tokenizer.kind),
        lowercase_(options.made ? options.made->lowercase() : options.tokenizer.lowercase),
        file_(end_of_links(target)) {
    std::vector<std::size_t> ends;
    for (const std::string& path : options.paths) {
      append(path);
      ends.push_back(size_);
    }
    mapped_.emplace(file_.content_path());
    for (std::size_t i = 0, start = 0; i < ends.size(); start = ends[i++]) {
      const std::string_view text = mapped_->bytes().substr(start, ends[i] - start);
      static_cast<void>(CheckedText(kind_, lowercase_, {text, text_name(options.paths[i])}));
      mapped_->forget();
    }
    name_ = text_name(options.paths.front());
  }

  [[nodiscard]] CheckedText text() const { return {kind_, lowercase_, {mapped_->bytes(), name_}}; }
  [[nodiscard]] std::string checksum() const { return sum_.digits(); }
  void forget() const { mapped_->forget(); }

 private:
  void append(const std::string& path) {
    if (size_ > 0 && last_ != '\n') write("\n");
    ByteSource source(path, text_coding(kind_));
    std::string bytes;
    for (bool more = true; more;) {
      more = source.append_some(bytes);
      if (bytes.size() < kPieceBytes && more) continue;
      write(bytes);
      bytes.clear();
    }
  }

  void write(std::string_view bytes) {
    if (bytes.empty()) return;
    file_.write(bytes);
    sum_.add(bytes);
    size_ += bytes.size();
    last_ = bytes.back();
  }

  TokenizerKind kind_;
  bool lowercase_;
  std::string name_;
  NewFile file_;
  Checksum sum_;
  std::size_t size_ = 0;
  char last_ = '\n';
  std::optional<MappedFile> mapped_;
};

// Where a piece of about kPieceBytes that begins at `at` ends, so that the pieces have the ids of the whole.
std::size_t end_of_piece(TokenizerKind kind, std::string_view text, std::size_t at) {
  if (text.size() - at <= 2 * kPieceBytes) return text.size();
  const bool lines = reads_lines(kind);
  const std::size_t from = at + kPieceBytes;
  const std::size_t newline = text.substr(from, lines ? std::string_view::npos : kPieceBytes).find('\n');
  if (newline != std::string_view::npos) return from + newline + 1;
  if (lines) return text.size();
  // A long line is cut between two characters, but not behind a carriage return, which would be taken for a line end.
  std::size_t end = from + kPieceBytes;
  while (end < text.size() && (is_continuation(text[end]) || text[end - 1] == '\r')) ++end;
  return end;
}

class CacheWriter {
 public:
  CacheWriter(const UnpackedTexts& texts, const Tokenizer& tokenizer, const std::string& path)
      : texts_(texts), tokenizer_(tokenizer), width_(id_width(tokenizer.size())), out_(path) {
    offset_ = id_offset(tokenizer);
    out_.write(std::string(offset_, '\0'));
  }

  IdCachePart write(const CheckedText& part) {
    IdCachePart sum{.lossless = true};
    for (std::size_t at = 0; at < part.view().size();) {
      const std::size_t end = end_of_piece(part.kind(), part.view(), at);
      add(tokenizer_.encode_checked(part.from(at).before(end - at)), &sum);
      texts_.forget();
      at = end;
    }
    // Pieces of bytes may each be UTF-8 where the whole is not.
    if (part.kind() == TokenizerKind::kByte) {
      const bool utf8 = find_invalid_utf8(part.view()) == std::string_view::npos;
      sum.characters = utf8 ? count_code_points(part.view()) : sum.bytes;
    }
    sum.lossless = sum.lossless && sum.ids > 0;
    last_hash_ = hash_.end_part();
    return sum;
  }

  // IdHash of all parts so far.
  [[nodiscard]] std::uint64_t hash() const noexcept { return last_hash_; }

  void finish(IdCacheHeader* header) {
    header->info.bytes_per_id = width_;
    header->info.file_bytes =
        static_cast<std::int64_t>(offset_) + width_ * (header->info.train.ids + header->info.valid.ids);
    header->checksum = sum_.number();
    header->offset = offset_;
    out_.rewrite_start(header_bytes(*header));
    out_.finish();
  }

 private:
  void add(const EncodedText& piece, IdCachePart* sum) {
    sum->ids += std::ssize(piece.ids);
    sum->unknown += piece.unknown;
    sum->bytes += piece.bytes;
    sum->characters += piece.characters;
    sum->lossless = sum->lossless && piece.lossless;
    bytes_.resize(piece.ids.size() * static_cast<std::size_t>(width_));
    char* to = bytes_.data();
    for (const std::int32_t id : piece.ids) {
      hash_.add(id);
      std::memcpy(to, &id, static_cast<std::size_t>(width_));  // the lower half of an id of 2 bytes
      to += width_;
    }
    sum_.add(bytes_);
    out_.write(bytes_);
  }

  const UnpackedTexts& texts_;
  const Tokenizer& tokenizer_;
  int width_;
  OutputFile out_;
  std::size_t offset_ = 0;
  std::string bytes_;
  Checksum sum_;
  IdHash hash_;
  std::uint64_t last_hash_ = 0;
};

}  // namespace

IdCacheInfo write_id_cache(const IdCacheOptions& options, const std::string& path) {
  if (options.paths.empty()) {
    throw Error(ErrorCode::kUsage, "`text.paths` is empty: expected the paths of one or more texts", "text.paths");
  }
  const UnpackedTexts texts(options, path);
  const SplitText parts = split_to_train(texts.text(), options.valid_split, options.state);
  IdCacheHeader header{
      .info = {.tokenizer = options.made ? *options.made : Tokenizer::train_on(options.tokenizer, parts.train),
               .vocab_size = options.made ? 0 : options.tokenizer.vocab_size,
               .min_count = options.made ? 1 : options.tokenizer.min_count,
               .valid_split = options.valid_split,
               .state = options.state,
               .text_checksum = texts.checksum()}};
  CacheWriter writer(texts, header.info.tokenizer, path);
  header.info.train = writer.write(parts.train);
  header.train_hash = writer.hash();
  header.info.valid = writer.write(parts.valid);
  header.hash = writer.hash();
  writer.finish(&header);
  return header.info;
}

}  // namespace unroll
