// Small, right data files of every format, which are then made wrong.
#pragma once

#include <string>
#include <vector>

namespace nnc::fuzz {

enum class Format { csv, npy, npz, idx, png, jpeg };

struct SeedFile {
  Format format;
  std::string bytes;
};

std::vector<SeedFile> seed_files();

std::string gzipped(const std::string& bytes);

}  // namespace nnc::fuzz
