// What the process is given, made safe before anything else happens.
#pragma once

namespace nnc::tool {

// Standard streams that are closed are opened on nothing, so that no data file becomes one of them;
// a reader that ends and a file that may not grow are errors of a write, not signals; the stack has
// its memory while there is some; what nobody catches ends with words; the memory limit is the
// machine's.
void prepare_process();

}  // namespace nnc::tool
