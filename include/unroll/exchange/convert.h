// Converts models to smaller ones with rounded weights.
#pragma once

#include <string>

#include "unroll/model.h"

namespace unroll {

// The largest rounding error.
struct Conversion {
  double largest_error = 0;  // over the weight matrices: |rounded - before| / |before|, norms over the whole matrix
  std::string tensor;        // of which matrix
};

// Writes `model` to `path` with its weight matrices rounded to `precision`; biases stay f32; vocabulary, options and
// history are copied. bf16 takes half of the bytes of f32, int8 (a scale for each row) a quarter. Every function that
// takes a Model takes the rounded one, and multiplies in its precision; dynamic evaluation alone refuses int8.
//
// Equal models give equal bytes. A file at `path` is replaced as a whole.
// Throws Error{kUsage} unless `precision` takes fewer bytes than the model's own: rounding cannot be undone.
//        Error{kNumeric} when a weight is too large for `precision`; nothing is written then.
//        Error{kFile} when the file cannot be written.
Conversion convert(const Model& model, Precision precision, const std::string& path);

}  // namespace unroll
