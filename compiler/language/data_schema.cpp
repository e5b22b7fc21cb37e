#include "compiler/language/data_schema.h"

namespace nnc::language {

using namespace schema;

namespace {

std::shared_ptr<const Type> each(Type type) {
  return std::make_shared<const Type>(std::move(type));
}

Entry idx() {
  return Entry{
      .name = "idx",
      .doc =
          "Arrays in the IDX format of MNIST, gzip-compressed or not: one file for each field, "
          "rows along the first axis.",
      .source = "Y. LeCun, C. Cortes, C. Burges: The MNIST database",
      .example = "idx: {image: train-images-idx3-ubyte.gz, label: train-labels-idx1-ubyte.gz}",
      .other_keys = each(path())};
}

Entry csv() {
  const Type column = one_of({text(), list_of(text()).sized(1, 1u << 20)});
  return Entry{
      .name = "csv",
      .doc =
          "A table of cells between commas or other separators, one row a line. A field is one "
          "column (shape []) or a list of columns (shape [n]). A file that another separator, a "
          "decimal comma or another encoding would fit is refused with the key to add.",
      .example = "csv: {file: houses.csv, columns: {x: [height, width], y: price}}",
      .keys = {
          Key("file", path(), "the table").required(),
          Key("columns", map_of(column),
              "which columns make up each field, by header name, or counted from 0 without a "
              "header")
              .required(),
          Key("header", boolean(), "whether the first line names the columns").by_default("true"),
          Key("separator", text(),
              "what stands between cells: one character such as ;, or tab or space")
              .by_default("\",\""),
          Key("decimal", choice({".", ","}), "the decimal point of numbers").by_default("\".\""),
          Key("encoding", text(), "of the text: utf-8, latin1, windows-1252, utf-16 …")
              .by_default("utf-8"),
          Key("missing", list_of(text()), "texts that stand for a missing value")}};
}

Entry npz() {
  return Entry{.name = "npz",
               .doc = "Several NumPy arrays in one file, rows along the first axis.",
               .example = "npz: {file: a.npz, arrays: {x: x, c: labels}}",
               .keys = {Key("file", path(), "the archive").required(),
                        Key("arrays", map_of(text()), "the array of each field").required()}};
}

Entry npy() {
  return Entry{.name = "npy",
               .doc = "NumPy arrays, one file for each field, rows along the first axis.",
               .example = "npy: {x: x.npy, y: y.npy}",
               .other_keys = each(path())};
}

Entry images() {
  return Entry{
      .name = "images",
      .doc =
          "Pictures in a folder with a sub-folder for each class, PNG or JPEG: the field image "
          "(bytes 0 to 255, [height, width, channels]) and the field label, whose classes are the "
          "sorted names of the sub-folders. Resized bilinearly, averaging where a picture shrinks; "
          "what is transparent lies on black, mixed as light. Photographs are turned as their EXIF "
          "orientation says, for training and predicting alike. Files of other kinds and folders "
          "inside the sub-folders are passed over.",
      .example = "images: {folder: pictures, size: [64, 64], channels: 3}",
      .keys = {Key("folder", path(), "the folder of the sub-folders").required(),
               Key("size", list_of(integer().at_least(1).at_most(16384)).sized(2, 2),
                   "[height, width] of every row")
                   .required(),
               Key("channels", integer().at_least(1).at_most(3), "3 for colours, 1 for grey")
                   .by_default("3"),
               Key("fit", choice({"crop", "stretch"}),
                   "crop: the largest part of the wanted proportions from the middle; stretch: the "
                   "whole picture")
                   .by_default("crop")}};
}

Entry inline_rows() {
  return Entry{.name = "inline",
               .doc =
                   "The rows themselves: for each field a list with one item for each row, a "
                   "number or nested lists of numbers, or words for `category`.",
               .example = "inline: {x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [0, 1, 1, 0]}",
               .other_keys = each(one_of({array(), list_of(text())}))};
}

Entry generate() {
  return Entry{
      .name = "generate",
      .doc =
          "Rows from formulas, one number or vector for each row and field. A formula may use "
          "the fields above it, uniform(low, high) and normal(). The same seed gives the same "
          "rows.",
      .example =
          "generate: {rows: 1000, seed: 1, x: \"uniform(0, 2*pi)\", y: \"sin(x) + 0.1*normal()\"}",
      .keys = {Key("rows", integer().at_least(1).at_most(1e9), "how many rows").required(),
               Key("seed", integer().at_least(0), "of the random numbers").by_default("0")},
      .other_keys = each(formula())};
}

}  // namespace

const std::vector<Entry>& source_entries() {
  static const std::vector<Entry> entries = {idx(),    csv(),         npz(),     npy(),
                                             images(), inline_rows(), generate()};
  return entries;
}

const std::vector<Entry>& prepare_entries() {
  static const std::vector<Entry> entries = {
      {.name = "scale",
       .doc = "x * factor.",
       .example = "scale: 1/255",
       .principal = "factor",
       .keys = {Key("factor", number(), "what every value is multiplied by").required()}},
      {.name = "log",
       .doc = "The natural logarithm of x + offset; a number that it does not reach is refused.",
       .example = "log: 1",
       .principal = "offset",
       .keys = {Key("offset", number(), "what is added before").by_default("0")}},
      {.name = "clip",
       .doc = "What lies below low becomes low, what lies above high becomes high.",
       .example = "clip: {low: 0, high: 100}",
       .keys = {Key("low", number(), "the smallest value that is left"),
                Key("high", number(), "the largest value that is left")}},
      {.name = "impute",
       .doc = "A missing value (what `missing` lists, NaN) becomes the mean or the median of the "
              "train "
              "split's values in its entry of the last axis, or a number.",
       .example = "impute: median",
       .principal = "value",
       .keys = {Key("value", one_of({choice({"mean", "median"}), number()}),
                    "mean, median or what a missing value becomes")
                    .by_default("mean")}},
      {.name = "standardize",
       .doc =
           "(x - mean) / deviation, learned from the train split for each entry of the last axis.",
       .example = "standardize"},
      {.name = "minmax",
       .doc =
           "Linear to [low, high], by the smallest and largest value of the train split for each "
           "entry of the last axis.",
       .example = "minmax: {low: 0, high: 1}",
       .keys = {Key("low", number(), "what the smallest value becomes").by_default("0"),
                Key("high", number(), "what the largest value becomes").by_default("1")}},
      {.name = "category",
       .doc = "Words or numbers become indices, in the sorted order of the train split: numbers as "
              "numbers, words by their bytes.",
       .example = "category: {unknown: own}",
       .keys = {Key("unknown", choice({"error", "own"}),
                    "what becomes of a word that the train split does not have: refused, or an "
                    "index of its own")
                    .by_default("error"),
                Key("missing", choice({"error", "own"}),
                    "what becomes of an empty cell or NaN: refused, or a word like others")
                    .by_default("error")}},
      {.name = "one_hot",
       .doc = "An index becomes a vector with a 1 at its place; its length is the field's classes.",
       .example = "one_hot"},
  };
  return entries;
}

const Entry* find_entry(const std::vector<Entry>& entries, const std::string& name) {
  for (const Entry& entry : entries) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace nnc::language
