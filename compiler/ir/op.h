// One record defines an op. Everything else (verification, printing, derivatives, the reference
// evaluator, lowering, the tests) is derived from it; nothing else lists ops by name.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/ir/graph.h"
#include "compiler/kernel/builder.h"

namespace nnc::ir {

class Builder;

// --- reference evaluation (f64, naive) -----------------------------------------------------------

// Row-major values in f64 whatever the dtype (f32 values are not rounded: the reference is exact).
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<double> data;
  int64_t elements() const { return static_cast<int64_t>(data.size()); }
};

struct EvalContext {
  const Node& node;
  std::vector<const Tensor*> operands;
  std::vector<Tensor>& results;  // shapes are already set and data allocated (zero)
  int64_t batch = 1;
  uint64_t seed = 0;  // for random ops
  int64_t step = 0;
};

// --- derivatives ---------------------------------------------------------------------------------

struct VjpContext {
  Builder& b;  // appends to the graph, with the span of `node`
  const Node& node;
  std::vector<Value*> gradients;  // one per result; null where nothing flows back
  // The gradients are 0 in the elements that a choice (`picks`) further on left out: a slope that
  // can be infinite or NaN there must not be multiplied in (0·inf); see `where_chosen`.
  bool chosen = false;
  Value* operand(int i) const { return node.operands.at(static_cast<size_t>(i)); }
  Value* result(int i = 0) const { return node.result(i); }
};

// --- lowering ------------------------------------------------------------------------------------

// How a value's elements lie in a buffer: element (i0, i1, …) is at offset + Σ i·stride.
// Strides are in elements, and may themselves count batch rows (a transposed [rows, n] value).
struct View {
  int64_t offset = 0;
  std::vector<Dim> strides;  // one per dimension of the viewed value; size 0: broadcast
};

enum class Family : uint8_t {
  elementwise,  // result element i depends on element i of every operand: `lower`
  reduction,    // folds axes ("axes" attribute, ascending): `lower` combines (accumulator, element)
  movement,     // a new view of its operand's buffer: `view`
  placement,    // operands copied to places of the result, the rest filled: `placements`
  contraction,  // sums of products: attributes lhs, rhs, lhs_batch, rhs_batch
  generator,    // elements from attributes and the element's own index: `lower_index`
  state,        // assign
  structure,    // group: owns a region
};

struct LowerContext {
  kernel::Builder& k;
  const Node& node;
  kernel::Scalar scalar;  // of the result
  int lanes;
};

// One copy from an operand into the result.
struct Placement {
  int operand = 0;
  std::vector<int64_t> starts = {};  // where element 0 goes, per dimension of the result
  std::vector<int64_t> steps = {};   // distance of the next one, may be negative; empty: 1
  // Per dimension of the operand: the coordinate at which it stands still, or -1 where it runs
  // along the next dimension of the result. Empty: none stands still.
  std::vector<int64_t> fixed = {};
};

// Inputs that the derived tests use. Operand dims may be batch tagged.
struct Sample {
  std::vector<Type> operands;
  Attributes attributes;
  double low = -2, high = 2;                           // operands are drawn uniformly from here …
  std::vector<std::pair<double, double>> ranges = {};  // … or per operand
  double tolerance_f32 = 0;    // 0: derived from the length of the longest sum (in ULP)
  bool differentiable = true;  // false: no finite differences (kinks, integers)
};

struct OpDef {
  std::string name;
  Family family = Family::elementwise;
  int operands = 1;  // -1: any number
  std::string doc;   // what it computes: shapes, formula, source

  // Result types. UserError (with the node's span) when the operands do not fit; the message says
  // both shapes.
  struct InferInput {
    const std::vector<Type>& operands;
    const Attributes& attributes;
    const Graph* region;
    const SourceSpan& span;
    int64_t batch;
  };
  std::function<std::vector<Type>(const InferInput&)> infer;

  // Gradients of the operands (null where none flows: integers, stop_gradient). Absent: no
  // derivative exists for any operand.
  std::function<std::vector<Value*>(VjpContext&)> vjp = {};

  std::function<void(EvalContext&)> eval = {};

  // elementwise: the result from one element (or vector) per operand.
  // reduction: combine(accumulator, element); two values.
  std::function<kernel::Value(LowerContext&, const std::vector<kernel::Value>&)> lower = {};
  // reduction: the value of an empty fold (0, -inf …).
  double identity = 0;
  bool adds = false;  // reduction: combines by addition, which rounds
  // generator: the element at `indices` (i64 scalars or vectors, one per dimension of the result);
  // operands, if any, are scalars (seed, step …) and come as values.
  std::function<kernel::Value(LowerContext&, const std::vector<kernel::Value>& indices,
                              const std::vector<kernel::Value>& operands)>
      lower_index = {};
  bool uniform = false;  // generator: every element is the same, and gets no indices
  // movement: the view of the result in the buffer of its operand, whose view is given; nothing
  // when the strides cannot express it (the operand is then copied to row-major order first).
  std::function<std::optional<View>(const Node&, const View&)> view = {};
  // placement
  std::function<std::vector<Placement>(const Node&)> placements = {};
  bool accumulates = false;  // placement: starts at 0, and what falls on one place is added up

  bool picks = false;  // its vjp gives exact zeros to the elements that it did not choose

  // Cost of one element in flops, for the cost model (exp counts about 12).
  double cost = 1;
  // Random ops: never merged by common-subexpression elimination unless streams are equal.
  bool pure = true;
  std::function<std::vector<Sample>()> samples = {};
};

// Checks the number of operands, then the record's `infer`. UserError with the node's span.
std::vector<Type> infer_types(const Node& node, int64_t batch);

// The registry: every op, sorted by family, then name; names are unique.
const std::vector<const OpDef*>& all_ops();
const OpDef* find_op(const std::string& name);  // null if unknown
const OpDef* op(const std::string& name);       // InternalError if unknown
void register_op(OpDef def);                    // called once per op by compiler/ops

// Runs a graph in f64 with the ops' naive `eval`. Parameters by external name (inputs, scalars and
// states) or by value name. Returns the outputs by name; assigned states come back as
// "state:NAME" entries with their new values.
struct EvalOptions {
  int64_t batch = 0;  // 0: the graph's
  uint64_t seed = 0;
  int64_t step = 0;
  // Round every f32 result to f32, numbers below the smallest normal one to 0, as training does.
  bool rounded = false;
};
std::map<std::string, Tensor> evaluate(const Graph& graph,
                                       const std::map<std::string, Tensor>& params,
                                       const EvalOptions& options = {});

// The same for a region: parameters in order, outputs in order.
std::vector<Tensor> evaluate_region(const Graph& region, const std::vector<const Tensor*>& params,
                                    const EvalOptions& options);

}  // namespace nnc::ir
