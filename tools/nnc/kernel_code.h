// nnc bench --kernel N: the machine code of one kernel, with what decides its speed counted.
#pragma once

#include <string>
#include <vector>

namespace nnc::tool {

// A loop without loops inside, as instructions between a label and the jump back to it.
struct LoopCount {
  std::string label;
  int instructions = 0;
  int multiply_adds = 0;
  int loads = 0;   // vector instructions that read memory
  int stores = 0;  // that write it
};

struct KernelCode {
  std::string text;      // the function's assembly
  long frame_bytes = 0;  // of stack, saved registers not counted
  int spills = 0;        // vector registers written to the stack
  std::vector<LoopCount> loops;
};

// Cuts `function` out of a module's assembly (AT&T syntax, x86). Empty text: no such function.
KernelCode find_kernel(const std::string& assembly, const std::string& function);

void print_kernel(const KernelCode& code, const std::string& title);

}  // namespace nnc::tool
