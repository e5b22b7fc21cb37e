// Builds graphs. Every helper appends a node with the current span. Broadcasting is explicit in the
// IR: the binary helpers insert `broadcast` where operand shapes differ in the NumPy way.
#pragma once

#include <string>
#include <vector>

#include "compiler/ir/graph.h"

namespace nnc::ir {

class Builder {
 public:
  explicit Builder(Graph& graph) : graph_(graph) {}

  Graph& graph() { return graph_; }
  void set_span(const SourceSpan& span) { span_ = span; }
  const SourceSpan& span() const { return span_; }

  // Any op by its record's name; returns the first result.
  Value* op(const std::string& name, std::vector<Value*> operands, Attributes attributes = {});
  Node* node(const std::string& name, std::vector<Value*> operands, Attributes attributes = {});

  // A constant of any shape: one number in every element.
  Value* constant(double value, DType dtype, const Shape& shape = {});
  Value* constant_like(double value, const Value* like);
  // A small table of numbers, row-major.
  Value* table(const std::vector<double>& values, DType dtype, const Shape& shape);

  // Elementwise with NumPy broadcasting of both operands. Adding the constant 0 and multiplying or
  // dividing by the constant 1 return the other operand: derivative rules stay short.
  Value* binary(const std::string& name, Value* a, Value* b);
  Value* unary(const std::string& name, Value* a) { return op(name, {a}); }
  Value* add(Value* a, Value* b) { return binary("add", a, b); }
  Value* sub(Value* a, Value* b) { return binary("sub", a, b); }
  Value* mul(Value* a, Value* b) { return binary("mul", a, b); }
  Value* div(Value* a, Value* b) { return binary("div", a, b); }
  Value* add(Value* a, double b);
  Value* mul(Value* a, double b);
  Value* neg(Value* a) { return unary("neg", a); }
  Value* select(Value* condition, Value* if_true, Value* if_false);  // broadcasts
  Value* compare(const std::string& name, Value* a, Value* b) { return binary(name, a, b); }

  Value* cast(Value* a, DType dtype);  // returned as it is when already of that type
  // result dimension axes[i] is dimension i of `a`; the others are new.
  Value* broadcast(Value* a, const Shape& shape, const std::vector<int64_t>& axes);
  Value* broadcast_like(Value* a, const Shape& shape);  // NumPy alignment (trailing)
  Value* reshape(Value* a, const Shape& shape);
  Value* transpose(Value* a, const std::vector<int64_t>& permutation);
  Value* slice(Value* a, const std::vector<int64_t>& starts, const std::vector<Dim>& sizes,
               const std::vector<int64_t>& steps = {});
  Value* concat(const std::vector<Value*>& parts, int64_t axis);

  // "reduce_sum", "reduce_max", "reduce_min": drops the axes (or keeps them with extent 1).
  Value* reduce(const std::string& name, Value* a, const std::vector<int64_t>& axes,
                bool keep = false);
  Value* sum(Value* a, const std::vector<int64_t>& axes, bool keep = false) {
    return reduce("reduce_sum", a, axes, keep);
  }
  // Result: batch dims, free dims of a, free dims of b.
  Value* contract(Value* a, Value* b, const std::vector<int64_t>& lhs,
                  const std::vector<int64_t>& rhs, const std::vector<int64_t>& lhs_batch = {},
                  const std::vector<int64_t>& rhs_batch = {});
  Value* matmul(Value* a, Value* b);  // [m,k] @ [k,n]
  // Index of the largest element along `axis` (the first of equals) as i32; drops the axis. A
  // composition, so that no primitive is needed. A row of NaN gives the last index.
  Value* argmax(Value* a, int64_t axis);
  // 0, 1, 2 … along `axis`, the same in all other directions.
  Value* iota(const Shape& shape, int64_t axis, DType dtype);
  // a*b + c in one rounding where the machine can.
  Value* muladd(Value* a, Value* b, Value* c) { return op("muladd", {a, b, c}); }
  // `a` placed in a larger tensor filled with `value`: low[i] elements before, high[i] after.
  Value* pad(Value* a, const std::vector<int64_t>& low, const std::vector<int64_t>& high,
             double value = 0);
  Value* stop_gradient(Value* a) { return unary("stop_gradient", a); }
  void assign(Value* state, Value* value);

 private:
  Graph& graph_;
  SourceSpan span_;
};

}  // namespace nnc::ir
