#include "runtime/data/csv.h"

#include <cmath>
#include <limits>

#include "runtime/data/csv_head.h"
#include "runtime/data/csv_match.h"
#include "runtime/data/format.h"
#include "runtime/data/load.h"
#include "runtime/data/probe.h"
#include "support.h"

using namespace nnc;
using namespace nnc::runtime;
using namespace nnc::runtime::test;

namespace {

// x: a list of two columns, y: one column.
DataSpec spec_of(const std::string& path, const std::vector<std::string>& missing = {}) {
  CsvSource csv;
  csv.path = path;
  csv.columns = {{"x", {"b", "a"}, true}, {"y", {"y"}, false}};
  csv.missing = missing;
  DataSpec spec;
  spec.train = Source{csv, {}};
  return spec;
}

std::vector<float> floats(const Column& column) {
  const auto* data = column.bytes.as<float>();
  return {data, data + column.bytes.size() / sizeof(float)};
}

}  // namespace

TEST_CASE("csv columns are found by name, in the order of the model file") {
  TemporaryFolder folder;
  const std::string path = folder.write("a.csv",
                                        "\xEF\xBB\xBF"
                                        "a, b ,note,y\r\n1,2,\"x, \"\"q\"\"\",3\r\n\n-1e2,+.5,,4");
  const DataSpec spec = spec_of(path);
  const ProbeResult probed = probe(spec);
  CHECK(probed.train_rows == -1);
  CHECK(probed.find("x")->row_shape == std::vector<int64_t>{2});
  CHECK(probed.find("y")->row_shape.empty());
  const Dataset data = load(spec);
  CHECK(floats(*data.train.table->find("x")) == std::vector<float>{2, 1, 0.5f, -100});
  CHECK(floats(*data.train.table->find("y")) == std::vector<float>{3, 4});
  CHECK(data.train.table->place(1) == "line 4");
}

TEST_CASE("a csv header may be longer than any buffer") {
  TemporaryFolder folder;
  std::string header = "\n\r\n", row;
  for (int i = 0; i < 20000; ++i) {
    header += "\"number, " + std::to_string(i) + "\",";
    row += "1,";
  }
  const std::string path =
      folder.write("wide.csv", header + "a,b,y\n" + row + "2,3,4\n" + row + "5,6,7\n");
  const DataSpec spec = spec_of(path);
  CHECK(probe(spec).find("x")->row_shape == std::vector<int64_t>{2});
  CHECK(floats(*load(spec).train.table->find("x")) == std::vector<float>{3, 2, 6, 5});
}

TEST_CASE("csv without a header counts columns from 0; another separator; gzip; f64") {
  TemporaryFolder folder;
  CsvSource csv;
  csv.path = folder.write("a.csv.gz", gzip("0.1;5\n0.2;6\n"));
  csv.header = false;
  csv.separator = ';';
  csv.columns = {{"x", {"0"}, false}};
  DataSpec spec;
  spec.precision = abi::DType::f64;
  spec.train = Source{csv, {}};
  const Dataset data = load(spec);
  CHECK(data.train.table->columns[0].bytes.as<double>()[1] == 0.2);
  CHECK(data.train.table->rows == 2);
}

TEST_CASE("names and categories become indices") {
  TemporaryFolder folder;
  const std::string path = folder.write("a.csv", "kind,town\nb,Rome\na,Oslo\nb,Rome\n");
  CsvSource csv;
  csv.path = path;
  csv.columns = {{"kind", {"kind"}, false}, {"town", {"town"}, false}};
  DataSpec spec;
  spec.train = Source{csv, {}};
  FieldSpec kind;
  kind.name = "kind";
  kind.names = {"a", "b"};
  FieldSpec town;
  town.name = "town";
  town.prepare = {{PrepareStep::Kind::category, 0, 0, true}};
  spec.fields = {kind, town};

  const ProbeResult probed = probe(spec);
  CHECK(probed.find("kind")->classes == 2);
  CHECK(probed.find("town")->classes == 3);  // two towns and the unknown one
  CHECK(probed.find("town")->vocabulary == std::vector<std::string>{"Oslo", "Rome"});

  const Dataset data = load(spec);
  const Column& towns = *data.train.table->find("town");
  CHECK(data.train.table->find("kind")->number(0) == 1);
  CHECK(towns.number(0) == 1);
  CHECK(towns.number(1) == 0);

  // New rows with the learned vocabulary.
  spec.fields[1].vocabulary = data.find("town")->vocabulary;
  csv.path = folder.write("new.csv", "kind,town\na,Paris\n");
  CHECK(load_table(Source{csv, {}}, spec)->find("town")->number(0) == 2);
  spec.fields[1].prepare[0].unknown_is_own = false;
  CHECK(data_error(folder,
                   [&] {
                     load_table(Source{csv, {}}, spec);
                   }) ==
        "new.csv: line 2, field 'town': this word did not occur in the training rows\n"
        "  expected  one of the words seen in training, or `category: {unknown: own}`\n"
        "  got       'Paris'");
  csv.path = folder.write("bad.csv", "kind,town\nc,Oslo\n");
  CHECK(data_error(folder,
                   [&] {
                     load_table(Source{csv, {}}, spec);
                   }) ==
        "bad.csv: line 2, field 'kind': this word is not one of the field's names\n"
        "  expected  one of a, b\n  got       'c'");
}

