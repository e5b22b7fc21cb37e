#include "tests/support/paths.h"

namespace nnc::testing {

std::string source_dir() { return NNC_SOURCE_DIR; }

std::string nnc_binary() { return NNC_BINARY; }

}  // namespace nnc::testing
