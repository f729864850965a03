#include "draw/subject.h"

#include <fmt/format.h>

#include <algorithm>

#include "draw/changed_weight.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostSteps = 4096;

UnrolledText unrolled_with(const PictureRequest& request, const Model& model, const std::string& text,
                           UnrolledTextOptions options, std::int64_t most_steps = kMostSteps) {
  check_wanted(request);
  const std::int64_t fit = request.most_bytes / unrolled_step_bytes(model.config());
  options.most_steps = std::clamp<std::int64_t>(fit, 1, most_steps);
  options.threads = request.threads;
  options.change = asked_change(request.options);
  return {model, {text, request.text_name}, options};
}

}  // namespace

UnrolledText unrolled(const PictureRequest& request, const Model& model, const std::string& text,
                      std::optional<StatePolicy> state) {
  return unrolled_with(request, model, text, {.state = state, .label = request.label});
}

std::string label_for(const PictureRequest& request, std::size_t model) {
  const bool heeds = model == 0 || request.models.at(model).model.config().conditions > 0;
  return heeds ? request.label : std::string();
}

UnrolledText unrolled(const PictureRequest& request, std::size_t model) {
  const DrawnModel& drawn = request.models.at(model);
  if (drawn.untrained) {
    return unrolled_with(request, drawn.model, request.text,
                         {.state = request.models.front().model.trained_state_policy()});
  }
  return unrolled_with(request, drawn.model, request.text, {.label = label_for(request, model)});
}

std::string with_line_end(const Model& model, const std::string& text) {
  const Tokenizer& tokenizer = model.tokenizer();
  const bool adds = model.config().outputs == 0 && tokenizer.boundary() >= 0 && !tokens_are_words(tokenizer.kind()) &&
                    !text.empty() && !text.ends_with('\n');
  return adds ? text + '\n' : text;
}

UnrolledText unrolled_with_end(const PictureRequest& request, std::int64_t most_steps) {
  const Model& model = request.models.at(0).model;
  return unrolled_with(request, model, with_line_end(model, request.text), {.label = request.label}, most_steps);
}

void check_at(const PictureRequest& request, const UnrolledText& text) {
  const std::int64_t at = request.options.at.value_or(0);
  if (at < text.steps()) return;
  throw Error(ErrorCode::kUsage, fmt::format("`at` is {}: the text has the steps 0 to {}", at, text.steps() - 1), "at");
}

std::int64_t asked_step(const PictureRequest& request, const UnrolledText& text) {
  std::int64_t last = text.steps() - 1;
  while (last >= 0 && text.predicts() && text.target(last) < 0) --last;
  if (last < 0) throw Error(ErrorCode::kInput, fmt::format("{}: no symbol is predicted in it", request.text_name));
  check_at(request, text);
  const std::int64_t at = request.options.at.value_or(last);
  if (text.predicts() && text.target(at) < 0) {
    throw Error(ErrorCode::kUsage, fmt::format("`at` is {}: that step predicts no symbol", at), "at");
  }
  return at;
}

void check_wanted(const PictureRequest& request) {
  if (request.still_wanted) request.still_wanted();
}

void finish(Picture& picture, const PictureRequest& request, const Svg& drawn, double width, double height) {
  picture.svg = svg_document({.picture = request.picture,
                              .width = width,
                              .height = height,
                              .title = picture.title,
                              .description = picture.sentence,
                              .standalone = request.standalone},
                             drawn);
}

}  // namespace unroll
