// A byte string that identifies what a function computes: equal strings, equal machine code.
// Names of the function, its parameters and its comment are left out, values are numbered in order
// of definition, callees are named by the caller of `encode`.
#pragma once

#include <functional>
#include <string>

#include "compiler/kernel/kernel.h"

namespace nnc::kernel {

using CalleeName = std::function<const std::string&(const std::string&)>;

// `name_of_callee` maps the name in a call to the text that stands for it.
std::string encode(const Function& function, const CalleeName& name_of_callee);

}  // namespace nnc::kernel
