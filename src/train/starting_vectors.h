// Word vectors that an embedding starts from.
#pragma once

#include <string>

#include "network/parameters.h"
#include "text/word_vectors.h"
#include "train/training_text.h"
#include "unroll/train.h"

namespace unroll {

// Reads the vectors of transfer.vectors for the words of the text's vocabulary into text.vectors, and sets
// network.embed to their size. Notes how many words have one. Throws as read_word_vectors(), Error{kInput} where no
// word has one, and Error{kUsage} where network.embed is another size.
void take_word_vectors(TrainOptions& resolved, TrainingText& text, const TrainObserver& observer);

// What a run's record holds of them: a hash of the vectors that are taken.
[[nodiscard]] std::string vectors_fingerprint(const WordVectors& vectors);

// Sets the rows of words in the embedding to their vectors, and scales those of other symbols so that their numbers
// have the same root mean square. Requires an embedding of that size, with its initial weights.
void set_word_vectors(const WordVectors& vectors, Parameters& parameters);

}  // namespace unroll
