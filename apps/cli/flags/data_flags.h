// The flags that say how labelled texts stand in files, the same for every verb that reads some.
#pragma once

#include "cli/flags/flags.h"
#include "unroll/data/labelled_texts.h"

namespace unroll {

// Declares them under a heading of their own: --format, --text-column, --label-column, --weight-column, --label-prefix,
// --bare-labels, --multi-label, --label-separator, --encoding. They set `options`, which must live until flags->parse()
// has returned.
void declare_data_flags(Flags* flags, LabelledTextOptions* options);

// Declares those that say where a text stands, for verbs that do not read labels: --format, --text-column,
// --label-prefix, --bare-labels, --encoding.
void declare_text_flags(Flags* flags, LabelledTextOptions* options);

// Declares --task of `data`, whose value decides which other flags there are before any is parsed.
void declare_task_of_data(Flags* flags);

}  // namespace unroll
