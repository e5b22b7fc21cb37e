// What `prepare` computes, where that happens while rows are loaded: in f64, by the very operations
// that the compiled program has for it (compiler/assemble/fields.cpp).
#pragma once

#include "runtime/data/statistics.h"

namespace nnc::runtime {

// Who prepares a field whose source has numbers of this type.
Prepared prepared_in(const FieldSpec& field, abi::DType source, abi::DType precision);

// One number after the first `count` steps; `channel` is its place on the last axis, fitted[i] what
// step i has learned (null: nothing).
double prepared_number(double x, const std::vector<PrepareStep>& steps, size_t count,
                       const std::vector<const FittedStep*>& fitted, size_t channel);

// Whether everything is known that the steps of a field have to learn.
bool is_fitted(const FieldSpec& field, const std::vector<FittedStep>& fitted);

// All numbers of a column after all steps, as f32. Throws std::invalid_argument for a step that
// was not fitted.
void prepare_column(Column& column, const FieldSpec& field, const std::vector<FittedStep>& fitted);

}  // namespace nnc::runtime
