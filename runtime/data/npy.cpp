#include "runtime/data/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "runtime/atomic_file.h"
#include "runtime/data/error.h"
#include "runtime/data/npy_numbers.h"
#include "runtime/data/zip.h"
#include "runtime/shape.h"

namespace nnc::runtime {
namespace {

using abi::DType;

struct NpyHeader {
  RawHeader raw;
  NpyType type;
  bool fortran = false;  // the first axis runs fastest
};

[[noreturn]] void bad_header(const std::string& file, const std::string& got) {
  throw DataError(file, "its header", "this npy header cannot be understood",
                  "{'descr': '<f4', 'fortran_order': False, 'shape': (rows, …)}", got);
}

// The text after 'key': in the header's dictionary.
std::string value_of(const std::string& file, const std::string& header, const std::string& key) {
  const size_t at = header.find("'" + key + "'");
  const size_t colon = at == std::string::npos ? at : header.find(':', at);
  if (colon == std::string::npos) bad_header(file, header);
  const size_t start = header.find_first_not_of(' ', colon + 1);
  if (start == std::string::npos) bad_header(file, header);
  size_t end = std::string::npos;
  if (header[start] == '\'') {
    end = header.find('\'', start + 1);
  } else if (header[start] == '(') {
    end = header.find(')', start);
  } else {
    end = std::min(header.find_first_of(",}", start), header.size());
    while (header[end - 1] == ' ') --end;  // not before `start`, which is no space
    return header.substr(start, end - start);
  }
  if (end == std::string::npos) bad_header(file, header);
  return header.substr(start + 1, end - start - 1);
}

std::vector<int64_t> parse_shape(const std::string& file, const std::string& text) {
  std::vector<int64_t> shape;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    if (*at == ' ' || *at == ',' || *at == 'L') {
      ++at;
      continue;
    }
    int64_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    if (error != std::errc()) bad_header(file, "(" + text + ")");
    shape.push_back(extent);
    at = next;
  }
  return shape;
}

NpyHeader read_header(const std::string& file, ByteStream& stream) {
  unsigned char start[12] = {};
  const bool magic = stream.read(start, 8) == 8 && std::memcmp(start, "\x93NUMPY", 6) == 0;
  if (!magic) throw DataError(file, "byte 0", "this is not an npy file", "\\x93NUMPY");
  const size_t length_bytes = start[6] >= 2 ? 4 : 2;
  size_t length = 0;
  stream.read(start + 8, length_bytes);
  for (size_t i = length_bytes; i-- > 0;) length = length << 8 | start[8 + i];
  if (length > (size_t{1} << 20)) bad_header(file, fmt::format("{} bytes", length));
  std::string text(length, '\0');
  if (stream.read(text.data(), length) < length) {
    throw DataError(file, "its header", "the file is truncated");
  }
  NpyHeader header;
  header.type = npy_type(file, value_of(file, text, "descr"));
  header.raw.dtype = header.type.dtype;
  header.raw.shape = parse_shape(file, value_of(file, text, "shape"));
  if (header.raw.shape.empty()) {
    throw DataError(file, "its header", "the array has no rows", "one axis or more",
                    "a single number");
  }
  header.fortran = value_of(file, text, "fortran_order") == "True" && header.raw.shape.size() > 1;
  return header;
}

RawArray read_array(const std::string& file, ByteStream& stream, uint64_t max_bytes) {
  NpyHeader header = read_header(file, stream);
  const std::vector<int64_t>& shape = header.raw.shape;
  const size_t wide = abi::size_of(header.raw.dtype);
  // What is turned or widened is there twice for a moment.
  const bool twice = header.fortran || wide != header.type.bytes;
  checked_bytes(file, shape, twice ? header.type.bytes + wide : wide, max_bytes);
  const uint64_t bytes = checked_bytes(file, shape, header.type.bytes, max_bytes);
  Buffer stored(static_cast<size_t>(bytes));
  read_exactly(file, stream, stored.data(), bytes, shape);
  Buffer numbers = npy_numbers(file, header.type, std::move(stored));
  if (header.fortran) numbers = row_major(numbers, shape, wide);
  return {std::move(header.raw), std::move(numbers)};
}

const char* descr_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return "<f4";
    case DType::f64: return "<f8";
    case DType::i32: return "<i4";
    case DType::i64: return "<i8";
    case DType::boolean: return "|b1";
    default: return "|u1";
  }
}

// The place of one array in an archive, for messages.
std::string entry_name(const std::string& path, const std::string& array) {
  return path + ": array '" + array + "'";
}

std::vector<std::string> array_names(const ZipFile& zip) {
  std::vector<std::string> names;
  for (const ZipEntry& entry : zip.entries()) {
    names.push_back(entry.name.substr(0, entry.name.rfind(".npy")));
  }
  return names;
}

const ZipEntry& find_array(const ZipFile& zip, const std::string& path, const std::string& array) {
  const ZipEntry* entry = zip.find(array + ".npy");
  if (entry == nullptr) entry = zip.find(array);
  if (entry != nullptr) return *entry;
  throw DataError(path, "", fmt::format("there is no array '{}'", array),
                  fmt::format("one of {}", fmt::join(array_names(zip), ", ")));
}

}  // namespace

RawHeader probe_npy(const std::string& path) { return read_header(path, *open_stream(path)).raw; }

RawArray read_npy(const std::string& path, uint64_t max_bytes) {
  return read_array(path, *open_stream(path), max_bytes);
}

RawHeader probe_npz(const std::string& path, const std::string& array) {
  const ZipFile zip(path);
  return read_header(entry_name(path, array), *zip.open(find_array(zip, path, array))).raw;
}

RawArray read_npz(const std::string& path, const std::string& array, uint64_t max_bytes) {
  const ZipFile zip(path);
  return read_array(entry_name(path, array), *zip.open(find_array(zip, path, array)), max_bytes);
}

std::vector<std::string> npz_arrays(const std::string& path) { return array_names(ZipFile(path)); }

std::string npy_text(DType dtype, const std::vector<int64_t>& shape, const void* data) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr_of(dtype),
                  fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  header.append(63 - (10 + header.size()) % 64, ' ');  // the data starts at a multiple of 64
  header += '\n';
  const size_t bytes = static_cast<size_t>(elements_of(shape)) * abi::size_of(dtype);
  std::string result("\x93NUMPY\x01\x00", 8);
  result += static_cast<char>(header.size() & 0xFF);
  result += static_cast<char>(header.size() >> 8);
  result += header;
  result.append(static_cast<const char*>(data), bytes);
  return result;
}

void write_npy(const std::string& path, DType dtype, const std::vector<int64_t>& shape,
               const void* data) {
  write_atomically(path, npy_text(dtype, shape, data));
}

void write_npz(const std::string& path, std::span<const NamedArray> arrays) {
  std::vector<ZipContent> contents;
  for (const NamedArray& array : arrays) {
    contents.push_back({array.name + ".npy", npy_text(array.dtype, array.shape, array.data)});
  }
  write_atomically(path, zip_text(contents));
}

}  // namespace nnc::runtime
