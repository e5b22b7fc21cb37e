// Reads the text form back: a cursor over the text, one function for each piece of the grammar.
#include <charconv>
#include <cmath>

#include "compiler/ir/cursor.h"
#include "compiler/ir/op.h"
#include "compiler/ir/text.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ir {
namespace {

using Names = std::map<std::string, Value*>;

class Parser {
 public:
  Parser(const std::string& text, const std::string& path) : in_(text, path) {}

  std::unique_ptr<Graph> graph() {
    in_.word("graph");
    in_.symbol("@");
    auto graph = std::make_unique<Graph>(in_.name());
    Names names;
    parse_params(*graph, names, ParamKind::input);
    parse_block(*graph, names);
    in_.end();
    set_batch(*graph);
    return graph;
  }

 private:
  void set_batch(Graph& graph) const {
    graph.batch = batch_ == 0 ? 1 : batch_;
    for (const auto& node : graph.nodes) {
      if (node->region) set_batch(*node->region);
    }
  }

  // 784, 128b, 128b*16
  Dim dim() {
    const int64_t number = in_.integer();
    if (!in_.accept("b")) return {number, false};
    if (batch_ != 0 && batch_ != number) {
      in_.fail("the batch has two sizes", std::to_string(batch_) + "b",
               std::to_string(number) + "b");
    }
    batch_ = number;
    return {in_.accept("*") ? in_.integer() : 1, true};
  }

  Shape shape() {
    Shape shape;
    in_.symbol("[");
    while (!in_.accept("]")) {
      if (!shape.empty()) in_.symbol(",");
      shape.push_back(dim());
    }
    return shape;
  }

  DType dtype() {
    const std::string text = in_.identifier();
    DType result;
    if (!parse_dtype(text, result))
      in_.fail("this is not an element type", "f32, i32, bool …", text);
    return result;
  }

  Type type() {
    const DType element = dtype();
    return {element, shape()};
  }

  // "%x", declared under this very name.
  std::string new_name(Graph& graph) {
    in_.symbol("%");
    std::string name = in_.identifier();
    if (graph.unique_name(name) != name) in_.fail("%" + name + " is defined twice");
    return name;
  }

  void parse_params(Graph& graph, Names& names, ParamKind usual) {
    in_.symbol("(");
    while (!in_.accept(")")) {
      if (!graph.params.empty()) in_.symbol(",");
      Param param;
      param.kind = usual;
      param.value = std::make_unique<Value>();
      param.value->name = new_name(graph);
      param.value->index = static_cast<int>(graph.params.size());
      in_.symbol(":");
      param.value->type = type();
      param.external_name = param.value->name;
      if (!in_.at(",") && !in_.at(")")) {
        const std::string kind = in_.identifier();
        if (!parse_param_kind(kind, param.kind)) {
          in_.fail("this is not a kind of parameter", "input, scalar, state or value", kind);
        }
        if (in_.at("\"")) param.external_name = in_.text();
      }
      names[param.value->name] = param.value.get();
      graph.params.push_back(std::move(param));
    }
  }

  Value* use(const Names& names) {
    in_.symbol("%");
    const std::string name = in_.identifier();
    const auto it = names.find(name);
    if (it == names.end()) in_.fail("%" + name + " is not defined");
    return it->second;
  }

  void parse_block(Graph& graph, Names& names) {
    in_.symbol("{");
    while (!in_.accept_word("return")) parse_node(graph, names);
    while (!in_.accept("}")) {
      if (!graph.outputs.empty()) in_.symbol(",");
      std::string name;
      if (!in_.at("%")) {
        name = in_.name();
        in_.symbol("=");
      }
      graph.add_output(name, use(names));
    }
  }

  struct Result {
    std::string name;
    Type type;
  };

