// How emitted code calls the entry kernels: the only place that knows their parameters.
#pragma once

#include <string>

#include "compiler/kernel/kernel.h"

namespace nnc::codegen {

// The parameters of an entry, found by name. Inputs, orders and outputs are numbered from 0, in the
// order of EmitRequest. Order and presence are free: a parameter that an entry has no use for may
// be missing.
struct EntryParameters {
  const char* state = "state";                  // ptr: the state slab
  const char* arena = "arena";                  // ptr: scratch, 64-byte aligned
  const char* input = "in_";                    // ptr: rows of input N
  const char* order = "idx_";                   // ptr: i32 by row; row r is stored row order[r]
  const char* output = "out_";                  // ptr: rows of output N
  const char* scalars = "scalars";              // ptr: f64
  const char* rows = "rows";                    // i64
  const char* thread = "thread";                // i64: 0
  const char* threads = "threads";              // i64: 1
  const char* barrier = "barrier_fn";           // ptr: null, emitted code has one thread
  const char* barrier_state = "barrier_state";  // ptr: null
};

// The call of `entry` from a function that has these names in scope: `weights` (const void*),
// `arena` (unsigned char*), `in_N`, `out_N` (typed pointers), `data::row_order` and
// `data::SCALARS` (arrays; `scalars` is empty where there are none) and `bytes_of(const void*)`;
// `rows` is an expression, their number. Throws InternalError for a parameter it does not know.
std::string call_entry(const kernel::Function& entry, const std::string& cpp_name,
                       const std::string& rows, const std::string& scalars);

}  // namespace nnc::codegen
