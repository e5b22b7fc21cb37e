// One source of rows, whatever its format.
#pragma once

#include "runtime/data/spec.h"

namespace nnc::runtime {

// What headers say of a source.
struct SourceInfo {
  std::string file;   // for messages
  int64_t rows = -1;  // before `where`; -1: only reading tells
  std::vector<FieldInfo> fields;
};

// For messages: the file or folder that the rows come from, or "generated data".
std::string name_of(const Source& source);

// The memory that its rows will take, as far as headers tell.
uint64_t known_bytes(const SourceInfo& info);
// Throws DataError where that is more than there may be.
void check_memory(const std::string& file, uint64_t bytes, const DataSpec& spec);

// Reads headers only. Throws DataError, also when fields have different numbers of rows.
SourceInfo probe_source(const Source& source, const DataSpec& spec);

// Reads all rows; numbers stay as the file has them (see convert_words).
Table read_source(const Source& source, const DataSpec& spec);

// The rows that `where` keeps, checked (see check_field).
std::vector<int32_t> kept_rows(const Source& source, const Table& table, const DataSpec& spec);

}  // namespace nnc::runtime
