// Placements: the result is filled where operands leave gaps, then each operand goes to its places,
// computed on the way by the elementwise nodes of the group. Threads share the rows where nothing
// moves along the first dimension.
#include <algorithm>

#include "compiler/kernel/lower_group.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

using ir::Dim;
using ir::Placement;
using ir::Shape;

namespace {

int64_t step_of(const Placement& part, size_t d) { return part.steps.empty() ? 1 : part.steps[d]; }

bool stands_still(const Placement& part, size_t d) {
  return !part.fixed.empty() && part.fixed[d] >= 0;
}

// The dimensions of an operand that run along the result.
Shape running(const Placement& part, const Shape& operand) {
  Shape dims;
  for (size_t d = 0; d < operand.size(); ++d)
    if (!stands_still(part, d)) dims.push_back(operand[d]);
  return dims;
}

Shape placed_shape(const ir::Node& node, const Placement& part) {
  return running(part, node.operands[static_cast<size_t>(part.operand)]->type.shape);
}

// Whether every operand has all rows of the result, in their places.
bool keeps_rows(const ir::Node& node) {
  const Shape& space = node.result()->type.shape;
  if (space.size() < 2) return false;
  for (const Placement& part : node.op->placements(node))
    if (part.starts[0] != 0 || step_of(part, 0) != 1 || placed_shape(node, part)[0] != space[0])
      return false;
  return true;
}

// Whether the rows are last, and every operand has all of them in their places.
bool keeps_last_rows(const ir::Node& node) {
  const Shape& space = node.result()->type.shape;
  if (!counts_rows_last(space)) return false;
  const size_t last = space.size() - 1;
  const auto parts = node.op->placements(node);
  return std::all_of(parts.begin(), parts.end(), [&](const Placement& part) {
    return part.starts[last] == 0 && step_of(part, last) == 1 &&
           placed_shape(node, part).back() == space.back();
  });
}

class PlaceLowering {
 public:
  explicit PlaceLowering(KernelScope& s)
      : s_(s),
        node_(*s.shape.placement),
        type_(node_.result()->type),
        parts_(node_.op->placements(node_)) {
    internal_check(!type_.shape.empty(), "a placement without dimensions");
    internal_check(s.outputs.size() == 1, "a placement with a second output");
  }

  void run() {
    if (keeps_last_rows(node_) || !keeps_rows(node_)) return rows({});
    s_.k.loop(s_.begin, s_.end, s_.k.i64(1), [&](Value row) {
      s_.e.open_scope();
      rows({{row, 0, false}});
      s_.e.close_scope();
    });
  }

 private:
  // All that happens at these leading coordinates of the result.
  void rows(const Coordinates& leading) {
    if (leaves_gaps()) fill(leading);
    for (const Placement& part : parts_) copy(part, leading);
  }

  bool leaves_gaps() const {
    if (node_.op->accumulates) return true;
    if (!node_.attributes.has("value")) return false;
    int64_t placed = 0;
    for (const Placement& part : parts_) placed += ir::product(placed_shape(node_, part)).size;
    return placed < ir::product(type_.shape).size;
  }

  void fill(const Coordinates& leading) {
    const double number = node_.op->accumulates ? 0 : node_.attributes.number("value");
    const Value code = s_.k.constant({stored_scalar(type_.dtype), 1}, number);
    if (is_frame()) return fill_frame(leading, code);
    each(type_.shape, leading, true, [&](const Coordinates& at) { store(code, at); });
  }

  // Whether all gaps are around one operand.
  bool is_frame() const {
    const Placement& part = parts_.front();
    if (parts_.size() > 1 || node_.op->accumulates || !part.fixed.empty()) return false;
    for (size_t d = 0; d < type_.shape.size(); ++d)
      if (step_of(part, d) != 1) return false;
    return true;
  }

