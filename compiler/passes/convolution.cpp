// The gradient of a convolution with respect to its input, and a transposed convolution, are
// written as `fold` over a product: every output puts its weighted kernel into the result, where
// they add up. The same sums can be gathered instead. With stride s the result falls into s phases
// along each axis, by the remainder of the place; the elements of one phase meet every s-th tap
// only (s / gcd of stride and dilation), and are a convolution of stride 1 over the padded operand
// with these taps in reverse order. No array of all products is written and no zero is multiplied.
#include <numeric>

#include "compiler/ir/windows.h"
#include "compiler/passes/axes.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Builder;
using ir::Node;
using ir::Shape;
using ir::Value;
using ir::Windows;

namespace {

using List = std::vector<int64_t>;

// fold(contract(left, right)), windows along axes of `left`, taps along axes of `right`.
struct Pattern {
  const Node* fold = nullptr;
  const Node* contract = nullptr;
  Windows windows;
  List places;  // axis of `left` for each windowed axis
  List taps;    // axis of `right`
  List first;   // of the fold's extents, the part that is wanted: where it begins …
  List extent;  // … and how far it goes

  Value* left() const { return contract->operands[0]; }
  Value* right() const { return contract->operands[1]; }
};

std::optional<Pattern> match_fold(const Value* value) {
  if (!is_op(value, "fold") || !is_op(value->node->operands[0], "contract")) return std::nullopt;
  Pattern p{value->node, value->node->operands[0]->node, Windows::of(*value->node), {}, {}, {}, {}};
  const size_t batch = axes_of(*p.contract, "lhs_batch").size();
  const List left =
      free_axes(p.left(), axes_of(*p.contract, "lhs"), axes_of(*p.contract, "lhs_batch"));
  const List right =
      free_axes(p.right(), axes_of(*p.contract, "rhs"), axes_of(*p.contract, "rhs_batch"));
  for (size_t i = 0; i < p.windows.axes.size(); ++i) {
    const auto place = static_cast<size_t>(p.windows.axes[i]);
    const size_t tap = p.windows.tap(i);
    if (place < batch || place >= batch + left.size() || tap < batch + left.size())
      return std::nullopt;
    p.places.push_back(left[place - batch]);
    p.taps.push_back(right[tap - batch - left.size()]);
    p.first.push_back(0);
    p.extent.push_back(value->type.shape[place].size);
  }
  return p;
}

// A part of such a sum: borders that padding brought in are cut off again.
std::optional<Pattern> match_part(const Value* value) {
  if (!is_op(value, "slice") || value->node->attributes.has("steps")) return std::nullopt;
  auto p = match_fold(value->node->operands[0]);
  if (!p) return std::nullopt;
  const Shape& whole = value->node->operands[0]->type.shape;
  const List& starts = value->node->attributes.integers("starts");
  for (size_t d = 0; d < whole.size(); ++d) {
    const auto axis =
        std::find(p->windows.axes.begin(), p->windows.axes.end(), static_cast<int64_t>(d));
    if (axis == p->windows.axes.end()) {
      if (value->type.shape[d] != whole[d]) return std::nullopt;
      continue;
    }
    const auto i = static_cast<size_t>(axis - p->windows.axes.begin());
    p->first[i] = starts[d];
    p->extent[i] = value->type.shape[d].size;
  }
  return p;
}

// One phase along one axis: the elements remainder, remainder + stride … of the result.
struct Phase {
  int64_t remainder = 0;
  int64_t count = 0;              // elements
  int64_t taps = 0;               // that meet them …
  int64_t tap = 0, tap_step = 1;  // … the first one, and the distance between them
  int64_t dilation = 1;           // distance in the operand from one tap to the next
  int64_t low = 0, high = 0;      // padding of the operand; negative: so much is left out
  bool empty = false;             // nothing but zeros
};

// The phases along axis i of the pattern. Element q of a phase is element y = q·stride + remainder
// of the wanted part, and sums over taps t the operand's element q + offset - t·dilation.
std::vector<Phase> phases_of(const Pattern& p, size_t i) {
  const int64_t stride = p.windows.stride[i], dilation = p.windows.dilation[i];
  const int64_t taps = p.windows.size[i];
  const int64_t places = p.left()->type.shape[static_cast<size_t>(p.places[i])].size;
  const int64_t common = std::gcd(stride, dilation);
  std::vector<Phase> phases;
  for (int64_t r = 0; r < std::min(stride, p.extent[i]); ++r) {
    Phase phase;
    phase.remainder = r;
    phase.count = (p.extent[i] - r + stride - 1) / stride;
    const int64_t at = r + p.first[i];
    while (phase.tap < taps && (phase.tap * dilation - at) % stride != 0) ++phase.tap;
    phase.empty = phase.tap == taps;
    if (!phase.empty) {
      phase.tap_step = stride / common;
      phase.taps = (taps - 1 - phase.tap) / phase.tap_step + 1;
      phase.dilation = dilation / common;
      const int64_t offset = (at - phase.tap * dilation) / stride;
      phase.low = (phase.taps - 1) * phase.dilation - offset;
      phase.high = phase.count + offset - places;
      phase.empty = -phase.low >= places || -phase.high >= places;
    }
    phases.push_back(phase);
  }
  return phases;
}

// The operand with zeros around it, or without its border, as the phases need it.
Value* fitted(const Pattern& p, const std::vector<Phase>& phases, Builder& b) {
  Value* value = p.left();
  Shape kept = value->type.shape;
  List starts(kept.size(), 0), low = starts, high = starts;
  for (size_t i = 0; i < phases.size(); ++i) {
    const auto axis = static_cast<size_t>(p.places[i]);
    starts[axis] = std::max<int64_t>(-phases[i].low, 0);
    kept[axis].size -= starts[axis] + std::max<int64_t>(-phases[i].high, 0);
    low[axis] = std::max<int64_t>(phases[i].low, 0);
    high[axis] = std::max<int64_t>(phases[i].high, 0);
  }
  return b.pad(b.slice(value, starts, kept), low, high);
}

// The phases' taps, the last one first.
Value* reversed_taps(const Pattern& p, const std::vector<Phase>& phases, Builder& b) {
  Shape shape = p.right()->type.shape;
  List starts(shape.size(), 0), steps(shape.size(), 1);
  for (size_t i = 0; i < phases.size(); ++i) {
    const auto axis = static_cast<size_t>(p.taps[i]);
    starts[axis] = phases[i].tap + (phases[i].taps - 1) * phases[i].tap_step;
    shape[axis].size = phases[i].taps;
    if (phases[i].taps > 1) steps[axis] = -phases[i].tap_step;
  }
  return b.slice(p.right(), starts, shape, steps);
}

// All elements of one phase: contract(window(operand), taps).
Value* convolved(const Pattern& p, const std::vector<Phase>& phases, Builder& b) {
  List size, dilation;
  for (const Phase& phase : phases) {
    size.push_back(phase.taps);
    dilation.push_back(phase.dilation);
  }
  Value* windows = b.op("window", {fitted(p, phases, b)},
                        {{"axes", p.places},
                         {"size", size},
                         {"stride", List(size.size(), 1)},
                         {"dilation", dilation}});
  const auto n = static_cast<int64_t>(phases.size());
  const auto moved = [&](List axes) {  // taps stand behind the last windowed axis
    for (int64_t& axis : axes) axis += axis > p.places.back() ? n : 0;
    return axes;
  };
  List lhs, rhs = p.taps;
  for (int64_t i = 1; i <= n; ++i) lhs.push_back(p.places.back() + i);
  const List summed = moved(axes_of(*p.contract, "lhs"));
  const List partners = axes_of(*p.contract, "rhs");
  lhs.insert(lhs.end(), summed.begin(), summed.end());
  rhs.insert(rhs.end(), partners.begin(), partners.end());
  return b.contract(windows, reversed_taps(p, phases, b), lhs, rhs,
                    moved(axes_of(*p.contract, "lhs_batch")), axes_of(*p.contract, "rhs_batch"));
}

Value* gathered(const Pattern& p, const Shape& shape, Builder& b) {
  std::vector<std::vector<Phase>> combinations{{}};
  bool whole = true;
  for (size_t i = 0; i < p.windows.axes.size(); ++i) {
    std::vector<std::vector<Phase>> longer;
    for (const Phase& phase : phases_of(p, i)) {
      if (phase.empty) continue;
      for (std::vector<Phase> combination : combinations) {
        combination.push_back(phase);
        longer.push_back(std::move(combination));
      }
    }
    combinations = std::move(longer);
    whole = whole && p.windows.stride[i] == 1;
  }
  if (combinations.empty()) return nullptr;
  if (whole) return convolved(p, combinations.front(), b);
  List starts, steps(shape.size(), 1);
  for (size_t i = 0; i < p.windows.axes.size(); ++i)
    steps[static_cast<size_t>(p.windows.axes[i])] = p.windows.stride[i];
  std::vector<Value*> parts;
  for (const std::vector<Phase>& combination : combinations) {
    parts.push_back(convolved(p, combination, b));
    List start(shape.size(), 0);
    for (size_t i = 0; i < combination.size(); ++i)
      start[static_cast<size_t>(p.windows.axes[i])] = combination[i].remainder;
    starts.insert(starts.end(), start.begin(), start.end());
  }
  return b.op("place", parts,
              {{"shape", shape}, {"starts", starts}, {"steps", steps}, {"value", 0.0}});
}

}  // namespace

bool gather_convolutions(ir::Graph& graph) {
  // Parts first: what they leave out need not be computed.
  const bool parts = rewrite(graph, [](Node& node, Builder& b) -> Value* {
    const auto p = match_part(node.result());
    return p ? gathered(*p, node.result()->type.shape, b) : nullptr;
  });
  if (parts) graph.remove_dead();
  const bool wholes = rewrite(graph, [](Node& node, Builder& b) -> Value* {
    const auto p = match_fold(node.result());
    return p ? gathered(*p, node.result()->type.shape, b) : nullptr;
  });
  if (wholes) graph.remove_dead();
  return parts || wholes;
}

}  // namespace nnc::passes
