// Functions that compute the same, compiled or written once.
#pragma once

#include <string>
#include <unordered_map>

#include "compiler/kernel/kernel.h"

namespace nnc::kernel {

// For the name of every function the first one that computes the same: layers of one shape have one
// set of kernels. An exported function stands for itself alone.
std::unordered_map<std::string, const Function*> representatives(const Module& module);

// Removes the functions that others stand for, and calls these in their place.
void share_equal(Module& module);

}  // namespace nnc::kernel
