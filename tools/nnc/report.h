// What the workbench reports, on standard error.
#pragma once

#include "compiler/support/diagnostics.h"

namespace nnc::tool {

// From now on its warnings, notes and mistakes in model files are printed.
void print_reports();

// Prints errors and warnings to standard error, with "2 errors" at the end where there are several.
void print_diagnostics(const Diagnostics& diagnostics);

}  // namespace nnc::tool
