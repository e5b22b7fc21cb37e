// The functions of an emitted object that C calls, written around its kernels: they fill what the
// kernels are called with.
#pragma once

#include "compiler/codegen/emit.h"

namespace llvm {
class Module;
}

namespace nnc::codegen {

// Adds NAME_predict_HASH and NAME_predict_batch_HASH (emit_c_header.h declares them), the same of
// each other function, and weak names without a hash, to a module that holds join_for_object's
// kernels, which nobody else calls.
void add_c_functions(llvm::Module& module, const EmitRequest& request);

}  // namespace nnc::codegen
