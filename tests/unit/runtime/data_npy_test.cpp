#include "runtime/data/npy.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/data/load.h"
#include "runtime/data/zip.h"
#include "support.h"

using namespace nnc;
using namespace nnc::runtime;
using namespace nnc::runtime::test;

namespace {

std::string npy(const std::string& header, const std::string& data) {
  std::string result("\x93NUMPY\x01\x00", 8);
  result += static_cast<char>(header.size());
  result += '\0';
  return result + header + data;
}

// A zip archive with one deflated entry, as numpy.savez_compressed makes it.
std::string deflated_zip(const std::string& name, const std::string& bytes) {
  const std::string member = gzip(bytes);
  const std::string raw = member.substr(10, member.size() - 18);
  std::string stored = zip_text({{name, raw}});
  // Both headers: the method, and checksum and size after decompression.
  const size_t directory = 30 + name.size() + raw.size();
  stored[8] = 8;
  stored[directory + 10] = 8;
  const uLong crc =
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
  for (size_t i = 0; i < 4; ++i) {
    stored[14 + i] = stored[directory + 16 + i] = static_cast<char>(crc >> (8 * i));
    stored[22 + i] = static_cast<char>(bytes.size() >> (8 * i));
    stored[directory + 24 + i] = static_cast<char>(bytes.size() >> (8 * i));
  }
  return stored;
}

}  // namespace

TEST_CASE("what is written is read back") {
  TemporaryFolder folder;
  const std::vector<float> floats{1, 2, 3, 4, 5, 6};
  write_npy(folder / "x.npy", abi::DType::f32, {2, 3}, floats.data());
  const RawArray array = read_npy(folder / "x.npy", 0);
  CHECK(array.header.shape == std::vector<int64_t>{2, 3});
  CHECK(array.bytes.as<float>()[5] == 6);
  CHECK(read_bytes(folder / "x.npy").size() == 128 + 24);  // data at a multiple of 64

  const std::vector<int64_t> labels{4, 5};
  const NamedArray arrays[] = {{"x", abi::DType::f32, {2, 3}, floats.data()},
                               {"label", abi::DType::i64, {2}, labels.data()}};
  write_npz(folder / "a.npz", arrays);
  CHECK(npz_arrays(folder / "a.npz") == std::vector<std::string>{"x", "label"});
  CHECK(read_npz(folder / "a.npz", "label", 0).bytes.as<int64_t>()[1] == 5);
  CHECK(probe_npz(folder / "a.npz", "x").row_shape() == std::vector<int64_t>{3});
}

TEST_CASE("fields of an npz file, deflated or stored") {
  TemporaryFolder folder;
  const std::vector<int64_t> labels{0, 2, 1};
  const std::string array = npy_text(abi::DType::i64, {3}, labels.data());
  for (bool deflate : {false, true}) {
    CAPTURE(deflate);
    const std::string path = folder.write(
        "a.npz", deflate ? deflated_zip("c.npy", array) : zip_text({{"c.npy", array}}));
    DataSpec spec;
    spec.train = Source{NpzSource{path, {{"label", "c"}}}, {}};
    FieldSpec label;
    label.name = "label";
    label.classes = 3;
    spec.fields = {label};
    const Dataset data = load(spec);
    CHECK(data.train.table->columns[0].dtype == abi::DType::i32);
    CHECK(data.train.table->columns[0].number(1) == 2);
  }
}

TEST_CASE("numbers take the precision of the model") {
  TemporaryFolder folder;
  const std::vector<double> values{0.1, 0.2};
  write_npy(folder / "x.npy", abi::DType::f64, {2}, values.data());
  DataSpec spec;
  spec.train = Source{NpySource{{{"x", folder / "x.npy"}}}, {}};
  CHECK(load(spec).train.table->columns[0].bytes.as<float>()[0] == 0.1f);
  spec.precision = abi::DType::f64;
  CHECK(load(spec).train.table->columns[0].bytes.as<double>()[0] == 0.1);
}

