// The rows that `nnc predict` is given: which file holds which input, found out from the files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/data/table.h"
#include "tools/nnc/trained.h"

namespace nnc::tool {

// Reads `--in` arguments: FILE for all inputs (or the only one), or INPUT=FILE for each. Files are
// told apart by their first bytes: npy, npz, idx (compressed or not), else csv; "-" is csv from
// standard input. csv columns are those of the model's own csv data if it has some, else all
// columns in the order of the inputs. CommandError, DataError.
std::shared_ptr<const runtime::Table> read_input_rows(const std::vector<std::string>& arguments,
                                                      const Trained& trained);

// The trained fields with the types that the rows really have.
std::vector<runtime::FieldInfo> fields_of_rows(const Trained& trained, const runtime::Table& table);

}  // namespace nnc::tool
