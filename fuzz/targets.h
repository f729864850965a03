// The fuzz targets: each reads any bytes as one kind of input.
//
// An Error is the expected answer to most bytes. Anything else (a crash, a report of a sanitizer, another exception, a
// claim that does not hold) is a fault of the library. Targets keep nothing between calls that changes what they do.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// Each returns the message of the Error that refused the input; nothing where it was accepted.
std::string fuzz_arpa(std::string_view input);            // an n-gram model
std::string fuzz_columns(std::string_view input);         // columns and CoNLL-U: the first byte says which
std::string fuzz_dense(std::string_view input);           // sequences of numbers: the first byte is the format
std::string fuzz_http(std::string_view input);            // what is sent on a connection
std::string fuzz_id_cache(std::string_view input);        // a text as ids
std::string fuzz_import(std::string_view input);          // another program's network: the first byte says what
std::string fuzz_labelled_texts(std::string_view input);  // texts with labels: the first byte is the format
std::string fuzz_lists(std::string_view input);           // N-best lists and references: the first byte is the format
std::string fuzz_model(std::string_view input);           // a model file
std::string fuzz_pairs(std::string_view input);    // minimal pairs, suites and formulas: the first byte says which
std::string fuzz_recipe(std::string_view input);   // a recipe, with the flags that it presets
std::string fuzz_request(std::string_view input);  // the body of a request: the first byte says which
std::string fuzz_resume(std::string_view input);   // changes to a resume file, with which the run is continued
std::string fuzz_sentencepiece(std::string_view input);  // a SentencePiece model
std::string fuzz_text(std::string_view input);           // a text: the first byte is the tokenizer
std::string fuzz_vocabulary(std::string_view input);     // a vocabulary file: the first byte is the tokenizer
std::string fuzz_word_vectors(std::string_view input);   // word vectors of word2vec's and GloVe's form

}  // namespace unroll
