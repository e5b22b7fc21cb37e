// A folder for temporary files that lives as long as its object.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "tools/nnc/exit.h"

namespace nnc::tool {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "nnc-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw CommandError(Exit::failed, "no room for temporary files");
    }
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace nnc::tool
