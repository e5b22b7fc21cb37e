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

// Brings a column as read (u8, i32, i64, f32, f64, or words) to what describe_field says. Words
// become indices by `names`, -1 for others, and are kept for messages; words and numbers of a
// `category` field become words. Throws DataError for fractions in an index field and for words
// where numbers were expected.
void convert_field(Table& table, Column& column, const DataSpec& spec);

// Checks the rows that are used: indices in range, names known, nothing missing without impute.
// Throws DataError.
void check_field(const Table& table, const Column& column, const std::vector<int32_t>& rows,
                 const DataSpec& spec);

// Gives the words of `category` columns whose vocabulary is known their indices (-1: unknown) while
// `work` runs, so that `where` can compare them.
void with_indices(Table& table, const DataSpec& spec, const std::function<void()>& work);

// The words of a `category` column in these rows, each once, in byte order.
std::vector<std::string> learn_vocabulary(const Column& column, const std::vector<int32_t>& rows);

// Turns the words of a `category` column into indices of `vocabulary`; other words get the next
// index (`unknown: own`), or throw DataError if one of `rows` has one.
void apply_vocabulary(const Table& table, Column& column, const FieldSpec& field,
                      const std::vector<std::string>& vocabulary, const std::vector<int32_t>& rows);

// classes of a category field with this vocabulary.
int64_t category_classes(const FieldSpec& field, const std::vector<std::string>& vocabulary);

}  // namespace nnc::runtime