TEST_CASE("integers of every width are read") {
  TemporaryFolder folder;
  const auto read = [&](const std::string& type, const std::string& bytes) {
    const std::string header =
        "{'descr': '" + type + "', 'fortran_order': False, 'shape': (1,), }\n";
    const RawArray array = read_npy(folder.write("x.npy", npy(header, bytes)), 0);
    Column column;
    column.dtype = array.header.dtype;
    column.bytes = Buffer(array.bytes.size());
    std::copy_n(array.bytes.as<char>(), array.bytes.size(), column.bytes.as<char>());
    return column.number(0);
  };
  const std::string ones(8, '\xff');
  CHECK(read("|i1", ones.substr(0, 1)) == -1);
  CHECK(read("|u1", ones.substr(0, 1)) == 255);
  CHECK(read("|b1", "\x01") == 1);
  CHECK(read("<i2", ones.substr(0, 2)) == -1);
  CHECK(read("<u2", ones.substr(0, 2)) == 65535);
  CHECK(read("<i4", ones.substr(0, 4)) == -1);
  CHECK(read("<u4", ones.substr(0, 4)) == 4294967295.0);
  CHECK(read("<i8", ones) == -1);
  CHECK(read("<u8", "\x07" + std::string(7, '\0')) == 7);
  CHECK(data_error(folder, [&] { read("<u8", ones); }) ==
        "x.npy: number 0 (counted from 0): this integer is too large\n"
        "  expected  at most 9223372036854775807\n  got       18446744073709551615");
}

TEST_CASE("float16, big-endian numbers and Fortran order are read") {
  TemporaryFolder folder;
  const auto read = [&](const std::string& type, const std::string& order, const std::string& shape,
                        const std::string& bytes) {
    const std::string header =
        "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': (" + shape + "), }\n";
    const std::string array = npy(header, bytes);
    const RawArray alone = read_npy(folder.write("x.npy", array), 0);
    const RawArray zipped = read_npz(folder.write("x.npz", zip_text({{"x.npy", array}})), "x", 0);
    CHECK(std::string(alone.bytes.as<char>(), alone.bytes.size()) ==
          std::string(zipped.bytes.as<char>(), zipped.bytes.size()));
    Column column;
    column.dtype = alone.header.dtype;
    column.bytes = Buffer(alone.bytes.size());
    std::copy_n(alone.bytes.as<char>(), alone.bytes.size(), column.bytes.as<char>());
    std::vector<double> numbers;
    const size_t count = alone.bytes.size() / abi::size_of(column.dtype);
    for (size_t i = 0; i < count; ++i) numbers.push_back(column.number(static_cast<int64_t>(i)));
    return numbers;
  };
  using Numbers = std::vector<double>;
  // 1, -2, 65504 (the largest), 2^-14 (the smallest normal), 2^-24 (the smallest), 0.333251953125
  const std::string halfs("\x00\x3c\x00\xc0\xff\x7b\x00\x04\x01\x00\x55\x35", 12);
  CHECK(read("<f2", "False", "6,", halfs) ==
        Numbers{1, -2, 65504, 0x1p-14, 0x1p-24, 0.333251953125});
  CHECK(read(">f2", "False", "1,", std::string("\x3c\x00", 2)) == Numbers{1});
  const Numbers special = read("<f2", "False", "3,", std::string("\x00\x7c\x00\xfc\x00\x7e", 6));
  CHECK(special[0] == std::numeric_limits<double>::infinity());
  CHECK(special[1] == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(special[2]));
  CHECK(read(">f4", "False", "2,", std::string("\x3f\x80\x00\x00\xc0\x00\x00\x00", 8)) ==
        Numbers{1, -2});
  CHECK(read(">f8", "False", "1,", std::string("\x3f\xf0\0\0\0\0\0\0", 8)) == Numbers{1});
  CHECK(read(">i2", "False", "2,", std::string("\x01\x02\xff\xfe", 4)) == Numbers{258, -2});
  CHECK(read(">u4", "False", "1,", std::string("\xff\xff\xff\xfe", 4)) == Numbers{4294967294.0});
  CHECK(read(">i8", "False", "1,", std::string(7, '\xff') + "\xfd") == Numbers{-3});
  // Stored with the first axis running fastest: [[1, 2, 3], [4, 5, 6]].
  CHECK(read("|u1", "True", "2, 3", "\x01\x04\x02\x05\x03\x06") == Numbers{1, 2, 3, 4, 5, 6});
  CHECK(read(">i2", "True", "2, 2", std::string("\0\x01\0\x03\0\x02\0\x04", 8)) ==
        Numbers{1, 2, 3, 4});
  CHECK(read("|u1", "True", "2, 2, 2", std::string("\0\x04\x02\x06\x01\x05\x03\x07", 8)) ==
        Numbers{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(read("|u1", "True", "3,", "\x01\x02\x03") == Numbers{1, 2, 3});
}

TEST_CASE("bad npy files are refused") {
  TemporaryFolder folder;
  const auto error = [&](const std::string& bytes) {
    const std::string path = folder.write("a.npy", bytes);
    return data_error(folder, [&] { read_npy(path, 0); });
  };
  const std::string f4 = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
  CHECK(error(npy(f4, "12345678")).empty());
  CHECK(error(npy(f4, "1234567")).find("the file is truncated") != std::string::npos);
  CHECK(error("hello there") == "a.npy: byte 0: this is not an npy file\n  expected  \\x93NUMPY");
  CHECK(error(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "12345678")) ==
        "a.npy: its header: numbers of this type cannot be read\n"
        "  expected  float16, float32, float64, int8 to int64, uint8 to uint64 or bool\n"
        "  got       '<c8'");
  for (const char* type : {"<f16", "<f1", "<u3", "|O", "f", ""})
    CHECK(
        error(npy("{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (1,), }",
                  "12345678"))
            .find("numbers of this type cannot be read") != std::string::npos);
  CHECK(error(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "1234"))
            .find("the array has no rows") != std::string::npos);
  CHECK(error(npy("{'descr': [('a', '<f4')], 'shape': (2,)}", "")).find("its header") !=
        std::string::npos);
  CHECK(error(npy("{", "")).find("cannot be understood") != std::string::npos);
}

