// The style sheet of pictures.
#pragma once

#include <string_view>

namespace unroll {

// web/picture.css, which stands in a picture that is a file of its own.
[[nodiscard]] std::string_view picture_style() noexcept;

}  // namespace unroll
