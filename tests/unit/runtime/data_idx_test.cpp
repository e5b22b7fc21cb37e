#include "runtime/data/idx.h"

#include "runtime/data/load.h"
#include "runtime/data/probe.h"
#include "support.h"

using namespace nnc;
using namespace nnc::runtime;
using namespace nnc::runtime::test;

namespace {

DataSpec two_fields(const std::string& images, const std::string& labels, int64_t classes = 3) {
  DataSpec spec;
  IdxSource source;
  source.files = {{"image", images}, {"label", labels}};
  spec.train.emplace().kind = source;
  FieldSpec label;
  label.name = "label";
  label.classes = classes;
  FieldSpec image;
  image.name = "image";
  image.shape = std::vector<int64_t>{2, 1, 1};
  spec.fields = {label, image};
  return spec;
}

}  // namespace

TEST_CASE("idx files are read, compressed or not") {
  TemporaryFolder folder;
  const std::string images = idx({3, 2}, "abcdef");
  const std::string labels = idx({3}, std::string("\0\2\1", 3));
  for (bool compressed : {false, true}) {
    CAPTURE(compressed);
    const DataSpec spec = two_fields(folder.write("images", compressed ? gzip(images) : images),
                                     folder.write("labels", compressed ? gzip(labels) : labels));
    const ProbeResult probed = probe(spec);
    CHECK(probed.train_rows == 3);
    CHECK(probed.find("image")->dtype == abi::DType::u8);
    CHECK(probed.find("image")->row_shape == std::vector<int64_t>{2, 1, 1});
    CHECK(probed.find("label")->dtype == abi::DType::i32);
    CHECK(probed.find("label")->row_shape.empty());
    CHECK(probed.find("label")->classes == 3);

    const Dataset data = load(spec);
    CHECK(data.train.rows == std::vector<int32_t>{0, 1, 2});
    const Column& image = *data.train.table->find("image");
    CHECK(std::string(image.bytes.as<char>(), 6) == "abcdef");
    CHECK(image.row_shape == std::vector<int64_t>{2, 1, 1});
    const Column& label = *data.train.table->find("label");
    CHECK(label.dtype == abi::DType::i32);
    CHECK(label.number(1) == 2);
  }
}

TEST_CASE("a gzip file of two members is one file") {
  TemporaryFolder folder;
  const std::string all = idx({4}, "wxyz");
  const std::string path = folder.write("a.gz", gzip(all.substr(0, 5)) + gzip(all.substr(5)));
  const RawArray array = read_idx(path, 0);
  CHECK(std::string(array.bytes.as<char>(), 4) == "wxyz");
}

TEST_CASE("the other types of idx become native numbers") {
  TemporaryFolder folder;
  const auto number = [&](char type, const std::string& bytes) {
    const std::string path = folder.write("x", idx({1}, bytes, type));
    const RawArray array = read_idx(path, 0);
    switch (array.header.dtype) {
      case abi::DType::f32: return static_cast<double>(array.bytes.as<float>()[0]);
      case abi::DType::f64: return array.bytes.as<double>()[0];
      default: return static_cast<double>(array.bytes.as<int32_t>()[0]);
    }
  };
  CHECK(number(9, "\xFF") == -1);
  CHECK(number(11, "\xFF\xFE") == -2);
  CHECK(number(12, std::string("\x00\x01\x00\x00", 4)) == 65536);
  CHECK(number(13, std::string("\x3F\xC0\x00\x00", 4)) == 1.5);
  CHECK(number(14, std::string("\xBF\xF8\x00\x00\x00\x00\x00\x00", 8)) == -1.5);
}

