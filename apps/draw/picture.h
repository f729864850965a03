// Pictures of a model at work: one function, which the command and the server share.
//
//   const unroll::Picture picture = unroll::draw({.picture = "softmax", .models = {{"a", model}}, .text = "the cat"});
//   file << picture.svg;
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "unroll/model.h"
#include "unroll/number_range.h"

namespace unroll {

// A cell of a table: nothing, a number, or words.
using Datum = std::variant<std::monostate, std::int64_t, double, std::string>;

// What a chart shows, as numbers.
struct PictureTable {
  std::vector<std::string> columns = {};
  std::vector<std::vector<Datum>> rows = {};
};

struct Picture {
  std::string title = {};
  std::string sentence = {};  // what one sees
  std::string svg = {};       // one element, with role, <title> and <desc>; nothing of a text is markup in it
  PictureTable table = {};
  std::vector<std::pair<std::string, Datum>> facts = {};
};

// What a picture may be asked for. Errors name these fields as they are called here.
struct PictureOptions {
  std::optional<std::int64_t> at = {};  // a step, from 0; unset: the last with a prediction
  double temperature = 1;
  std::optional<std::int64_t> top_k = {};  // filters of a text that is written; unset: none
  double top_p = 1;
  double min_p = 0;
  std::optional<std::string> second = {};      // another text
  std::optional<std::int64_t> lags = {};       // steps back
  std::optional<std::int64_t> positions = {};  // predictions to look at
  std::optional<std::string> change = {};      // one number of the network: "W,ROW,COLUMN,VALUE"
  std::optional<std::int64_t> truncate = {};   // the length after which gradients are cut off; unset: nowhere
  std::optional<std::int64_t> from = {};       // the first step that is shown, of a text that does not fit
  std::vector<std::int64_t> selection = {};    // the first and the last of steps that are marked
  std::optional<std::int64_t> layer = {};      // from 0; unset: the last
  std::optional<std::int64_t> unit = {};       // from 0
  std::vector<std::int64_t> units = {};
  std::string state = "h";                  // what of units is shown: h, or c
  std::vector<std::int64_t> lengths = {};   // of truncation
  std::string prompt = {};                  // of a text that is written
  std::optional<std::int64_t> length = {};  // of it, in symbols
  std::optional<std::int64_t> count = {};   // of such texts
  std::optional<std::int64_t> seed = {};
};

// A model, and what pictures call it.
struct DrawnModel {
  std::string name;
  Model model;
  bool untrained = false;  // reads the text as the first model does, and no label
};

struct PictureRequest {
  std::string picture;             // a name of pictures()
  std::vector<DrawnModel> models;  // the one that is drawn, then those beside it
  std::string text = {};
  std::string text_name = "the text";  // in messages
  std::string label = {};              // of a model with conditions: what the text is given
  PictureOptions options = {};
  bool standalone = false;                          // with a style sheet of its own
  std::int64_t most_bytes = std::int64_t{1} << 30;  // of an unrolled text; the first steps of a longer one are read
  int threads = 1;                                  // 0: one per core that the process may use
  std::function<void()> still_wanted = {};          // called between pieces of the work; what it throws ends the call
};

// Draws. Throws Error{kUsage} for a picture that is not known, that this model or text cannot have, and for options out
// of range; what UnrolledText and its like throw; what `still_wanted` throws. Threads: any number.
[[nodiscard]] Picture draw(const PictureRequest& request);

// An option of pictures, by the name that it has in requests; its flag has a dash for each underscore.
struct PictureOption {
  std::string_view name;
  std::string_view placeholder;
  std::string_view help;
  std::string_view fallback;  // the default, in words
  NumberRange range;          // of a number
  std::variant<std::optional<std::int64_t> PictureOptions::*, double PictureOptions::*, std::string PictureOptions::*,
               std::optional<std::string> PictureOptions::*, std::vector<std::int64_t> PictureOptions::*>
      field;
};
[[nodiscard]] std::span<const PictureOption> picture_options() noexcept;

// A kind of picture.
struct PictureKind {
  std::string_view name;
  std::string_view purpose;
  std::vector<std::string_view> options;  // names of picture_options() that it heeds
  bool reads_text = true;                 // false: it is of a prompt
  bool several_models = false;            // whether others may stand beside the one
  Picture (*draw)(const PictureRequest& request);
};
[[nodiscard]] const std::vector<PictureKind>& picture_kinds();

// The kind of that name. Throws Error{kUsage} that lists them.
[[nodiscard]] const PictureKind& picture_kind(std::string_view name);

}  // namespace unroll
