#include "compiler/layers/formula.h"

#include <algorithm>

#include "compiler/layers/formula_function.h"
#include "compiler/layers/rows.h"
#include "compiler/support/diagnostics.h"

namespace nnc::layers {

namespace {

using Kind = Expression::Kind;

// Puts the span of an expression on the nodes that are made for it.
class SpanGuard {
 public:
  SpanGuard(ir::Builder& b, const SourceSpan& span) : b_(b), before_(b.span()) {
    if (span.known()) b_.set_span(span);
  }
  ~SpanGuard() { b_.set_span(before_); }
  SpanGuard(const SpanGuard&) = delete;
  SpanGuard& operator=(const SpanGuard&) = delete;

 private:
  ir::Builder& b_;
  SourceSpan before_;
};

[[noreturn]] void product_mismatch(const Expression& e, ir::Value* x, ir::Value* y) {
  throw UserError(e.span, "the shapes of a matrix product do not fit",
                  "[…, n] @ [n, m] or [n] @ [n, m]",
                  shape_text(row_shape(x)) + " @ " + shape_text(row_shape(y)));
}

// x @ y as in NumPy for vectors and matrices of a row; a weight is the same for every row.
ir::Value* matrix_product(FormulaContext& context, ir::Value* x, ir::Value* y,
                          const Expression& e) {
  const std::vector<int64_t> left = row_shape(x);
  const std::vector<int64_t> right = row_shape(y);
  if (left.empty() || right.empty() || left.size() > 2 || right.size() > 2) {
    product_mismatch(e, x, y);
  }
  const int64_t inner = right[right.size() == 2 ? 0 : right.size() - 1];
  if (left.back() != inner) product_mismatch(e, x, y);
  const int64_t x_axis = x->type.rank() - 1;
  const int64_t y_axis = right.size() == 2 ? y->type.rank() - 2 : y->type.rank() - 1;
  if (per_row(x) && per_row(y)) return context.b.contract(x, y, {x_axis}, {y_axis}, {0}, {0});
  ir::Value* product = context.b.contract(x, y, {x_axis}, {y_axis});
  if (!per_row(y) || left.size() == 1) return product;
  // [m, k] @ [b, k, n] comes out as [m, b, n].
  std::vector<int64_t> order{1, 0};
  if (product->type.rank() == 3) order.push_back(2);
  return context.b.transpose(product, order);
}

std::string op_of(const std::string& sign) {
  static const std::vector<std::pair<std::string, std::string>> ops = {
      {"+", "add"}, {"-", "sub"},   {"*", "mul"}, {"/", "div"}, {"^", "pow"},
      {"<", "lt"},  {"<=", "le"},   {">", "gt"},  {">=", "ge"}, {"==", "eq"},
      {"!=", "ne"}, {"and", "and"}, {"or", "or"}};
  for (const auto& [key, op] : ops) {
    if (key == sign) return op;
  }
  throw InternalError("formula operator " + sign);
}

// x / sqrt(y) with one y for many x is x·rsqrt(y), as the layers of normalisation have it: one
// division for all of them.
ir::Value* quotient_by_root(FormulaContext& context, const Expression& e) {
  const Expression& root = *e.operands[1];
  if (root.kind != Kind::call || root.text != "sqrt" || root.operands.size() != 1) return nullptr;
  ir::Value* x = build_number(context, *e.operands[0]);
  ir::Value* y = build_number(context, *root.operands[0]);
  const bool shared = elements(row_shape(y)) < elements(row_shape(x));
  ir::Value* divisor = context.b.unary(shared ? "rsqrt" : "sqrt", y);
  return combine(context, shared ? "mul" : "div", x, divisor, e);
}

Operand build_binary(FormulaContext& context, const Expression& e) {
  if (e.text == "and" || e.text == "or") {
    ir::Value* x = build_condition(context, *e.operands[0]);
    ir::Value* y = build_condition(context, *e.operands[1]);
    return {combine(context, e.text, x, y, e)};
  }
  if (e.text == "^") return {build_power(context, *e.operands[0], *e.operands[1], e)};
  if (e.text == "/") {
    if (ir::Value* quotient = quotient_by_root(context, e)) return {quotient};
  }
  ir::Value* x = build_number(context, *e.operands[0]);
  ir::Value* y = build_number(context, *e.operands[1]);
  if (e.text == "@") return {matrix_product(context, x, y, e)};
  return {combine(context, op_of(e.text), x, y, e)};
}

[[noreturn]] void bad_slice(const SliceItem& item, const ir::Value* value) {
  throw UserError(item.span, "the slice lies outside its value",
                  "a part of " + shape_text(row_shape(value)));
}

struct Part {
  int64_t begin, size, step;
};

// What one item takes of an axis of `extent`.
Part part_of(const SliceItem& item, int64_t extent, const ir::Value* value) {
  const auto from_end = [&](int64_t i) { return i < 0 ? i + extent : i; };
  const int64_t step = item.step.value_or(1);
  const bool back = step < 0;
  const int64_t begin = from_end(item.begin.value_or(back ? -1 : 0));
  int64_t end = item.end ? from_end(*item.end) : (back ? -1 : extent);
  if (item.kind == SliceItem::Kind::index) end = begin + 1;
  const bool inside = back ? end >= -1 && end < begin && begin < extent
                           : begin >= 0 && begin < end && end <= extent;
  if (!inside) bad_slice(item, value);
  const int64_t distance = back ? begin - end : end - begin;
  const int64_t stride = back ? -step : step;
  return {begin, (distance - 1) / stride + 1, step};
}

// x[0, ..., 1:3]: an index drops its axis.
ir::Value* build_slice(FormulaContext& context, const Expression& e) {
  ir::Value* x = build_number(context, *e.operands[0]);
  const std::vector<int64_t> row = row_shape(x);
  std::vector<SliceItem> items;
  for (const SliceItem& item : e.slices) {
    if (item.kind != SliceItem::Kind::ellipsis) {
      items.push_back(item);
      continue;
    }
    for (size_t i = e.slices.size() - 1; i < row.size(); ++i) items.push_back(SliceItem{});
  }
  if (items.size() > row.size()) {
    throw UserError(e.span, "the slice names more axes than its value has",
                    "at most " + std::to_string(row.size()) + " places for " + shape_text(row),
                    std::to_string(items.size()));
  }
  std::vector<int64_t> starts;
  std::vector<ir::Dim> sizes;
  std::vector<int64_t> kept;
  std::vector<int64_t> steps;
  if (per_row(x)) {
    starts.push_back(0);
    steps.push_back(1);
    sizes.push_back(x->type.shape[0]);
  }
  for (size_t i = 0; i < row.size(); ++i) {
    const SliceItem item = i < items.size() ? items[i] : SliceItem{};
    const auto [begin, size, step] = part_of(item, row[i], x);
    starts.push_back(begin);
    steps.push_back(step);
    sizes.push_back({size, false});
    if (item.kind != SliceItem::Kind::index) kept.push_back(size);
  }
  if (std::all_of(steps.begin(), steps.end(), [](int64_t step) { return step == 1; })) {
    steps.clear();
  }
  return reshape_row(context.b, context.b.slice(x, starts, sizes, steps), kept);
}

Operand build_unary(FormulaContext& context, const Expression& e) {
  if (e.text == "not") return {context.b.unary("not", build_condition(context, *e.operands[0]))};
  return {context.b.neg(build_number(context, *e.operands[0]))};
}

// [x, y]: values of one shape along a new first axis of the row.
ir::Value* build_list(FormulaContext& context, const Expression& e) {
  if (e.operands.empty()) throw UserError(e.span, "the list is empty", "[a, b, …]");
  std::vector<ir::Value*> parts;
  bool batch = false;
  for (const ExpressionPtr& item : e.operands) {
    parts.push_back(build_number(context, *item));
    batch = batch || per_row(parts.back());
    if (row_shape(parts.back()) == row_shape(parts[0])) continue;
    throw UserError(item->span, "the values of a list must have one shape",
                    shape_text(row_shape(parts[0])), shape_text(row_shape(parts.back())));
  }
  for (ir::Value*& part : parts) {
    std::vector<int64_t> row = row_shape(part);
    part = spread(context.b, part, row, batch);
    row.insert(row.begin(), 1);
    part = reshape_row(context.b, part, row);
  }
  return context.b.concat(parts, batch ? 1 : 0);
}

}  // namespace

Operand build_expression(FormulaContext& context, const Expression& e) {
  const SpanGuard guard(context.b, e.span);
  switch (e.kind) {
    case Kind::number: return {context.b.constant(e.number, context.dtype)};
    case Kind::name: return context.scope.find(e.text, e.span);
    case Kind::unary: return build_unary(context, e);
    case Kind::binary: return build_binary(context, e);
    case Kind::call: return build_call(context, e);
    case Kind::slice: return {build_slice(context, e)};
    case Kind::text:
      throw UserError(e.span, "a text is not a value", "a number, a name or a function");
    case Kind::list: return {build_list(context, e)};
  }
  throw InternalError("kind of expression");
}

ir::Value* build_number(FormulaContext& context, const Expression& expression) {
  return context.b.cast(build_expression(context, expression).value, context.dtype);
}

ir::Value* build_condition(FormulaContext& context, const Expression& expression) {
  ir::Value* value = build_expression(context, expression).value;
  if (value->type.dtype == ir::DType::boolean) return value;
  return context.b.compare("ne", value, context.b.constant_like(0, value));
}

ir::Value* combine(FormulaContext& context, const std::string& op, ir::Value* x, ir::Value* y,
                   const Expression& expression) {
  std::vector<int64_t> row;
  if (!broadcast_rows(row_shape(x), row_shape(y), row)) {
    throw UserError(expression.span, "the shapes of the two sides do not fit",
                    "equal extents, or 1, in every axis counted from the last",
                    shape_text(row_shape(x)) + " and " + shape_text(row_shape(y)));
  }
  return row_binary(context.b, op, x, y);
}

ir::Value* build_power(FormulaContext& context, const Expression& base, const Expression& exponent,
                       const Expression& whole) {
  ir::Value* x = build_number(context, base);
  if (exponent.kind == Kind::number) {
    const double n = exponent.number;
    if (n == 0.5) return context.b.unary("sqrt", x);
    if (n == 1) return x;
    if (n == 2) return context.b.mul(x, x);
    if (n == 3) return context.b.mul(context.b.mul(x, x), x);
    if (n == -1) return context.b.unary("reciprocal", x);
  }
  return combine(context, "pow", x, build_number(context, exponent), whole);
}

ir::Value* build_formula(FormulaContext& context, const Formula& formula) {
  internal_check(formula.root != nullptr, "a formula without a tree");
  return build_number(context, *formula.root);
}

}  // namespace nnc::layers
