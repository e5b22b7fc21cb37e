// Files that nnc emit writes: each is said with its size.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace nnc::tool {

// `note` is said behind the size.
void write_emitted(const std::filesystem::path& path, std::string_view bytes,
                   const std::string& note = "");

}  // namespace nnc::tool
