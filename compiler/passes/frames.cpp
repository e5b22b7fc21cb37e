// What a convolution reads with a border of zeros is written with it. Where others read the same
// values without the border, they find them inside: nothing is written twice.
#include <algorithm>
#include <set>

#include "compiler/passes/axes.h"
#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

using ir::Family;
using ir::Node;
using ir::Users;
using ir::Value;

namespace {

// Whether a product reads the value, as it is or moved: it is in memory then.
bool is_multiplied(const Value* value, const Users& users) {
  const auto it = users.find(value);
  if (it == users.end()) return false;
  return std::any_of(it->second.begin(), it->second.end(), [&](const Node* user) {
    return user->op->family == Family::contraction ||
           (user->op->family == Family::movement && is_multiplied(user->result(), users));
  });
}

ir::Shape without_ones(ir::Shape shape) {
  std::erase(shape, ir::Dim{});
  return shape;
}

// Dimensions of 1 come and go without moving anything.
bool moves_elements(const Node& reshape) {
  return without_ones(reshape.operands[0]->type.shape) !=
         without_ones(reshape.result()->type.shape);
}

// Whether somebody sees the value in another shape: inside a border no strides may say that.
bool is_reshaped(const Value* value, const Users& users) {
  const auto it = users.find(value);
  if (it == users.end()) return false;
  return std::any_of(it->second.begin(), it->second.end(), [&](const Node* user) {
    return (is_op(user, "reshape") && moves_elements(*user)) ||
           (user->op->family == Family::movement && is_reshaped(user->result(), users));
  });
}

// The only `pad` among the readers of a value that has others, too.
Node* frame_of(const Value* value, const Users& users) {
  const auto it = users.find(value);
  if (it == users.end() || it->second.size() < 2 || is_reshaped(value, users)) return nullptr;
  Node* frame = nullptr;
  for (Node* user : it->second) {
    if (user->op->family == Family::state) return nullptr;
    if (!is_op(user, "pad")) continue;
    if (frame) return nullptr;
    frame = user;
  }
  return frame && is_multiplied(frame->result(), users) ? frame : nullptr;
}

// By the node whose result they frame.
std::map<const Node*, Node*> frames_of(const ir::Graph& graph) {
  const Users users = ir::users_of(graph);
  std::set<const Value*> outputs;
  for (const ir::Output& output : graph.outputs) outputs.insert(output.value);
  std::map<const Node*, Node*> frames;
  for (const auto& node : graph.nodes) {
    if (node->op->family != Family::elementwise || outputs.count(node->result())) continue;
    // With the batch last, products leave taps out, and nobody writes the border.
    const ir::Shape& shape = node->result()->type.shape;
    if (shape.empty() || !shape.front().batch) continue;
    if (Node* frame = frame_of(node->result(), users)) frames[node.get()] = frame;
  }
  return frames;
}

}  // namespace

bool read_inside_frames(ir::Graph& graph) {
  const std::map<const Node*, Node*> frames = frames_of(graph);
  if (frames.empty()) return false;
  std::set<const Node*> framing;
  for (const auto& [framed, frame] : frames) framing.insert(frame);
  std::vector<std::unique_ptr<Node>> old = std::move(graph.nodes);
  graph.nodes.clear();
  std::map<const Node*, std::unique_ptr<Node>> early;  // frames move up to what they frame
  for (auto& node : old)
    if (framing.count(node.get())) early[node.get()] = std::move(node);
  ir::Builder b(graph);
  std::map<const Value*, Value*> inside;
  for (auto& node : old) {
    if (!node) continue;
    for (Value*& operand : node->operands)
      if (auto it = inside.find(operand); it != inside.end()) operand = it->second;
    const Node& now = *node;
    graph.nodes.push_back(std::move(node));
    const auto it = frames.find(&now);
    if (it == frames.end()) continue;
    const Node& frame = *it->second;
    graph.nodes.push_back(std::move(early.at(&frame)));
    b.set_span(frame.span);
    inside[now.result()] = b.slice(frame.result(), axes_of(frame, "low"), now.result()->type.shape);
  }
  return true;
}

}  // namespace nnc::passes