TEST_CASE("bad zip archives are refused") {
  TemporaryFolder folder;
  const std::vector<float> one{1};
  const std::string good = zip_text({{"x.npy", npy_text(abi::DType::f32, {1}, one.data())}});
  const auto error = [&](const std::string& bytes, const std::string& array = "x") {
    const std::string path = folder.write("a.npz", bytes);
    return data_error(folder, [&] { read_npz(path, array, 0); });
  };
  CHECK(error(good).empty());
  CHECK(error(good, "y") == "a.npz: there is no array 'y'\n  expected  one of x");
  CHECK(error("no zip at all") ==
        "a.npz: this is not a zip archive, or it is truncated\n"
        "  expected  a .npz file of NumPy");
  for (size_t bytes = 0; bytes < good.size(); bytes += 11) {
    CAPTURE(bytes);
    CHECK_FALSE(error(good.substr(0, bytes)).empty());
  }
}

TEST_CASE("every byte of an array in an archive is guarded by its checksum") {
  TemporaryFolder folder;
  const std::vector<float> numbers{1, 2, 3, 4, 5, 6, 7, 8};
  const std::string array = npy_text(abi::DType::f32, {8}, numbers.data());
  for (bool deflate : {false, true}) {
    CAPTURE(deflate);
    const std::string good = deflate ? deflated_zip("x.npy", array) : zip_text({{"x.npy", array}});
    const size_t first = 30 + 5, last = good.find("PK\x01\x02");
    for (size_t at = first; at < last; ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 4);
      folder.write("x.npz", bad);
      // Some bits of a compressed block say nothing: then the array is still the same.
      const std::string error = data_error(folder, [&] {
        const RawArray read = read_npz(folder / "x.npz", "x", 0);
        CHECK(std::memcmp(read.bytes.data(), numbers.data(), 32) == 0);
        CHECK(deflate);
      });
      CAPTURE(at);
      CHECK((deflate || !error.empty()));
    }
  }
  std::string bad = zip_text({{"x.npy", array}});
  bad[30 + 5 + 128] ^= 1;
  folder.write("x.npz", bad);
  CHECK(
      data_error(folder, [&] { read_npz(folder / "x.npz", "x", 0); })
          .find("x.npz: entry 'x.npy': the zip archive is damaged\n  expected  160 bytes with the "
                "checksum") == 0);
}
