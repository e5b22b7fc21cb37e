// What the records of this folder share: registration, type rules, naive evaluation, samples.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/ir/op.h"

namespace nnc::ops {

using ir::Attributes;
using ir::Dim;
using ir::DType;
using ir::EvalContext;
using ir::Family;
using ir::fixed_shape;
using ir::LowerContext;
using ir::Node;
using ir::OpDef;
using ir::Sample;
using ir::Shape;
using ir::Tensor;
using ir::Type;
using ir::VjpContext;
using InferInput = OpDef::InferInput;
using Infer = std::function<std::vector<Type>(const InferInput&)>;
using Gradients = std::vector<ir::Value*>;

// `const Registration r({.name = "exp", …});` at namespace scope is all that an op needs: the
// folder is linked whole.
struct Registration {
  explicit Registration(OpDef def) { ir::register_op(std::move(def)); }
};

// --- derivatives ---------------------------------------------------------------------------------

// `gradient`, but exactly 0 in the elements whose incoming gradient is 0 because a choice left them
// out: the slope may be infinite or NaN there, as that of the root in `if(x > 0, sqrt(x), 0)`.
ir::Value* where_chosen(VjpContext& c, ir::Value* gradient);
// g · slope, with the same care unless the slope is the same everywhere.
ir::Value* times(VjpContext& c, ir::Value* g, ir::Value* slope);
// One number in every element, known when the graph is built.
bool is_uniform(const ir::Value* value);

// --- type rules ----------------------------------------------------------------------------------

enum class Accept { floats, numbers, booleans, any };

// Every operand has one type, which is also the result's (or `boolean` of the same shape).
Infer infer_elementwise(const std::string& name, Accept accept, bool to_boolean = false);
// UserError with the types of all operands as what was found.
[[noreturn]] void reject(const InferInput& input, const std::string& message,
                         const std::string& expected);
// The operand's type; rejected when it has not the accepted kind.
void require(const InferInput& input, const std::string& name, const Type& type, Accept accept);
// Rejects axes that are not ascending, not distinct or outside 0 … rank-1.
void require_axes(const InferInput& input, const std::string& name,
                  const std::vector<int64_t>& axes, int rank);

// --- naive evaluation ----------------------------------------------------------------------------

std::vector<int64_t> row_major_strides(const std::vector<int64_t>& shape);
// Calls visit(index) for every index of `shape` in row-major order; once for shape [].
void for_each_index(const std::vector<int64_t>& shape,
                    const std::function<void(const std::vector<int64_t>&)>& visit);
int64_t flat_index(const std::vector<int64_t>& index, const std::vector<int64_t>& strides);

// result[i] = f(a[i]) and so on.
std::function<void(EvalContext&)> eval_unary(double (*f)(double));
std::function<void(EvalContext&)> eval_binary(double (*f)(double, double));

// --- lowering ------------------------------------------------------------------------------------

using Lower = decltype(OpDef::lower);
Lower lower_unary(kernel::Op op);
Lower lower_binary(kernel::Op op);
// A number of the same type (lanes too) as `like`.
kernel::Value constant_like(kernel::Builder& k, kernel::Value like, double value);

// --- samples -------------------------------------------------------------------------------------

// Shapes that elementwise and reduction tests use: [], 1, primes, rank 0 … 4, batch rows, and
// longer than any vector or tile.
const std::vector<Shape>& sample_shapes();
// `operands` equal operands of each sample shape, f32 and f64 in turn, within [low, high].
std::vector<Sample> float_samples(int operands, double low = -2, double high = 2,
                                  bool differentiable = true);
std::vector<Sample> typed_samples(int operands, DType dtype, double low, double high);
// All samples of several lists.
std::vector<Sample> joined(std::vector<std::vector<Sample>> lists);

}  // namespace nnc::ops
