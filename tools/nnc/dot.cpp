#include "tools/nnc/dot.h"

#include <fmt/format.h>

#include "compiler/ir/op.h"

namespace nnc::tool {

std::string dot_of(const ir::Graph& graph) {
  std::string text =
      fmt::format("digraph \"{}\" {{\n  node [fontname=sans, fontsize=10];\n", graph.name);
  const auto id_of = [](const ir::Value* value) {
    return value->node != nullptr ? value->node->result(0)->name : value->name;
  };
  for (const ir::Param& param : graph.params) {
    text += fmt::format("  \"{}\" [shape=ellipse, label=\"{}\\n{}\"];\n", param.value->name,
                        param.external_name.empty() ? param.value->name : param.external_name,
                        ir::to_string(param.value->type, graph.batch));
  }
  for (const auto& node : graph.nodes) {
    if (node->results.empty()) {
      const std::string id = fmt::format("{}:{}", node->op->name, node->operands[0]->name);
      text += fmt::format("  \"{}\" [shape=box, label=\"{}\"];\n", id, node->op->name);
      for (const ir::Value* operand : node->operands) {
        text += fmt::format("  \"{}\" -> \"{}\";\n", id_of(operand), id);
      }
      continue;
    }
    std::string types;
    for (const auto& result : node->results) {
      types += "\\n" + ir::to_string(result->type, graph.batch);
    }
    const std::string id = node->result(0)->name;
    text += fmt::format("  \"{}\" [shape=box, label=\"{}{}\"];\n", id, node->op->name, types);
    for (const ir::Value* operand : node->operands) {
      text += fmt::format("  \"{}\" -> \"{}\";\n", id_of(operand), id);
    }
  }
  for (const ir::Output& output : graph.outputs) {
    text += fmt::format("  \"output {0}\" [shape=ellipse, label=\"{0}\"];\n", output.name);
    text += fmt::format("  \"{}\" -> \"output {}\";\n", id_of(output.value), output.name);
  }
  return text + "}\n";
}

}  // namespace nnc::tool
