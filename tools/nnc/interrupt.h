// Ctrl-C: asks training to stop after the current step.
#pragma once

namespace nnc::tool {

// From now on the first SIGINT or SIGTERM only sets the flag below; the second one ends the process
// as usual.
void catch_interrupts();
bool interrupted();

}  // namespace nnc::tool
