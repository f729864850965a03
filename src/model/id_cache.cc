#include "model/id_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/quote.h"
#include "model/checksum.h"
#include "model/model_file.h"
#include "model/strict_json.h"
#include "unroll/error.h"

namespace unroll {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and numbers are copied");

constexpr std::string_view kMagic = kIdCacheHead.substr(0, 8);
constexpr std::uint32_t kVersion = 1;
static_assert(kIdCacheHead[kMagic.size()] == kVersion);
constexpr std::uint64_t kLongestJson = 100'000'000;
constexpr std::int64_t kMostValues = 64;
constexpr std::size_t kPage = 4096;
constexpr std::int64_t kMostNarrow = 0xFFFF;  // symbols: the largest number of 2 bytes is no id

struct Frame {
  std::array<char, 8> magic{};
  std::uint32_t version = kVersion;
  std::uint32_t width = 0;
  std::uint64_t train = 0;
  std::uint64_t valid = 0;
  std::uint64_t offset = 0;
  std::uint64_t json = 0;
  std::uint64_t checksum = 0;
  std::uint64_t header_checksum = 0;
};
static_assert(sizeof(Frame) == 64);

std::string_view frame_bytes(const Frame& frame) { return {reinterpret_cast<const char*>(&frame), sizeof(frame)}; }

std::uint64_t header_checksum(Frame frame, std::string_view json) {
  frame.header_checksum = 0;
  Checksum sum;
  sum.add(frame_bytes(frame));
  sum.add(json);
  return sum.number();
}

Json part_json(const IdCachePart& part) {
  return {
      {"unknown", part.unknown}, {"bytes", part.bytes}, {"characters", part.characters}, {"lossless", part.lossless}};
}

std::string json_of_header(const IdCacheHeader& header) {
  const IdCacheInfo& info = header.info;
  return write_json({{"tokenizer", tokenizer_metadata(info.tokenizer)},
                     {"vocabulary", info.tokenizer.size()},
                     {"vocab_size", info.vocab_size},
                     {"min_count", info.min_count},
                     {"valid_split", info.valid_split},
                     {"state", state_policy_name(info.state)},
                     {"train", part_json(info.train)},
                     {"valid", part_json(info.valid)},
                     {"train_hash", fmt::format("{:016x}", header.train_hash)},
                     {"hash", fmt::format("{:016x}", header.hash)},
                     {"text_checksum", info.text_checksum}});
}

// ---- reading

// A file whose name messages begin with.
class CacheReader {
 public:
  CacheReader(std::string_view bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}

  IdCacheHeader read() {
    check_frame();
    const std::string_view json = bytes_.substr(sizeof(Frame), frame_.json);
    if (header_checksum(frame_, json) != frame_.header_checksum) {
      refuse("was changed after it was written: the checksum of its header is another one; make it again");
    }
    const std::string where = fmt::format("{}: the header", name_);
    const Json object = parse_json(json, kMostValues, where);
    const JsonFields fields(object, where,
                            {"tokenizer", "vocabulary", "vocab_size", "min_count", "valid_split", "state", "train",
                             "valid", "train_hash", "hash", "text_checksum"});
    IdCacheHeader header{.info = info_of(fields, where)};
    header.train_hash = hash_of(fields, "train_hash");
    header.hash = hash_of(fields, "hash");
    header.checksum = frame_.checksum;
    header.offset = frame_.offset;
    return header;
  }

