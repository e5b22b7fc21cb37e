// The C header of a model that is emitted as object files or a shared library.
#pragma once

#include <string>
#include <vector>

#include "compiler/codegen/emit.h"
#include "compiler/kernel/kernel.h"
#include "compiler/kernel/target.h"

namespace nnc::codegen {

// Kernels in the object, abi::EntryFn, for one row and for up to block_rows rows.
std::string c_row_symbol(const EmitRequest& request, size_t function);
std::string c_block_symbol(const EmitRequest& request, size_t function);

// What the object exports of a function: `row` and `batch` carry a hash, so that objects of several
// runs may be in one program and a header calls its own; the plain names, NAME_predict and
// NAME_predict_batch, are for callers that have no header, as in other languages.
struct CNames {
  std::string row, batch;
  std::string plain_row, plain_batch;
};
CNames c_names_of(const EmitRequest& request, size_t function);

// The kernels of one function for one row and for a block of rows.
struct RowAndBlock {
  kernel::Module row, block;
};

// One module of those of all functions, in the order of the request: what they export is called as
// said above, and no two other functions have one name. For one thread: there are no barriers in
// it.
kernel::Module join_for_object(const EmitRequest& request, std::vector<RowAndBlock> functions);

// Where the code of an object runs: "x86-64 with AVX2 and FMA (…)".
std::string processors_of(kernel::Isa isa);

// The header, C99 and C++: facts, NAME_predict and NAME_predict_batch and the same of each other
// function, NAME_runs_here. Of the request it reads what emit does, but no levels. `arena_bytes`:
// the largest one of all entries; `link`: what a program is linked with.
std::string emit_c_header(const EmitRequest& request, size_t arena_bytes, kernel::Isa isa,
                          const std::string& link);

}  // namespace nnc::codegen
