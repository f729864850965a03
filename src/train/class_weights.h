// What the loss of a text is multiplied by, for its label.
#pragma once

#include <string>
#include <vector>

#include "unroll/data/labelled_texts.h"

namespace unroll {

// `asked` is "balanced": the weight of a label is texts / (labels * texts with the label), so that all labels weigh the
// same together; or "a=2,b=1": labels and weights, 1 for those that are not named. Empty: no weights. Labels that hold
// "," or "=" cannot be named. Throws Error{kUsage} for anything else, for labels that do not exist, and with several
// labels per text.
[[nodiscard]] std::vector<double> class_weights(const std::string& asked, const LabelledTexts& texts);

}  // namespace unroll