  // For each dimension what lies before and behind the operand, where it is inside in those before.
  void fill_frame(const Coordinates& leading, Value code) {
    const Placement& part = parts_.front();
    const Shape inside = placed_shape(node_, part);
    Shape shape = type_.shape;
    std::vector<int64_t> starts(shape.size(), 0);
    const auto box = [&](size_t d, int64_t from, int64_t extent) {
      if (extent == 0) return;
      starts[d] = from;
      shape[d].size = extent;
      each(shape, leading, true, [&](Coordinates at) {
        for (size_t i = 0; i < at.size(); ++i) at[i].offset += starts[i];
        store(code, at);
      });
    };
    for (size_t d = leading.size(); d < shape.size(); ++d) {
      const int64_t behind = part.starts[d] + inside[d].size, all = type_.shape[d].size;
      box(d, 0, part.starts[d]);
      box(d, behind, all - behind);
      starts[d] = part.starts[d];
      shape[d] = inside[d];
    }
  }

  void copy(const Placement& part, const Coordinates& leading) {
    const ir::Value* operand = node_.operands[static_cast<size_t>(part.operand)];
    const Shape shape = placed_shape(node_, part);
    const bool vectors = step_of(part, vector_axis(leading.size())) == 1;
    each(shape, leading, vectors, [&](const Coordinates& at) {
      Value code = s_.e.emit(operand, source(part, at));
      const Coordinates to = target(part, at);
      if (node_.op->accumulates) {
        const Value before = s_.e.stored(type_, s_.outputs[0], to);
        code = s_.k.add(before, s_.k.splat(code, before.type.lanes));
      }
      store(code, to);
    });
  }

  void store(Value code, const Coordinates& at) { s_.e.store(code, type_, s_.outputs[0], at); }

  // The last dimension of the result, not counting those of 1: the width of pictures of one
  // channel.
  size_t vector_axis(size_t leading) const {
    size_t axis = type_.shape.size() - 1;
    while (axis > leading && type_.shape[axis] == Dim{}) --axis;
    return type_.shape[axis] == Dim{} ? type_.shape.size() - 1 : axis;
  }

  // Loops over what `leading` leaves of a shape, by vectors along the last dimension or one by one.
  void each(const Shape& shape, const Coordinates& leading, bool vectors,
            const std::function<void(const Coordinates&)>& body) {
    if (!vectors) return nest(s_, shape, leading.size(), leading, body);
    const size_t axis = vector_axis(leading.size());
    const Shape outer(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
    const Dim& last = shape[axis];
    const bool shared = keeps_last_rows(node_);
    const Value begin = shared ? s_.begin : s_.k.i64(0);
    const Value end = shared ? s_.end : s_.e.extent(last);
    nest(s_, outer, leading.size(), leading, [&](const Coordinates& at) {
      vector_loop(s_, begin, end, last.batch ? -1 : last.size, [&](const Coordinate& c) {
        Coordinates full = at;
        full.push_back(c);
        full.resize(shape.size());
        body(full);
      });
    });
  }

  static Coordinates source(const Placement& part, const Coordinates& at) {
    if (part.fixed.empty()) return at;
    Coordinates result;
    size_t next = 0;
    for (size_t d = 0; d < part.fixed.size(); ++d)
      result.push_back(stands_still(part, d) ? Coordinate{{}, part.fixed[d], false} : at[next++]);
    return result;
  }

  Coordinates target(const Placement& part, Coordinates at) {
    for (size_t d = 0; d < at.size(); ++d) {
      const int64_t step = step_of(part, d);
      if (step != 1 && at[d].base) at[d].base = s_.k.mul(at[d].base, s_.k.i64(step));
      at[d].offset = at[d].offset * step + part.starts[d];
    }
    return at;
  }

  KernelScope& s_;
  const ir::Node& node_;
  const ir::Type& type_;
  const std::vector<Placement> parts_;
};

}  // namespace

Slice place_slice(const GroupShape& shape) {
  const ir::Node& node = *shape.placement;
  if (keeps_last_rows(node)) return {node.result()->type.shape.back(), 1};
  if (!keeps_rows(node)) return {};
  return {node.result()->type.shape[0], 1};
}

void lower_place(KernelScope& s) { PlaceLowering(s).run(); }

}  // namespace nnc::kernel
