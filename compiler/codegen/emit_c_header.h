// The C header of a model that is emitted as object files or a shared library.
#pragma once

#include <string>

#include "compiler/codegen/emit.h"
#include "compiler/kernel/kernel.h"
#include "compiler/kernel/target.h"

namespace nnc::codegen {

// Kernels in the object, abi::EntryFn, for one row and for up to block_rows rows.
std::string c_row_symbol(const EmitRequest& request);
std::string c_block_symbol(const EmitRequest& request);

// What the object exports: `predict` and `predict_batch` carry a hash, so that objects of several
// runs may be in one program and a header calls its own; the plain names are for callers that have
// no header, as in other languages.
struct CNames {
  std::string predict, predict_batch;
  std::string plain_predict, plain_predict_batch;
};
CNames c_names_of(const EmitRequest& request);

// One module of both: what they export is called as said above, and the other functions of `row`
// get names that `block` does not use. For one thread: there are no barriers in it.
kernel::Module join_for_object(const EmitRequest& request, kernel::Module row,
                               kernel::Module block);

// Where the code of an object runs: "x86-64 with AVX2 and FMA (…)".
std::string processors_of(kernel::Isa isa);

// The header, C99 and C++: facts, NAME_predict and NAME_predict_batch, NAME_runs_here. Of the
// request it reads what emit does, but no levels. `arena_bytes`: the larger one of both entries;
// `link`: what a program is linked with.
std::string emit_c_header(const EmitRequest& request, size_t arena_bytes, kernel::Isa isa,
                          const std::string& link);

}  // namespace nnc::codegen
