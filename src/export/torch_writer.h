// Writes state dicts as torch.save() does: a zip archive of a pickle and of the numbers (checkpoints/torch_file.h).
//
//   archive/data.pkl      collections.OrderedDict of calls of torch._utils._rebuild_tensor_v2
//   archive/byteorder     little
//   archive/data/0, ...   float32, each storage once
//   archive/unroll.json   a text that PyTorch does not read
//   archive/version       3
#pragma once

#include <string>
#include <vector>

#include "export/exported_tensors.h"

namespace unroll {

// Replaces the file. Tensors with the same numbers share a storage. Throws Error{kFile}.
void write_state_dict(const std::string& path, const std::vector<ExportedTensor>& tensors,
                      const std::string& description);

}  // namespace unroll
