// Pictures of what a model computes: /v1/draw.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "draw/picture.h"
#include "draw/picture_json.h"
#include "json/json_text.h"
#include "server/api/api.h"
#include "server/api/untrained_fields.h"
#include "server/api_error.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostBytesOfPicture = std::int64_t{256} << 20;  // of an unrolled text

void read_option(RequestFields& fields, const PictureOption& option, PictureOptions& options) {
  const std::string name(option.name);
  if (const auto* const whole = std::get_if<std::optional<std::int64_t> PictureOptions::*>(&option.field)) {
    options.** whole =
        fields.whole(name, static_cast<std::int64_t>(option.range.least), static_cast<std::int64_t>(option.range.most));
  } else if (const auto* const real = std::get_if<double PictureOptions::*>(&option.field)) {
    options.** real = fields.number(name, options.**real, option.range);
  } else if (const auto* const text = std::get_if<std::string PictureOptions::*>(&option.field)) {
    options.** text = fields.text(name).value_or(options.**text);
  } else if (const auto* const other = std::get_if<std::optional<std::string> PictureOptions::*>(&option.field)) {
    options.** other = fields.text(name);
    if (options.**other == "") (options.**other).reset();  // a field that is not filled in
  } else {
    options.*std::get<std::vector<std::int64_t> PictureOptions::*>(option.field) = fields.wholes(name, option.range);
  }
}

PictureRequest read_request(RequestFields& fields) {
  const std::optional<std::string> name = fields.text("picture");
  if (!name) throw ApiError(400, "`picture` is missing: expected its name", "picture");
  const PictureKind& kind = picture_kind(*name);
  PictureRequest request{.picture = *name, .models = {}, .most_bytes = kMostBytesOfPicture};
  for (const PictureOption& option : picture_options()) {
    if (std::ranges::find(kind.options, option.name) != kind.options.end()) {
      read_option(fields, option, request.options);
    }
  }
  request.text = kind.reads_text ? fields.filled_text("text") : fields.text("text").value_or("");
  request.label = fields.text("label").value_or("");
  request.standalone = fields.truth("standalone", false);
  return request;
}

// A model that is served. Throws as Models::find(), but blames `beside`.
DrawnModel beside(const Models& models, const std::string& name) {
  try {
    const std::shared_ptr<ServedModel> other = models.find(name);
    return {.name = other->name, .model = other->model};
  } catch (const ApiError& error) {
    if (error.status() != 404) throw;
    throw ApiError(404, error.what(), "beside", error.code());
  }
}

std::string picture_body(const PictureRequest& request, const std::vector<std::string>& ignored) {
  nlohmann::ordered_json body{
      {"object", "picture"}, {"picture", request.picture}, {"model", request.models.front().name}};
  body.update(picture_json(draw(request)));
  if (!ignored.empty()) body["unroll"] = {{"ignored", ignored}};
  return json_line(body);
}

}  // namespace

void Api::draw_picture(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> served = model_of(fields, *call);
  PictureRequest request = read_request(fields);
  request.models.push_back({.name = served->name, .model = served->model});
  for (const std::string& name : fields.texts("beside")) request.models.push_back(beside(models_, name));
  std::vector<UntrainedNetwork> untrained = untrained_fields(fields);
  ask(call, *served,
      [request = std::move(request), untrained = std::move(untrained),
       ignored = fields.ignored()](const StillWanted& still_wanted) mutable {
        request.still_wanted = [&still_wanted] { still_wanted(); };
        for (const UntrainedNetwork& network : untrained) {
          const Model model = untrained_model(request.models.front().model.tokenizer(), network);
          request.models.push_back({.name = untrained_name(network), .model = model, .untrained = true});
          still_wanted();
        }
        return picture_body(request, ignored);
      });
}

}  // namespace unroll
