// The text form. Columns are padded to what most lines need, by a rule that depends on the graph
// only, so that printing a parsed text gives the same text.
#include <algorithm>
#include <type_traits>

#include "compiler/ir/op.h"
#include "compiler/ir/text.h"

namespace nnc::ir {
namespace {

// Wider entries do not push the columns of all other lines to the right.
constexpr size_t kWidestName = 22, kWidestType = 20, kWidestBody = 84;

template <typename T, typename Text>
std::string list(const std::vector<T>& items, Text text) {
  std::string result = "[";
  for (size_t i = 0; i < items.size(); ++i) result += (i == 0 ? "" : ",") + text(items[i]);
  return result + "]";
}

std::string print_attribute(const Attribute& attribute, int64_t batch) {
  return std::visit(
      [&](const auto& value) -> std::string {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, int64_t>) return std::to_string(value);
        if constexpr (std::is_same_v<T, double>) return exact_number(value);
        if constexpr (std::is_same_v<T, bool>) return value ? "true" : "false";
        if constexpr (std::is_same_v<T, std::string>) return quote(value);
        if constexpr (std::is_same_v<T, DType>) return name_of(value);
        if constexpr (std::is_same_v<T, Shape>) return to_string(value, batch);
        if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
          return list(value, [](int64_t n) { return std::to_string(n); });
        }
        if constexpr (std::is_same_v<T, std::vector<double>>) return list(value, exact_number);
      },
      attribute);
}

std::string print_params(const Graph& graph, ParamKind usual) {
  std::string text = "(";
  for (const Param& param : graph.params) {
    if (text.size() > 1) text += ", ";
    text += "%" + param.value->name + ": " + to_string(param.value->type, graph.batch);
    const bool renamed = param.kind != ParamKind::value && param.external_name != param.value->name;
    if (param.kind != usual || renamed) text += std::string(" ") + name_of(param.kind);
    if (renamed) text += " " + quote(param.external_name);
  }
  return text + ")";
}

// "contract %x, %w {lhs=[1], rhs=[0]}"
std::string print_operation(const Node& node, int64_t batch) {
  std::string text = node.op->name;
  for (size_t i = 0; i < node.operands.size(); ++i) {
    text += (i == 0 ? " %" : ", %") + node.operands[i]->name;
  }
  if (node.attributes.items().empty()) return text;
  std::string attributes;
  for (const auto& [key, value] : node.attributes.items()) {
    attributes += (attributes.empty() ? "" : ", ") + key + "=" + print_attribute(value, batch);
  }
  return text + " {" + attributes + "}";
}

std::string print_location(const SourceSpan& span) {
  if (!span.known()) return "";
  const std::string path = span.path();
  const std::string file = path.substr(path.find_last_of('/') + 1);
  return "@" + file + ":" + std::to_string(span.line) + ":" + std::to_string(span.column);
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

struct Columns {
  size_t name = 0, type = 0, body = 0;
};

// "%h:  f32[32b,128]  = contract …", without indentation and location.
std::string print_body(const Node& node, int64_t batch, const Columns& columns) {
  std::string text;
  if (node.results.size() == 1) {
    const Value& result = *node.results[0];
    text = padded("%" + result.name + ":", columns.name) + " " +
           padded(to_string(result.type, batch), columns.type) + " = ";
  } else {
    for (const auto& result : node.results) {
      text += text.empty() ? "%" : ", %";
      text += result->name + ": " + to_string(result->type, batch);
    }
    if (!text.empty()) text += " = ";
  }
  return text + print_operation(node, batch);
}

void widen(size_t& column, size_t width, size_t widest) {
  if (width <= widest) column = std::max(column, width);
}

Columns columns_of(const Graph& graph) {
  Columns columns;
  for (const auto& node : graph.nodes) {
    if (node->results.size() != 1) continue;
    widen(columns.name, node->results[0]->name.size() + 2, kWidestName);
    widen(columns.type, to_string(node->results[0]->type, graph.batch).size(), kWidestType);
  }
  for (const auto& node : graph.nodes) {
    if (!node->region && node->span.known()) {
      widen(columns.body, print_body(*node, graph.batch, columns).size(), kWidestBody);
    }
  }
  return columns;
}

// For people: in columns, with the places in the model file. Bare: what the graph is alone.
enum class Style : uint8_t { people, bare };

void print_block(const Graph& graph, Style style, const std::string& indent, std::string& text);

void print_node(const Node& node, int64_t batch, Style style, const Columns& columns,
                const std::string& indent, std::string& text) {
  const std::string location = style == Style::people ? print_location(node.span) : "";
  std::string line = print_body(node, batch, columns);
  if (node.region) {
    text += indent + line + " " + print_params(*node.region, ParamKind::value) + " {\n";
    print_block(*node.region, style, indent + "  ", text);
    line = "}";
  }
  if (!location.empty()) line = padded(line, node.region ? 0 : columns.body) + "  " + location;
  text += indent + line + "\n";
}

void print_block(const Graph& graph, Style style, const std::string& indent, std::string& text) {
  const Columns columns = style == Style::people ? columns_of(graph) : Columns{};
  for (const auto& node : graph.nodes) print_node(*node, graph.batch, style, columns, indent, text);
  text += indent + "return";
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const Output& output = graph.outputs[i];
    text += i == 0 ? " " : ", ";
    if (!output.name.empty()) text += quoted_name(output.name) + "=";
    text += "%" + output.value->name;
  }
  text += "\n";
}

std::string print(const Graph& graph, Style style) {
  std::string text =
      "graph @" + quoted_name(graph.name) + print_params(graph, ParamKind::input) + " {\n";
  print_block(graph, style, "  ", text);
  return text + "}\n";
}

}  // namespace

std::string print(const Graph& graph) { return print(graph, Style::people); }

std::string identity(const Graph& graph) {
  return "batch " + std::to_string(graph.batch) + " " + print(graph, Style::bare);
}

std::string print(const Node& node, int64_t batch) {
  std::string text;
  print_node(node, batch, Style::people, {}, "", text);
  text.pop_back();
  return text;
}

}  // namespace nnc::ir
