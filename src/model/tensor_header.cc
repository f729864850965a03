#include "model/tensor_header.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/quote.h"
#include "model/strict_json.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";
constexpr std::size_t kMostDimensions = 8;
constexpr std::size_t kOffsetCount = 2;

// Follows the parser through the fixed form of a header, and stops at anything else, which also bounds the depth.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  TensorHeader take() { return std::move(header_); }

  bool start_object(std::size_t /*size*/) override {
    if (place_ == Place::kStart) return go(Place::kTop);
    if (place_ != Place::kTop) refuse("an unexpected object");
    if (key_ == kMetadataKey) return go(Place::kMetadata);
    header_.tensors.push_back({key_, {}, {}, {}});
    fields_.clear();
    return go(Place::kTensor);
  }

  bool end_object() override {
    if (place_ == Place::kTop) return go(Place::kEnd);
    if (place_ == Place::kTensor) check_complete();
    return go(Place::kTop);
  }

  bool key(string_t& key) override {
    bool is_new = false;
    if (place_ == Place::kTop) is_new = names_.insert(key).second;
    if (place_ == Place::kTensor) is_new = fields_.insert(key).second;
    if (place_ == Place::kMetadata) is_new = !header_.metadata.contains(key);
    if (!is_new) refuse(fmt::format("the key {} twice", quote(key)));
    key_ = std::move(key);
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::kMetadata) {
      header_.metadata[key_] = std::move(value);
    } else if (place_ == Place::kTensor && key_ == "dtype") {
      header_.tensors.back().dtype = std::move(value);
    } else {
      refuse("an unexpected string");
    }
    return true;
  }

  bool start_array(std::size_t /*size*/) override {
    if (place_ == Place::kTensor && key_ == "shape") return go(Place::kShape);
    if (place_ == Place::kTensor && key_ == "data_offsets") return go(Place::kOffsets);
    refuse("an unexpected array");
  }

  bool end_array() override { return go(Place::kTensor); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::kShape && place_ != Place::kOffsets) refuse("an unexpected number");
    const bool is_shape = place_ == Place::kShape;
    auto& numbers = is_shape ? header_.tensors.back().shape : header_.tensors.back().data_offsets;
    if (numbers.size() == (is_shape ? kMostDimensions : kOffsetCount))
      refuse(fmt::format("too many numbers in {}", key_));
    numbers.push_back(value);
    return true;
  }

  bool null() override { refuse("null"); }
  bool boolean(bool /*value*/) override { refuse("true or false"); }
  bool number_integer(number_integer_t value) override { refuse(fmt::format("the negative number {}", value)); }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    refuse(fmt::format("the number {}, which is not whole or too large", quote(text)));
  }
  bool binary(binary_t& /*value*/) override { refuse("binary data"); }
  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& /*error*/) override {
    throw Error(ErrorCode::kFormat,
                fmt::format("'{}' is damaged: its header is not valid JSON at byte {}", path_, position + 8));
  }

 private:
  enum class Place { kStart, kTop, kMetadata, kTensor, kShape, kOffsets, kEnd };

  bool go(Place place) {
    place_ = place;
    return true;
  }
  void check_complete() const {
    const HeaderTensor& tensor = header_.tensors.back();
    const bool complete = fields_ == std::set<std::string>{"data_offsets", "dtype", "shape"};
    if (!complete || tensor.data_offsets.size() != kOffsetCount) {
      refuse(fmt::format("tensor {} without exactly a dtype, a shape and two data_offsets", quote(tensor.name)));
    }
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::kFormat, fmt::format("'{}' is not a valid safetensors file: its header has {}{}", path_,
                                                what, key_.empty() ? "" : fmt::format(" (at {})", quote(key_))));
  }

  const std::string& path_;
  TensorHeader header_;
  Place place_ = Place::kStart;
  std::string key_;               // the last one
  std::set<std::string> names_;   // keys at the top
  std::set<std::string> fields_;  // keys of the tensor that is open
};

}  // namespace

TensorHeader parse_tensor_header(std::string_view text, const std::string& path) {
  // The parser takes a NUL for the end of the text and would ignore the rest.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw Error(ErrorCode::kFormat, fmt::format("'{}' is damaged: its header has a NUL at byte {}", path, nul + 8));
  }
  HeaderReader reader(path);
  Json::sax_parse(text, &reader);
  return reader.take();
}

}  // namespace unroll
