// Units that follow a feature of a text, or hold a selection of it together: /v1/units.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json_text.h"
#include "json/look_json.h"
#include "server/api/api.h"
#include "server/api/unrolled_request.h"
#include "server/api_error.h"
#include "unroll/look/passages.h"
#include "unroll/look/units.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostUnits = 100;
constexpr std::int64_t kMostPassages = 100;
constexpr std::int64_t kLongestText = 16'384;  // steps
constexpr std::int64_t kLastStep = std::int64_t{1} << 31;

struct UnitsRequest {
  TextToUnroll text;
  std::string feature;                          // or else
  std::optional<TextSelection> selection = {};  // one of both
  std::optional<std::int64_t> layer = {};
  std::int64_t count = 10;
  std::int64_t passages = 10;
};

bool is_expression(std::string_view feature) {
  return feature.size() > 2 && feature.starts_with('/') && feature.ends_with('/');
}

UnitsRequest read_units(RequestFields& fields, const Model& model) {
  UnitsRequest request{.text = text_to_unroll(fields), .feature = fields.text("feature").value_or("")};
  const std::optional<std::int64_t> from = fields.whole("from", 0, kLastStep);
  const std::optional<std::int64_t> to = fields.whole("to", 0, kLastStep);
  request.layer = fields.whole("layer", 0, model.config().layers * directions(model.config()) - 1);
  request.count = fields.whole("count", 1, kMostUnits).value_or(request.count);
  request.passages = fields.whole("passages", 0, kMostPassages).value_or(request.passages);
  if (from.has_value() != to.has_value()) {
    const char* const missing = from ? "to" : "from";
    throw ApiError(400, fmt::format("`{}` is missing: a selection has its first step and its last", missing), missing);
  }
  if (from) request.selection = TextSelection{.from = *from, .to = *to};
  if (request.feature.empty() != request.selection.has_value()) {
    throw ApiError(400, "expected `feature`, or a selection with `from` and `to`", "feature");
  }
  constexpr std::array<std::string_view, 3> kNames{"quotes", "brackets", "line"};
  if (!request.feature.empty() && !is_expression(request.feature) &&
      std::ranges::find(kNames, request.feature) == kNames.end()) {
    refuse_field("feature", request.feature, "quotes, brackets, line, or a regular expression as /[0-9]+/");
  }
  return request;
}

TextFeature feature_of(const UnrolledText& text, const std::string& name) {
  if (name == "quotes") return quotes_feature(text);
  if (name == "brackets") return brackets_feature(text);
  if (name == "line") return line_position_feature(text);
  return match_feature(text, name.substr(1, name.size() - 2));
}

void add_feature(const UnrolledText& text, const UnitsRequest& request, const StillWanted& still_wanted,
                 nlohmann::ordered_json& body) {
  const TextFeature feature = feature_of(text, request.feature);
  still_wanted();
  const std::vector<FollowingUnit> units = units_following(text, feature, request.count, request.layer);
  body["feature"] = feature.name;
  if (units.empty()) body["reason"] = why_none(feature);
  body["followed"] = !units.empty() && follows_well(units.front());
  body["units"] = units_json(units);
}

void add_selection(const UnrolledText& text, const UnitsRequest& request, const StillWanted& still_wanted,
                   nlohmann::ordered_json& body) {
  const TextSelection& selection = *request.selection;
  const std::vector<SelectedUnit> units = units_of_selection(text, selection, request.count, request.layer);
  still_wanted();
  body.update(selection_json(text, selection, units, passages_alike(text, selection, units, request.passages)));
}

}  // namespace

void Api::units(std::unique_ptr<Call>& call) {
  RequestFields fields = fields_of(*call);
  const std::shared_ptr<ServedModel> served = model_of(fields, *call);
  UnitsRequest request = read_units(fields, served->model);
  ask(call, *served,
      [name = served->name, model = served->model, request = std::move(request)](const StillWanted& still_wanted) {
        const UnrolledText text = unrolled(model, request.text, kLongestText);
        nlohmann::ordered_json body{{"object", "units"}, {"model", name}, {"unread_steps", text.unread_steps()}};
        if (request.selection) {
          add_selection(text, request, still_wanted, body);
        } else {
          add_feature(text, request, still_wanted, body);
        }
        return json_line(body);
      });
}

}  // namespace unroll