 private:
  void check_frame() {
    if (!bytes_.starts_with(kMagic)) refuse("is not an id cache: expected one that unroll wrote");
    if (bytes_.size() < sizeof(Frame)) refuse("is cut short: it ends within its header");
    std::memcpy(&frame_, bytes_.data(), sizeof(Frame));
    if (frame_.version > kVersion) {
      refuse(fmt::format("was written by a newer version of unroll (id cache {}, this one reads {})", frame_.version,
                         kVersion));
    }
    const std::uint64_t size = bytes_.size();
    const bool known = frame_.version == kVersion && (frame_.width == 2 || frame_.width == 4);
    const bool fits = frame_.json <= kLongestJson && frame_.offset % kPage == 0 &&
                      frame_.offset >= sizeof(Frame) + frame_.json && frame_.train > 0;
    if (!known || !fits) refuse("has a header that cannot be: it is damaged");
    // In numbers of ids, so that nothing overflows.
    const std::uint64_t most = size < frame_.offset ? 0 : (size - frame_.offset) / frame_.width;
    if (size < frame_.offset || frame_.train > most || frame_.valid > most - frame_.train) {
      refuse(fmt::format("is cut short: it has {} bytes, and should have {} + {} ids of {} bytes from byte {} on", size,
                         frame_.train, frame_.valid, frame_.width, frame_.offset));
    }
    if (frame_.offset + frame_.width * (frame_.train + frame_.valid) != size) refuse("has bytes after its last id");
  }

  IdCacheInfo info_of(const JsonFields& fields, const std::string& where) {
    IdCacheInfo info{.tokenizer = tokenizer_of_metadata(fields.string("tokenizer"), fields.whole("vocabulary"),
                                                        fmt::format("{}: \"tokenizer\"", where)),
                     .vocab_size = fields.whole("vocab_size"),
                     .min_count = fields.whole("min_count"),
                     .valid_split = fields.number("valid_split"),
                     .state = state_of(fields.string("state")),
                     .train = part_of(fields.object("train"), frame_.train, where),
                     .valid = part_of(fields.object("valid"), frame_.valid, where),
                     .text_checksum = fields.string("text_checksum"),
                     .bytes_per_id = static_cast<int>(frame_.width),
                     .file_bytes = std::ssize(bytes_)};
    if (!(info.valid_split >= 0 && info.valid_split < 1)) refuse("has a header that cannot be: its split is no share");
    if (id_width(info.tokenizer.size()) > info.bytes_per_id) refuse("has ids that are too short for its vocabulary");
    return info;
  }

  static IdCachePart part_of(const Json& object, std::uint64_t ids, const std::string& where) {
    const JsonFields fields(object, where, {"unknown", "bytes", "characters", "lossless"});
    return {.ids = static_cast<std::int64_t>(ids),
            .unknown = fields.whole("unknown"),
            .bytes = fields.whole("bytes"),
            .characters = fields.whole("characters"),
            .lossless = fields.boolean("lossless")};
  }

  StatePolicy state_of(const std::string& name) const {
    for (const StatePolicy policy : {StatePolicy::kCarry, StatePolicy::kReset}) {
      if (state_policy_name(policy) == name) return policy;
    }
    refuse("has a header that cannot be: its state is unknown");
  }

  std::uint64_t hash_of(const JsonFields& fields, std::string_view key) const {
    constexpr int kHexadecimal = 16;
    const std::string& digits = fields.string(key);
    std::uint64_t hash = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, hash, kHexadecimal);
    if (error != std::errc() || stop != end) refuse("has a header that cannot be: a hash is no number");
    return hash;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kFormat, fmt::format("{} {}", name_, what));
  }

  std::string_view bytes_;
  std::string name_;
  Frame frame_;
};

}  // namespace

int id_width(std::int64_t symbols) noexcept { return symbols <= kMostNarrow ? 2 : 4; }

std::size_t id_offset(const Tokenizer& tokenizer) {
  // All but the tokenizer takes less than a page.
  const std::size_t tokenizer_bytes = write_json(tokenizer_metadata(tokenizer)).size();
  return (sizeof(Frame) + tokenizer_bytes + kPage + kPage - 1) / kPage * kPage;
}

