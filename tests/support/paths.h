#pragma once

#include <string>

namespace nnc::testing {

// The folder of this checkout, and the command that is built with the tests. Only paths.cpp is told
// where they are, so that in another folder nothing else has to be compiled anew.
std::string source_dir();
std::string nnc_binary();

}  // namespace nnc::testing