  void parse_node(Graph& graph, Names& names) {
    auto node = std::make_unique<Node>();
    node->span = in_.here();
    std::vector<Result> results;
    while (in_.at("%")) {
      Result result{new_name(graph), {}};
      in_.symbol(":");
      result.type = type();
      results.push_back(result);
      if (!in_.accept(",")) in_.symbol("=");
    }
    const std::string op = in_.identifier();
    node->op = find_op(op);
    if (node->op == nullptr) in_.fail("there is no op of this name", "an op of nnc", op);
    while (in_.at("%")) {
      node->operands.push_back(use(names));
      if (!in_.accept(",")) break;
    }
    parse_attributes(*node);
    if (in_.at("(")) {
      node->region = std::make_unique<Graph>("region");
      Names inner;
      parse_params(*node->region, inner, ParamKind::value);
      parse_block(*node->region, inner);
    }
    add_results(*node, results, names);
    node->span = in_.location();
    graph.nodes.push_back(std::move(node));
  }

  // `infer` decides on the types; the text must agree.
  void add_results(Node& node, const std::vector<Result>& results, Names& names) {
    const int64_t batch = batch_ == 0 ? 1 : batch_;
    std::vector<Type> types;
    try {
      types = infer_types(node, batch);
    } catch (const InternalError& error) {
      in_.fail(error.what());
    }
    if (types.size() != results.size()) {
      in_.fail(node.op->name + " has another number of results", std::to_string(types.size()),
               std::to_string(results.size()));
    }
    for (size_t i = 0; i < types.size(); ++i) {
      if (types[i] != results[i].type) {
        in_.fail("%" + results[i].name + " has another type", to_string(types[i], batch),
                 to_string(results[i].type, batch));
      }
      auto value = std::make_unique<Value>();
      value->type = types[i];
      value->name = results[i].name;
      value->node = &node;
      value->index = static_cast<int>(i);
      names[value->name] = value.get();
      node.results.push_back(std::move(value));
    }
  }

  void parse_attributes(Node& node) {
    if (!in_.accept("{")) return;
    while (!in_.accept("}")) {
      if (!node.attributes.items().empty()) in_.symbol(",");
      const std::string key = in_.identifier();
      in_.symbol("=");
      node.attributes.set(key, attribute(key));
    }
  }

  Attribute attribute(const std::string& key) {
    if (key == "shape") return shape();
    if (in_.at("\"")) return in_.text();
    if (in_.at("[")) return list(key);
    const std::string word = in_.token();
    if (word == "true" || word == "false") return word == "true";
    DType element;
    if (parse_dtype(word, element)) return element;
    return scalar(word);
  }

  // [1,2] or [1.0,2.0]; an empty list holds integers.
  Attribute list(const std::string& key) {
    std::vector<int64_t> integers;
    std::vector<double> numbers;
    in_.symbol("[");
    while (!in_.accept("]")) {
      if (!integers.empty() || !numbers.empty()) in_.symbol(",");
      const Attribute item = scalar(in_.token());
      if (const int64_t* integer = std::get_if<int64_t>(&item)) {
        integers.push_back(*integer);
      } else {
        numbers.push_back(std::get<double>(item));
      }
      if (!integers.empty() && !numbers.empty()) {
        in_.fail("list '" + key + "' mixes integers and other numbers");
      }
    }
    if (numbers.empty()) return integers;
    return numbers;
  }

  Attribute scalar(const std::string& word) {
    const char* begin = word.data();
    const char* end = begin + word.size();
    int64_t integer = 0;
    if (std::from_chars(begin, end, integer).ptr == end && !word.empty()) return integer;
    double number = 0;
    if (std::from_chars(begin, end, number).ptr == end && !word.empty()) return number;
    in_.fail("this is not a value of an attribute", "a number, true, false or an element type",
             word);
  }

  Cursor in_;
  int64_t batch_ = 0;
};

}  // namespace

std::unique_ptr<Graph> parse(const std::string& text, const std::string& path) {
  return Parser(text, path).graph();
}

}  // namespace nnc::ir
