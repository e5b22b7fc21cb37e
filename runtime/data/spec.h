// Where rows come from, as plain structs that the model file is turned into. Paths are already
// resolved. See probe.h (what the fields are, from headers only) and load.h (the rows).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/data/resize.h"
#include "runtime/data/table.h"

namespace nnc::runtime {

// {idx: {image: a-images.gz, label: a-labels.gz}}, compressed or not; also npy: {x: x.npy, y:
// y.npy}
struct FieldFile {
  std::string field;
  std::string path;
};
struct IdxSource {
  std::vector<FieldFile> files;
};
struct NpySource {
  std::vector<FieldFile> files;
};

// {npz: {file: a.npz, arrays: {x: x, c: labels}}}
struct FieldArray {
  std::string field;
  std::string array;
};
struct NpzSource {
  std::string path;
  std::vector<FieldArray> arrays;
};

// {csv: {file: a.csv, missing: ["", NA], columns: {x: [height, width], y: price}}}
struct CsvColumns {
  std::string field;
  std::vector<std::string> columns;  // header names; without a header: numbers from 0, as text
  bool list = false;                 // written as a list: the row shape is [n], else []
};
struct CsvSource {
  std::string path;
  std::vector<CsvColumns> columns;
  bool header = true;
  bool by_position = false;  // columns are numbers from 0 although there is a header
  char separator = ',';
  char decimal = '.';
  std::string encoding;     // as iconv knows it; empty: UTF-8
  bool by_options = false;  // messages name options of the command, not keys of the model file
  std::vector<std::string>
      missing;  // such cells are missing: only a field with `impute` may have them
};

// Rows written in the model file. Each field has numbers or words.
struct InlineField {
  std::string field;
  std::vector<int64_t> row_shape;
  std::vector<double> numbers;     // rows × row elements
  std::vector<std::string> words;  // instead of numbers
};
struct InlineSource {
  int64_t rows = 0;
  std::vector<InlineField> fields;
};

// Rows made by a callback (`generate`): the shapes are known before it is called.
struct GeneratedField {
  std::string field;
  std::vector<int64_t> row_shape;
};
struct GeneratedSource {
  int64_t rows = 0;
  std::vector<GeneratedField> fields;
  std::function<std::vector<InlineField>()> make;  // numbers only, fields in the order above
};

// {images: {folder: pictures, size: [64, 64], channels: 3}}: fields image and label
struct ImagesSource {
  std::string folder;  // without labels also one picture
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 3;  // 1 or 3
  Fit fit = Fit::crop;
  std::string field = "image";
  bool labels = true;  // false: pictures directly in the folder, and no field label
};

using SourceKind = std::variant<IdxSource, NpySource, NpzSource, CsvSource, InlineSource,
                                GeneratedSource, ImagesSource>;

struct Source {
  SourceKind kind;
  // `where`: for each row 1 to keep it, 0 to drop it. The table holds the fields as stored. May be
  // empty. Called once after loading.
  std::function<std::vector<uint8_t>(const Table&)> where;
  // Words and numbers that stand for a missing value, in every field but pictures.
  std::vector<std::string> missing = {};
};

// Where the prepare steps of a field of numbers are computed, and in which type.
enum class Prepared : uint8_t {
  in_program,      // on the values as stored, in the model's type: bytes
  in_program_f64,  // in the program, but in f64: numbers that change before (augment)
  while_loading,   // in f64, once, by the runtime; only prediction takes raw numbers, in f64
};

// One step of `prepare`. The runtime fits it; who computes it says Prepared.
struct PrepareStep {
  enum class Kind : uint8_t {
    scale,        // x * a
    standardize,  // (x - mean) / stddev, learned; stddev of the population
    minmax,       // a + (x - min) / (max - min) * (b - a), learned; default 0 … 1
    clip,         // into a … b
    log,          // log(x + a)
    impute,       // missing -> mean or median, learned, or the number a
    category,     // word -> index, learned vocabulary
    one_hot,      // index -> vector
  };
  // What impute puts in the place of a missing value.
  enum class Fill : uint8_t { mean, median, number };
  Kind kind = Kind::scale;
  double a = 0;
  double b = 1;
  bool unknown_is_own = false;  // category: words not seen in training share one more index
  bool missing_is_own = false;  // category: missing values are a word, "", like others

  // Whether it takes statistics of the training rows.
  bool learns() const {
    return kind == Kind::standardize || kind == Kind::minmax || kind == Kind::impute;
  }
  Fill fill = Fill::mean;
};

struct FieldSpec {
  std::string name;
  std::optional<std::vector<int64_t>> shape;  // of one row; must hold as many numbers as the file's
  int64_t classes = 0;                        // > 0: indices 0 … classes-1
  std::vector<std::string> names;             // words of an index field; classes is their number
  std::vector<PrepareStep> prepare;
  // The vocabulary of `category` when it is known already (from a run's weights); else it is
  // learned from the training rows.
  std::vector<std::string> vocabulary;
  bool augmented = false;  // training changes or mixes its rows before they are prepared
  // As a run was trained; else what prepared_in chooses.
  std::optional<Prepared> prepared;

  const PrepareStep* category() const;
  bool is_index() const { return classes > 0 || !names.empty() || category() != nullptr; }
};

// A split taken from the training rows.
struct Fraction {
  double fraction = 0;   // 0 … 1
  std::string stratify;  // an index field whose classes keep their shares; may be empty
  uint64_t seed = 0;
  bool each_class_rounded =
      false;  // under stratify, as runs are split whose manifest names no rows
};

// What the numbers of a field may be where something takes them as they are.
struct FieldRange {
  std::string field;
  double lowest = 0, highest = 0;
  std::string reason;  // for the message: "binary_cross_entropy"
};

struct DataSpec {
  std::optional<Source> train, valid, test;
  std::optional<Fraction> valid_fraction, test_fraction;  // instead of the source of that name
  std::vector<FieldSpec> fields;                          // only fields that have something to say
  std::vector<FieldRange> ranges;                         // checked for fields without `prepare`
  abi::DType precision = abi::DType::f32;  // f32 or f64: how numbers of csv, inline … are stored
  uint64_t max_bytes = 0;                  // limit on the memory of all rows; 0: none

  const FieldSpec* field(const std::string& name) const;
};

// What the compiler must know of a field before any row is read.
struct FieldInfo {
  std::string name;
  abi::DType dtype = abi::DType::f32;  // as the rows will be stored; indices are i32
  std::vector<int64_t> row_shape;
  int64_t classes = 0;                  // > 0 for index fields, the unknown word included
  std::vector<std::string> vocabulary;  // words by index: names or the learned categories
  Prepared prepared = Prepared::in_program;
  bool wide = false;  // f32 cannot tell its raw numbers apart (see needs_f64)

  int64_t row_bytes() const {
    const auto size = static_cast<int64_t>(abi::size_of(dtype));
    return checked_product(elements_of(row_shape), size);
  }
};

}  // namespace nnc::runtime
