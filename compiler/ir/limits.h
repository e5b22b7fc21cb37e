// How large a value may be.
#pragma once

#include "compiler/ir/type.h"
#include "compiler/support/source.h"
#include "runtime/shape.h"

namespace nnc::ir {

// UserError for a value of more than most_elements numbers. Every node and every field is checked
// as it is made, so that sizes, strides and offsets need no checks later.
void check_elements(const Type& type, int64_t batch, const SourceSpan& span);

}  // namespace nnc::ir
