// The rows that `nnc predict` is given: which file holds which input, found out from the files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/data/table.h"
#include "tools/nnc/trained.h"

namespace nnc::tool {

// Reads `--in` arguments: FILE for all inputs (or the only one), or INPUT=FILE for each. Files are
// told apart by their first bytes: npy, npz, idx (compressed or not), PNG and JPEG, else csv; a
// folder is a row for each of its pictures; "-" is standard input. csv columns are those of the
// model's own csv data if it has some; else those named like the inputs if each is one number and
// the file has names; else all columns in the order of the inputs. Numbers come in the model's own
// precision (see raw_rows). CommandError, DataError.
std::shared_ptr<const runtime::Table> read_input_rows(const std::vector<std::string>& arguments,
                                                      const Trained& trained);

// These rows of a table with all numbers in the model's own precision, which is what the entry
// `predict` takes; indices stay i32.
std::shared_ptr<const runtime::Table> raw_rows(const runtime::Table& table,
                                               const std::vector<int32_t>& rows,
                                               const spec::Description& description);

}  // namespace nnc::tool
