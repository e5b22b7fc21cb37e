// Rows that hold NaN or infinity where a model expects numbers: found when what came of them is
// none either (a formula may well leave them out).
#pragma once

#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/data/table.h"
#include "runtime/inference.h"

namespace nnc::workbench {

// The first such number of the fields of these names: "x.npy: row 7 (counted from 0), field 'x':
// nan"; empty if there is none.
std::string bad_number(const std::vector<std::string>& fields, const runtime::Split& rows);

// The fields that an entry reads.
std::vector<std::string> fields_of(const abi::EntryDesc& entry);

// A loss or metric of "valid" or "test" rows that is no number: WorkError if their data are to
// blame, else a warning.
void check_metrics(const std::string& split, const runtime::Metrics& metrics,
                   const abi::EntryDesc& evaluate, const runtime::Split& rows);
// The same, but a warning in any case: what led here is not lost.
void warn_of_metrics(const std::string& split, const runtime::Metrics& metrics,
                     const abi::EntryDesc& evaluate, const runtime::Split& rows);

// The same for predictions.
void check_predictions(const std::vector<runtime::Prediction>& outputs,
                       const abi::EntryDesc& predict, const runtime::Split& rows);

}  // namespace nnc::workbench