TEST_CASE("bad idx files are refused with their place") {
  TemporaryFolder folder;
  const auto error = [&](const std::string& bytes) {
    const std::string path = folder.write("bad", bytes);
    return data_error(folder, [&] { read_idx(path, 1000); });
  };
  const std::string good = idx({3, 2}, "abcdef");
  CHECK(error("") == "bad: the file is empty");
  CHECK(error("PK\3\4") ==
        "bad: byte 0: this is not an idx file\n"
        "  expected  00 00, a type (08, 09, 0b … 0e), the number of axes\n"
        "  got       50 4b 03 04");
  CHECK(error(good.substr(0, 3)) ==
        "bad: byte 0: the file is truncated\n  expected  an idx header of 4 bytes or more");
  CHECK(error(good.substr(0, 9)) ==
        "bad: byte 8: the file is truncated\n  expected  the sizes of 2 axes\n"
        "  got       1 of them");
  CHECK(error(good.substr(0, 16)) ==
        "bad: byte 4 of the data: the file is truncated\n"
        "  expected  6 bytes of data (3 × 2, as its header says)\n  got       4 bytes");
  CHECK(error(good + "x") ==
        "bad: byte 6 of the data: the file is longer than its header says\n"
        "  expected  6 bytes of data (3 × 2, as its header says)\n  got       more");
  CHECK(error(idx({1000, 1000}, "")) ==
        "bad: its header: the array does not fit into memory\n  expected  at most 1000 bytes "
        "(--max-memory)\n"
        "  got       1000 × 1000 numbers of 1 bytes");
  const std::string packed = gzip(idx({500}, std::string(500, 'a') + ""));
  const std::string truncated = error(packed.substr(0, packed.size() - 9));
  CHECK(truncated ==
        "bad: byte 500 of the data: the compressed file is truncated\n"
        "  expected  the check sum that ends a gzip file");
  std::string damaged = packed;
  damaged[12] = static_cast<char>(damaged[12] ^ 0x55);
  CHECK_FALSE(error(damaged).empty());
  // The trailer: the checksum of the contents and their length.
  for (size_t from_end : {1, 4, 5, 8}) {
    std::string trailer = packed;
    trailer[trailer.size() - from_end] ^= 1;
    CAPTURE(from_end);
    CHECK(error(trailer).find("the compressed data is damaged") != std::string::npos);
  }
  CHECK(error(packed + std::string(500, '\0')).empty());  // padding
  CHECK(error(packed + std::string(5, '\0') + "x").find("the compressed data is damaged") !=
        std::string::npos);
  CHECK(error("\x1F\x8B garbage").find("the compressed data is damaged") != std::string::npos);
}

TEST_CASE("a file cut anywhere is refused, never read past") {
  TemporaryFolder folder;
  const std::string good = gzip(idx({40, 3}, std::string(120, 'q')));
  for (size_t bytes = 0; bytes < good.size(); ++bytes) {
    CAPTURE(bytes);
    const std::string path = folder.write("cut.gz", good.substr(0, bytes));
    const std::string error = data_error(folder, [&] { read_idx(path, 0); });
    CHECK_FALSE(error.empty());
  }
}

TEST_CASE("a folder and a missing file are refused") {
  TemporaryFolder folder;
  CHECK(data_error(folder, [&] { read_idx(folder / "none", 0); }) ==
        "none: cannot be read: No such file or directory");
  std::filesystem::create_directory(folder / "sub");
  CHECK(data_error(folder, [&] { read_idx(folder / "sub", 0); }) ==
        "sub: cannot be read\n  expected  a file\n  got       a folder");
}

TEST_CASE("fields must agree on their rows, and labels on their classes") {
  TemporaryFolder folder;
  const std::string images = folder.write("images", idx({3, 2}, "abcdef"));
  const std::string two = folder.write("two", idx({2}, std::string("\0\1", 2)));
  const std::string high = folder.write("high", idx({3}, std::string("\0\1\7", 3)));
  const std::string counts =
      "two: the fields of one source have different numbers of rows\n"
      "  expected  3 rows, as field 'image' in images\n  got       2 rows in field 'label'";
  CHECK(data_error(folder, [&] { load(two_fields(images, two)); }) == counts);
  CHECK(data_error(folder, [&] { probe(two_fields(images, two)); }) == counts);
  CHECK(data_error(folder, [&] { load(two_fields(images, high)); }) ==
        "high: row 2 (counted from 0), field 'label': the label is out of range\n"
        "  expected  0 … 2 (classes: 3); `prepare: [category]` numbers any labels\n  got       7");
  DataSpec spec = two_fields(images, folder.write("ok", idx({3}, std::string("\0\1\1", 3))));
  spec.fields[1].shape = std::vector<int64_t>{3};
  CHECK(data_error(folder, [&] { probe(spec); }) ==
        "images: field 'image': the rows have another size than the field's shape\n"
        "  expected  3 numbers a row, for shape [3]\n  got       2 numbers a row, in rows of [2]");
  spec.fields[1].shape.reset();
  spec.max_bytes = 10;  // 3 rows of 2 bytes and an index
  CHECK(data_error(folder, [&] { load(spec); }) ==
        "images: the data does not fit into the memory limit\n  expected  at most 10 bytes "
        "(--max-memory)\n"
        "  got       18 bytes up to this file");
}
