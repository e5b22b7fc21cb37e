// Rows for the self-test of emitted code: real ones, with what the trained program makes of them.
#pragma once

#include <vector>

#include "compiler/codegen/emit.h"
#include "tools/workbench/trained.h"

namespace nnc::workbench {

// For each entry rows of the data (of the test split, else train) with its answers. Values at which
// it cuts the graph are what the model makes of these rows; what its function draws is drawn.
std::vector<std::vector<codegen::EmitRow>> self_test_rows(
    const Trained& trained, const std::vector<abi::EntryDesc>& entries);

}  // namespace nnc::workbench
