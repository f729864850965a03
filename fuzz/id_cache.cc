#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "model/checksum.h"
#include "model/id_cache.h"
#include "target.h"
#include "targets.h"

namespace unroll {
namespace {

constexpr std::size_t kFirstId = 8192;

std::uint64_t checksum_of_bytes(std::string_view bytes) {
  Checksum sum;
  sum.add(bytes);
  return sum.number();
}

// The file that the input stands for. One that begins with a brace is a header, up to the first line end, and ids of 2
// bytes, of which the last is held out: they get a frame with their checksums, so that what is behind these is reached.
// Anything else is a file as it is.
std::string framed_cache(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  if (!input.starts_with('{') || end > kFirstId / 2) return std::string(input);
  const std::string_view ids = input.substr(std::min(end + 1, input.size()));
  const std::uint64_t count = ids.size() / 2;
  if (count == 0) return std::string(input);
  const std::array<std::uint64_t, 7> numbers{1 | std::uint64_t{2} << 32,
                                             std::max<std::uint64_t>(1, count - 1),
                                             count > 1 ? 1U : 0U,
                                             kFirstId,
                                             end,
                                             checksum_of_bytes(ids.substr(0, 2 * count)),
                                             0};
  std::string file = "unrolids";
  file.append(reinterpret_cast<const char*>(numbers.data()), sizeof(numbers));
  file += input.substr(0, end);
  const std::uint64_t sealed = checksum_of_bytes(file);
  std::memcpy(file.data() + 56, &sealed, sizeof(sealed));
  file.resize(kFirstId, '\0');
  return file + std::string(ids.substr(0, 2 * count));
}

}  // namespace

std::string fuzz_id_cache(std::string_view input) {
  const std::string path = file_of(framed_cache(input), "text.ids");
  static_cast<void>(is_id_cache(path));
  return refusal_of([&] {
    const IdCache cache(path);
    expect(cache.train().size() == static_cast<std::size_t>(cache.info().train.ids), "ids are as many as it says");
    cache.verify();
    std::vector<std::int32_t> room;
    for (const Ids& part : {cache.train(), cache.valid()}) {
      for (const std::int32_t id : part.view().in_memory(room)) {
        expect(id < cache.info().tokenizer.size(), "an id is in the vocabulary");
      }
    }
  });
}

}  // namespace unroll
