// What a file holds, by its first bytes and never by its name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nnc::runtime {

enum class Format : uint8_t {
  text,     // nothing else is recognised: csv
  npy,      //
  zip,      // npz, but also spreadsheets and whatever else is packed
  idx,      //
  picture,  // PNG or JPEG
  folder,   //
  other,    // known, and nothing that nnc reads: see name_of_format
};

// Looks into gzip files. Throws DataError: no such file, not readable, empty.
Format format_of(const std::string& path);

// The same for the first bytes of a file, decompressed (see format_bytes).
Format format_of_bytes(std::string_view bytes);
constexpr size_t format_bytes = 264;  // as many as tell every format

// "a zip archive", "a Parquet file": what begins with these bytes is called. Empty for text.
std::string name_of_format(std::string_view bytes);

}  // namespace nnc::runtime
