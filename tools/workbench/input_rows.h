// The rows that are to be predicted, read from files of any format.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/data/table.h"
#include "tools/workbench/trained.h"

namespace nnc::workbench {

// How csv files are to be read, as the user says; what that leaves open is as in the model's
// own csv data, or found out.
struct CsvReading {
  std::optional<bool> header;  // whether the first line holds names
  std::optional<char> separator, decimal;
  std::optional<std::string> encoding;
  std::string id;  // a column whose cells name the rows; may be empty
};

struct InputRows {
  std::shared_ptr<const runtime::Table> table;  // as the entry takes them (see raw_rows)
  std::vector<std::string> ids;    // for each row its cell of the id column, or the picture's file
  std::vector<std::string> notes;  // what was decided about the files, for people
};

// Reads `--in` arguments (see input_groups). What files hold is found out from their first bytes:
// npy, npz, idx (compressed or not), PNG and JPEG, else csv; a folder is a row for each of its
// pictures (Table::files has their names); "-" is standard input. csv columns are those of the
// model's own csv data if it has some; else see runtime::match_columns. Numbers come as the
// entry, "predict" or a function, takes them (see raw_rows). WorkError, DataError.
InputRows read_input_rows(const std::vector<std::string>& arguments, const Trained& trained,
                          const abi::EntryDesc& entry, const CsvReading& csv);

// These rows of a table in the types of the inputs of an entry, which are f32, f64 or i32; columns
// that it does not take are left out.
std::shared_ptr<runtime::Table> raw_rows(const runtime::Table& table,
                                         const std::vector<int32_t>& rows,
                                         const std::vector<abi::InputDesc>& inputs);

}  // namespace nnc::workbench
