// What a network's outputs mean, and the loss that trains them.
#pragma once

#include <string_view>

namespace unroll {

// The loss of K outputs y, one per label or target number; nats, but for kSquared.
//
//   kSoftmax  one label of K is right: -ln softmax(y)[label]
//   kSigmoid  each label is right or wrong by itself: the sum over labels of -ln sigmoid(y_k) or -ln sigmoid(-y_k)
//   kCrf      a label at each step of a text, and transitions between neighbours: -ln p(labels) of a linear-chain
//             conditional random field (Lafferty, McCallum & Pereira 2001), nn/crf.h
//   kSquared  K numbers z are wanted: the sum over outputs of (y_k - z_k)^2 / 2
enum class Loss { kSoftmax, kSigmoid, kCrf, kSquared };

// "softmax", "sigmoid", "crf", "squared".
[[nodiscard]] std::string_view loss_name(Loss loss) noexcept;

// The loss with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] Loss parse_loss(std::string_view text);

}  // namespace unroll
