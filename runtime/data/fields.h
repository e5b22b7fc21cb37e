// What the model file says of a field, applied to what a file holds.
#pragma once

#include "runtime/data/raw.h"
#include "runtime/data/spec.h"

namespace nnc::runtime {

// The stored type and row shape of a field whose file has numbers of `dtype` in rows of
// `row_shape`; the vocabulary of a `category` field is left as FieldSpec knows it. Throws
// DataError when FieldSpec::shape holds another number of numbers.
FieldInfo describe_field(const std::string& file, const std::string& name, abi::DType dtype,
                         const std::vector<int64_t>& row_shape, const DataSpec& spec);

// Words of a column with `names` become indices, -1 for others, and are kept for messages; all
// other numbers stay as they were read, so that `where` and prepare see what the file says. Throws
// DataError for another shape than the field's, and for words where numbers were expected.
void convert_words(Table& table, Column& column, const DataSpec& spec);

// Brings the numbers of a checked column to the type that describe_field says; those that are
// prepared while loading (Prepared) stay raw. Numbers of a `category` field become words.
void store_field(const Table& table, Column& column, const DataSpec& spec);

// Checks the rows that are used, before their numbers are stored: indices whole and in range, names
// known, nothing missing without impute. Throws DataError.
void check_field(const Table& table, const Column& column, const std::vector<int32_t>& rows,
                 const DataSpec& spec);

// Gives the words of `category` columns whose vocabulary is known their indices (-1: unknown) while
// `work` runs, so that `where` can compare them. Numbers are compared as they are.
void with_indices(Table& table, const DataSpec& spec, const std::function<void()>& work);

// The words of a `category` column in these rows, each once: in the order of the numbers that they
// are if all are numbers, else in byte order.
std::vector<std::string> learn_vocabulary(const Column& column, const std::vector<int32_t>& rows);

// Turns the words of a `category` column into indices of `vocabulary`; other words get the next
// index (`unknown: own`), or throw DataError if one of `rows` has one.
void apply_vocabulary(const Table& table, Column& column, const FieldSpec& field,
                      const std::vector<std::string>& vocabulary, const std::vector<int32_t>& rows);

// classes of a category field with this vocabulary.
int64_t category_classes(const FieldSpec& field, const std::vector<std::string>& vocabulary);

}  // namespace nnc::runtime
