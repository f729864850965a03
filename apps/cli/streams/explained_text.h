// Explanations of labels for people: coloured text, rows of numbers, a page of HTML.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "unroll/label/explanation.h"

namespace unroll {

// The text with what speaks for the label on blue and what speaks against it on orange, the stronger the more; a line.
[[nodiscard]] std::string coloured_text(std::string_view text, const Explanation& explanation);

// A row per token: attribution, change of the probability without it ("-": not computed), token; one more for the end
// of the text; and an empty line.
[[nodiscard]] std::string explained_rows(const Explanation& explanation);

[[nodiscard]] nlohmann::ordered_json explanation_json(const Explanation& explanation, const std::string& label);

// A text of a page, coloured; numbers appear under the pointer.
[[nodiscard]] std::string explained_html(std::string_view text, const Explanation& explanation,
                                         const std::string& label);

// The whole page around such texts.
[[nodiscard]] std::string html_page(std::string_view texts);

}  // namespace unroll
