// The pictures, one function and one file each.
#pragma once

#include "draw/picture.h"

namespace unroll {

[[nodiscard]] Picture draw_gradient(const PictureRequest& request);
[[nodiscard]] Picture draw_softmax(const PictureRequest& request);
[[nodiscard]] Picture draw_surprisal(const PictureRequest& request);

}  // namespace unroll
