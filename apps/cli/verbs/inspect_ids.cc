#include "cli/verbs/inspect_ids.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "json/json_text.h"
#include "unroll/id_cache.h"

namespace unroll {
namespace {

nlohmann::ordered_json cache_part_json(const IdCachePart& part) {
  return {{"ids", part.ids},
          {"unknown", part.unknown},
          {"bytes", part.bytes},
          {"characters", part.characters},
          {"lossless", part.lossless}};
}

nlohmann::ordered_json cache_json(const IdCacheInfo& info) {
  return {{"train", cache_part_json(info.train)},
          {"valid", cache_part_json(info.valid)},
          {"valid_split", info.valid_split},
          {"state", state_policy_name(info.state)},
          {"tokenizer",
           {{"kind", tokenizer_kind_name(info.tokenizer.kind())},
            {"lowercase", info.tokenizer.lowercase()},
            {"size", info.tokenizer.size()}}},
          {"bytes_per_id", info.bytes_per_id},
          {"text_checksum", info.text_checksum},
          {"file_bytes", info.file_bytes}};
}

std::string cache_part_text(const char* name, const IdCachePart& part) {
  return fmt::format("  {:<13} {} ids, {} of them unknown, of {} bytes\n", name, grouped(part.ids),
                     grouped(part.unknown), grouped(part.bytes));
}

std::string cache_text(const IdCacheInfo& info) {
  std::string text = "Id cache (all ids were checked)\n" + cache_part_text("train", info.train);
  if (info.valid.ids > 0) text += cache_part_text("held out", info.valid);
  text += fmt::format("  valid-split   {}, state {}\n", info.valid_split, state_policy_name(info.state));
  text += fmt::format("  tokenizer     {}{}, {} symbols\n", tokenizer_kind_name(info.tokenizer.kind()),
                      info.tokenizer.lowercase() ? ", lower case" : "", grouped(info.tokenizer.size()));
  text += fmt::format("  an id         {} bytes\n", info.bytes_per_id);
  text += fmt::format("  text          checksum {}\n", info.text_checksum);
  return text + fmt::format("  file          {}\n", people_bytes(info.file_bytes));
}

}  // namespace

void inspect_ids(const std::string& path, bool json) {
  verify_id_cache(path);
  const IdCacheInfo info = read_id_cache(path);
  Output out;
  out.write(json ? json_line(cache_json(info)) : cache_text(info));
  out.flush();
}

}  // namespace unroll
