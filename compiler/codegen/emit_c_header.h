// The C header of a model that is emitted as object files.
#pragma once

#include <string>

#include "compiler/codegen/emit.h"
#include "compiler/kernel/kernel.h"

namespace nnc::codegen {

// Names of the functions in the object: abi::EntryFn, for one row and for up to block_rows rows.
std::string c_row_symbol(const EmitRequest& request);
std::string c_block_symbol(const EmitRequest& request);

// One module of both: what they export is called as said above, and the other functions of `row`
// get names that `block` does not use. For one thread: there are no barriers in it.
kernel::Module join_for_object(const EmitRequest& request, kernel::Module row,
                               kernel::Module block);

// The header, C99 and C++: sizes, the weights, NAME_predict and NAME_predict_batch. Of the request
// it reads the model's name, summary, inputs, outputs, state, scalars and block_rows.
// `arena_bytes`: the larger one of both entries; `header_name`, `object_name`: of the files.
std::string emit_c_header(const EmitRequest& request, size_t arena_bytes,
                          const std::string& header_name, const std::string& object_name);

}  // namespace nnc::codegen