TEST_CASE("a category learns from the training rows only") {
  InlineSource source;
  source.rows = 40;
  InlineField field{"c", {}, {}, {}};
  for (int i = 0; i < 40; ++i) field.words.push_back("w" + std::to_string(i));
  source.fields = {field};
  DataSpec spec;
  spec.train = Source{source, {}};
  spec.valid_fraction = Fraction{0.25, "", 3};
  FieldSpec category;
  category.name = "c";
  category.prepare = {{PrepareStep::Kind::category, 0, 0, true}};
  spec.fields = {category};
  const Dataset data = load(spec);
  CHECK(data.find("c")->vocabulary.size() == 30);
  for (int32_t row : data.valid.rows) CHECK(data.valid.table->columns[0].number(row) == 30);
}

TEST_CASE("missing cells need impute") {
  TemporaryFolder folder;
  DataSpec spec = spec_of(folder.write("a.csv", "a,b,y\n1,NA,3\n2,4,5\n"), {"", "NA"});
  CHECK(data_error(folder, [&] { load(spec); }) ==
        "a.csv: line 2, column 'b': a cell is missing\n"
        "  expected  no missing values; `where: \"not missing(x)\"` leaves such rows out, "
        "`prepare: [{impute: median}]` fills them");
  FieldSpec x;
  x.name = "x";
  x.prepare = {{PrepareStep::Kind::impute}};
  spec.fields = {x};
  CHECK(load(spec).train.table->columns[0].number(0) == 4);  // the mean of the others
  LoadOptions raw;
  raw.raw = true;
  CHECK(std::isnan(load(spec, raw).train.table->columns[0].number(0)));
  spec.fields.clear();
  std::get<CsvSource>(spec.train->kind)
      .columns.erase(std::get<CsvSource>(spec.train->kind).columns.begin());
  CHECK(load(spec).train.size() == 2);  // nobody reads the column
}

TEST_CASE("bad csv files are refused with line and column") {
  TemporaryFolder folder;
  const auto error = [&](const std::string& text) {
    const DataSpec spec = spec_of(folder.write("a.csv", text));
    return data_error(folder, [&] { load(spec); });
  };
  CHECK(error("") == "a.csv: the file is empty");
  CHECK(error("\n\n") == "a.csv: there are no rows");
  CHECK(error("a,b,y\n") == "a.csv: there are no rows after the header");
  CHECK(error("a,bb,y\n1,2,3\n") ==
        "a.csv: line 1: there is no column 'b'\n  expected  one of a, bb, y");
  CHECK(error("a,b,b,y\n1,2,3,4\n") ==
        "a.csv: line 1: column 'b' stands twice\n"
        "  expected  a name of its own for every column that is read\n"
        "  got       columns 1 and 2, counted from 0");
  CHECK(error("a,b,y\n1,2,3\n1,two,3\n") ==
        "a.csv: line 3, column 'b': this is not a number\n"
        "  expected  a number (name words that stand for missing cells under `missing`)\n"
        "  got       'two'");
  CHECK(error("a,b,y\n1,2 3,3\n").find("line 2, column 'b': this is not a number") !=
        std::string::npos);
  CHECK(error("a,b,y\n1,nan,3\n").find("column 'b': a cell is missing") != std::string::npos);
  CHECK(error("a,b,y\n1,1e999,3\n").find("this is not a number") != std::string::npos);
  CHECK(error("a,b,y\n1,,3\n").find("line 2, column 'b': a cell is missing") != std::string::npos);
  CHECK(error("a,b,y\n\"1\n2\",2,3,4\n") ==
        "a.csv: line 2: this row has another number of cells\n"
        "  expected  3 cells, as in line 1\n  got       4");
  CHECK(error("a,b,y\n1,\"2,3\n") == "a.csv: line 2: a quote (\") never ends");
  CHECK(error("a,b,y\n1,\"2\"x,3\n") ==
        "a.csv: line 2: text after a closing quote\n  expected  ',' or the end of the line\n"
        "  got       'x'");
}

