// Files that are either the old ones or the new ones, whatever happens.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace nnc::runtime {

// Writes the parts to a temporary file beside `path`, syncs it, and renames it. On any failure (a
// full disk, no permission) the temporary file is removed, the old file is left as it was, and
// DataError says what happened. Creates missing folders. A link stays one: the file that it leads
// to is replaced. Devices and pipes are written to as they are.
void write_atomically(const std::string& path, std::span<const std::string_view> parts);
void write_atomically(const std::string& path, std::string_view text);

// Appends to a file, which is made if there is none. Throws DataError.
void append_text(const std::string& path, std::string_view text);

// The whole file. Throws DataError.
std::string read_text(const std::string& path);

}  // namespace nnc::runtime
