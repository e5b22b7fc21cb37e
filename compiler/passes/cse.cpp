// Equal nodes (same op, operands and attributes) become one. Random ops are merged only with the
// same stream, which is an attribute: then they are the same numbers.
#include <map>
#include <tuple>

#include "compiler/passes/pass.h"
#include "compiler/passes/rewrite.h"

namespace nnc::passes {

bool merge_common(ir::Graph& graph) {
  using Key = std::pair<const ir::OpDef*, std::vector<ir::Value*>>;
  std::map<Key, std::vector<const ir::Node*>> seen;
  return rewrite(graph, [&](ir::Node& node, ir::Builder&) -> ir::Value* {
    if (node.region || node.results.size() != 1) return nullptr;
    auto& candidates = seen[{node.op, node.operands}];
    for (const ir::Node* other : candidates)
      if (other->attributes == node.attributes && other->result()->type == node.result()->type)
        return other->result();
    candidates.push_back(&node);
    return nullptr;
  });
}

}  // namespace nnc::passes
