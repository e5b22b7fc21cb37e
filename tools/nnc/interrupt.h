// Ctrl-C, SIGTERM, and a terminal that closes: asks training to stop after the current step; before
// there is a step, ends the process.
#pragma once

namespace nnc::tool {

// From now on SIGINT, SIGTERM or SIGHUP ends the process at once, with a word and Exit::stopped.
// While data is read and kernels are compiled there is nothing to keep.
void end_on_interrupts();

// From now on the first of them only sets the flag below; another one, some time later,
// ends the process as usual.
void catch_interrupts();
bool interrupted();

}  // namespace nnc::tool
