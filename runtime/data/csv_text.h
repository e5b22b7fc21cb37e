// The bytes of a csv file as UTF-8.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "runtime/data/spec.h"
#include "runtime/data/stream.h"

namespace nnc::runtime {

// Decompressed, and decoded from the source's encoding. Throws DataError, also for what is no text
// (an archive, a spreadsheet, UTF-16 that the source does not name): it says what would be read.
std::unique_ptr<ByteStream> open_csv(const CsvSource& source);

// Whether texts in this encoding can be read: "latin1", "utf-16", all that iconv knows.
bool knows_encoding(const std::string& name);

// The character between cells by its name: itself, or tab or space. None for what cannot be one.
std::optional<char> separator_named(const std::string& name);

// How to say a key of csv: "`separator: \";\"` in csv: {…}", or as options of the command.
std::string csv_advice(const CsvSource& source,
                       const std::vector<std::pair<std::string, std::string>>& keys);

// DataError: this text of the file is not UTF-8; names the encoding that it may be in.
[[noreturn]] void not_utf8(const CsvSource& source, const std::string& place,
                           std::string_view text);

}  // namespace nnc::runtime
