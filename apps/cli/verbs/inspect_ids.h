// `unroll inspect FILE.ids`: what an id cache holds, after all of it was checked.
#pragma once

#include <string>

namespace unroll {

// Prints the content of the cache at `path` for people, or as one JSON object. Throws as verify_id_cache().
void inspect_ids(const std::string& path, bool json);

}  // namespace unroll
