// The functions of an emitted object that C calls, written around its kernels: they fill what the
// kernels are called with.
#pragma once

#include "compiler/codegen/emit.h"

namespace llvm {
class Module;
}

namespace nnc::codegen {

// Adds NAME_predict_HASH and NAME_predict_batch_HASH (emit_c_header.h declares them) to a module
// that holds join_for_object's kernels, which nobody else calls, and the weak names NAME_predict
// and NAME_predict_batch for both.
void add_c_functions(llvm::Module& module, const EmitRequest& request);

}  // namespace nnc::codegen
