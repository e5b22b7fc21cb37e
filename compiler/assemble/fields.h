// What the graph must know of the data: the fields as they are stored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/abi.h"

namespace nnc::assemble {

// A field of the data set, as probing the data found it (no row is read for this).
struct FieldInfo {
  std::string name;
  abi::DType dtype = abi::DType::f32;   // as the rows are stored; indices are i32
  std::vector<int64_t> row_shape;       // without the batch axis
  int64_t classes = 0;                  // > 0 for index fields, an own unknown word included
  std::vector<std::string> vocabulary;  // words by index: class names or learned categories
  bool exact = false;                   // prepared in f64, whatever the model's type is
  bool prepared = false;                // the rows come prepared; they are raw in prediction only
  bool wide = false;                    // f32 cannot tell its raw numbers apart
};

}  // namespace nnc::assemble