TEST_CASE("a class in a csv file is a whole number in range") {
  TemporaryFolder folder;
  const auto error = [&](const std::string& cell) {
    CsvSource csv;
    csv.path = folder.write("a.csv", "c\n0\n" + cell + "\n");
    csv.columns = {{"c", {"c"}, false}};
    DataSpec spec;
    spec.train = Source{csv, {}};
    FieldSpec field;
    field.name = "c";
    field.classes = 2;
    spec.fields = {field};
    return data_error(folder, [&] { load(spec); });
  };
  CHECK(error("1").empty());
  CHECK(error("1.5").find("line 3, column 'c': this is not an index") != std::string::npos);
  CHECK(error("2") ==
        "a.csv: line 3, field 'c': the label is out of range\n"
        "  expected  0 … 1 (classes: 2); `prepare: [category]` numbers any labels\n  got       2");
  CHECK(error("-1").find("got       -1") != std::string::npos);
}

TEST_CASE("words in a field of numbers are refused") {
  InlineSource source{2, {InlineField{"x", {}, {}, {"a", "b"}}}};
  DataSpec spec;
  spec.train = Source{source, {}};
  TemporaryFolder folder;
  CHECK(data_error(folder, [&] { load(spec); }) ==
        "inline data: row 0 (counted from 0), field 'x': a word in a field of numbers\n"
        "  expected  numbers, or `names` or `prepare: [category]` for this field\n"
        "  got       'a'");
}

TEST_CASE("cells that are numbers") {
  CHECK(csv_number("+1") == 1);
  CHECK(csv_number(" -2.5e1\t") == -25);
  CHECK(csv_number("1e-400") == 0);
  CHECK(csv_number("-1e400") == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(*csv_number("nan")));
  for (const char* word : {"", " ", "+", "+-1", "1,5", "1 5", "0x1p3x", "one"})
    CHECK_FALSE(csv_number(word).has_value());
}

TEST_CASE("the columns of a table that names them otherwise") {
  TemporaryFolder folder;
  const auto columns = [&](const std::string& text, std::optional<bool> header = {}) {
    CsvSource source;
    source.path = folder.write("a.csv", text);
    const CsvMatch match =
        match_columns(source, {{"x", {2}, {}, false}, {"k", {}, {"red", "blue"}, true}}, header);
    std::string result = match.source.header ? "names" : "rows";
    for (const CsvColumns& field : match.source.columns)
      for (const std::string& column : field.columns) result += " " + column;
    return result + (match.note.empty() ? "" : " noted");
  };
  CHECK(columns("1,2,red\n") == "rows 0 1 2");
  CHECK(columns(",NaN,blue\n") == "rows 0 1 2");
  CHECK(columns("a,b,c\n1,2,red\n", true) == "names 0 1 2");
  CHECK(columns("k.0,other,x.1,x.0\nred,,2,1\n") == "names x.0 x.1 k.0");
  CHECK(columns("0,1,2\n1,2,red\n") == "names 0 1 2 noted");
  CHECK(columns(",0,1,2\n0,1,2,red\n") == "names 1 2 3 noted");
  CHECK(columns("0,1,2\n1,2,red\n", false) == "rows 0 1 2");
  CHECK(data_error(folder, [&] { columns("a,b,c\n1,2,red\n"); }) ==
        "a.csv: line 1: this line is neither a row of the inputs nor names of them\n"
        "  expected  `--header yes`: it holds names; `--header no`: it is a row\n"
        "  got       a, b, c");
  CHECK(data_error(folder, [&] { columns("\n1,2\n"); }) ==
        "a.csv: line 2: the table has another number of columns\n"
        "  expected  3 columns, one for each number of the inputs\n  got       2 columns");
}

TEST_CASE("files are told apart by their first bytes") {
  CHECK(format_of_bytes("PK,x\n1,2\n") == Format::text);  // a column called PK
  CHECK(format_of_bytes("PK\x03\x04") == Format::zip);
  CHECK(format_of_bytes({"\0\0\x08\x01", 4}) == Format::idx);
  CHECK(format_of_bytes({"\0\0\x08\0", 4}) == Format::text);
  CHECK(format_of_bytes("\x93NUMPY\x01") == Format::npy);
  CHECK(name_of_format("PAR1....") == "a Parquet file");
  CHECK(name_of_format(std::string(257, ' ') + "ustar") == "a tar archive");
  TemporaryFolder folder;
  CHECK(format_of(folder.write("x.csv", gzip("\x93NUMPY"))) == Format::npy);
  CHECK(format_of(folder / ".") == Format::folder);
}
