// What pictures are of: a model, unrolled over a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "draw/picture.h"
#include "draw/svg.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {

// Models and texts that are drawn side by side, at most.
inline constexpr std::size_t kMostSeries = 6;

// The text of the request under one of its models, or another text under it.
[[nodiscard]] UnrolledText unrolled(const PictureRequest& request, std::size_t model = 0);
// What that model is given: `label`, but for a model without conditions beside another nothing.
[[nodiscard]] std::string label_for(const PictureRequest& request, std::size_t model);

// Another text, or a model read otherwise. `state`: unset is that of the model's training.
[[nodiscard]] UnrolledText unrolled(const PictureRequest& request, const Model& model, const std::string& text,
                                    std::optional<StatePolicy> state = {});

// The text with the end of its last line, if a language model reads lines and the text lacks it: so the last symbol is
// read too, and sums are those of `score`.
[[nodiscard]] std::string with_line_end(const Model& model, const std::string& text);
[[nodiscard]] UnrolledText unrolled_with_end(const PictureRequest& request, std::int64_t most_steps = 4096);

// Throws Error{kUsage} for an `at` that the text does not have.
void check_at(const PictureRequest& request, const UnrolledText& text);

// The step that the request is about: `at`, or the last that predicts a symbol, of a model that labels texts the last.
// Throws Error{kUsage} for a step that
// the text does not have or that predicts none, Error{kInput} for a text without a prediction.
[[nodiscard]] std::int64_t asked_step(const PictureRequest& request, const UnrolledText& text);

void check_wanted(const PictureRequest& request);

// The picture's svg, of a sheet with its title and its sentence.
void finish(Picture& picture, const PictureRequest& request, const Svg& drawn, double width, double height);

}  // namespace unroll
