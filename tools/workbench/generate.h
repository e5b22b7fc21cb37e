// Rows from formulas (`generate`) and rows chosen by formulas (`where`): evaluated once, in f64, by
// the compiler's reference evaluator.
#pragma once

#include <functional>

#include "compiler/support/args.h"
#include "runtime/data/spec.h"

namespace nnc::workbench {

// The arguments of `generate`: rows, seed, and a formula for each field, which may use the fields
// above it, uniform([low, high][, shape]) and normal([mean, deviation][, shape]). Shapes are known
// at once; the rows are made when the source is read. Random numbers depend on the seed, the
// field's name and the element only. UserError at the part of a formula that is wrong.
runtime::GeneratedSource generated_source(const Args& args);

// For `Source::where`: 1 for each row of a table for which the formula is not 0.
std::function<std::vector<uint8_t>(const runtime::Table&)> row_filter(const Formula& formula);

// UserError where the formula of a filter does not fit these fields.
void check_filter(const Formula& formula, const std::vector<runtime::FieldInfo>& fields);

}  // namespace nnc::workbench