std::string header_bytes(const IdCacheHeader& header) {
  const std::string json = json_of_header(header);
  if (json.size() > kLongestJson) {
    throw Error(ErrorCode::kInput,
                fmt::format("a vocabulary of {} symbols is too large for an id cache", header.info.tokenizer.size()));
  }
  Frame frame{.width = static_cast<std::uint32_t>(header.info.bytes_per_id),
              .train = static_cast<std::uint64_t>(header.info.train.ids),
              .valid = static_cast<std::uint64_t>(header.info.valid.ids),
              .offset = header.offset,
              .json = json.size(),
              .checksum = header.checksum};
  kMagic.copy(frame.magic.data(), frame.magic.size());
  frame.header_checksum = header_checksum(frame, json);
  return std::string(frame_bytes(frame)) + json;
}

IdCache::IdCache(const std::string& path) : IdCache(MappedFile(path, MappedFile::Kinds::kRegular), text_name(path)) {}

IdCache::IdCache(MappedFile file, const std::string& name)
    : name_(name), header_(CacheReader(file.bytes(), name).read()) {
  const Tokenizer& tokenizer = info().tokenizer;
  const StoredIds stored{.offset = header_.offset,
                         .count = static_cast<std::size_t>(info().train.ids + info().valid.ids),
                         .width = info().bytes_per_id,
                         .symbols = static_cast<std::int32_t>(tokenizer.size()),
                         .line_ends = tokenizer.boundary() == -1};
  ids_ = std::make_shared<const MappedIds>(std::move(file), name_, stored);
}

void IdCache::verify() const {
  constexpr std::size_t kAtOnce = std::size_t{1} << 20;
  const auto width = static_cast<std::size_t>(info().bytes_per_id);
  Checksum sum;
  for (std::size_t first = 0; first < ids_->size(); first += kAtOnce) {
    const std::size_t last = std::min(first + kAtOnce, ids_->size());
    for (std::size_t i = first; i < last; ++i) static_cast<void>(ids_->at(i));
    sum.add(ids_->bytes().substr(first * width, (last - first) * width));
    ids_->forget();
  }
  if (sum.number() == header_.checksum) return;
  throw Error(ErrorCode::kFormat,
              fmt::format("{} was changed after it was written: the checksum of its ids is {}, and its header says "
                          "{:016x}; make it again",
                          name_, sum.digits(), header_.checksum));
}

void IdCache::expect_tokenizer(const Tokenizer& wanted, std::string_view owner) const {
  const Tokenizer& own = info().tokenizer;
  const auto described = [](const Tokenizer& tokenizer) {
    return fmt::format("{}{}", tokenizer_kind_name(tokenizer.kind()), tokenizer.lowercase() ? " in lower case" : "");
  };
  std::string difference;
  const auto mismatch = std::ranges::mismatch(wanted.vocabulary(), own.vocabulary());
  if (described(wanted) != described(own)) {
    difference = fmt::format("{}, and the {}'s is {}", described(own), owner, described(wanted));
  } else if (wanted.size() != own.size()) {
    difference = fmt::format("one of {} symbols, and the {}'s has {}", own.size(), owner, wanted.size());
  } else if (mismatch.in1 != wanted.vocabulary().end()) {
    difference =
        fmt::format("one whose symbol {} is {}, and the {}'s is {}", mismatch.in1 - wanted.vocabulary().begin(),
                    quote(*mismatch.in2), owner, quote(*mismatch.in1));
  } else if (wanted.sentencepiece_model() != own.sentencepiece_model()) {
    difference = fmt::format("another SentencePiece model than the {}'s", owner);
  }
  if (difference.empty()) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("{} is an id cache whose tokenizer is {}: make it with that one", name_, difference));
}

bool is_id_cache(const std::string& path) {
  std::error_code unknown;
  if (path == "-" || !std::filesystem::is_regular_file(path, unknown)) return false;
  try {
    return read_head(path, kMagic.size()) == kMagic;
  } catch (const Error&) {
    return false;  // whoever reads it says why
  }
}

IdCacheInfo read_id_cache(const std::string& path) { return IdCache(path).info(); }

void verify_id_cache(const std::string& path) { IdCache(path).verify(); }

}  // namespace unroll
