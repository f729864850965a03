// The pictures, one function and one file each.
#pragma once

#include "draw/picture.h"

namespace unroll {

[[nodiscard]] Picture draw_unrolled(const PictureRequest& request);
[[nodiscard]] Picture draw_onehot(const PictureRequest& request);
[[nodiscard]] Picture draw_step(const PictureRequest& request);
[[nodiscard]] Picture draw_softmax(const PictureRequest& request);
[[nodiscard]] Picture draw_surprisal(const PictureRequest& request);
[[nodiscard]] Picture draw_gradient(const PictureRequest& request);
[[nodiscard]] Picture draw_saliency(const PictureRequest& request);
[[nodiscard]] Picture draw_gates(const PictureRequest& request);
[[nodiscard]] Picture draw_neurons(const PictureRequest& request);
[[nodiscard]] Picture draw_truncation(const PictureRequest& request);
[[nodiscard]] Picture draw_dice(const PictureRequest& request);
[[nodiscard]] Picture draw_tree(const PictureRequest& request);
[[nodiscard]] Picture draw_answers(const PictureRequest& request);
[[nodiscard]] Picture draw_tags(const PictureRequest& request);  // the answers of a tagger

}  // namespace unroll
