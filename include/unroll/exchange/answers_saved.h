// Writes classifiers that answer by another rule.
#pragma once

#include <string>

#include "unroll/label/answer_rule.h"
#include "unroll/model.h"

namespace unroll {

// Writes `model` to `path` with the thresholds and factors of `rule`; every number and everything else is as it was.
// Factors of 1 and thresholds that are the usual ones are not stored: with the rule of Classifier(model) the file is
// equal to that of the model, bit for bit, if unroll wrote it. A file at `path` is replaced as a whole.
//
// Throws Error{kUsage} unless the model classifies, for a rule of another number of labels, thresholds outside 0 to 1
// and factors that are not finite and above 0; Error{kFile} when the file cannot be written.
void save_with_rule(const Model& model, const AnswerRule& rule, const std::string& path);

}  // namespace unroll
