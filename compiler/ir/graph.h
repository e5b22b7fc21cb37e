// The graph IR: nodes in execution order over SSA values with static shapes. One graph is one
// program, up to a whole training step: forward, backward, update and `assign` of the new state.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/ir/attributes.h"
#include "compiler/ir/type.h"
#include "compiler/support/source.h"

namespace nnc::ir {

struct OpDef;
struct Node;
class Graph;

struct Value {
  Type type;
  std::string name;      // without '%'; unique within its graph
  Node* node = nullptr;  // the producer; null for parameters of the graph
  int index = 0;         // which result of `node`, or which parameter
};

struct Node {
  const OpDef* op = nullptr;
  std::vector<Value*> operands;
  std::vector<std::unique_ptr<Value>> results;
  Attributes attributes;
  std::unique_ptr<Graph> region;  // of a fused group
  SourceSpan span;                // the YAML value that it came from; backward nodes too

  Value* result(int i = 0) const { return results.at(static_cast<size_t>(i)).get(); }
};

enum class ParamKind : uint8_t {
  input,   // a field of the batch: [rows, …], in its stored dtype, in the order of the batch
  scalar,  // a run-time number such as the learning rate: []
  state,   // parameters, moments, running statistics: read here, written by `assign`
  value,   // a parameter of a region
};

struct Param {
  ParamKind kind = ParamKind::value;
  std::unique_ptr<Value> value;
  std::string external_name;  // input: field; scalar: abi name; state: StateDesc name
};

struct Output {
  std::string name;
  Value* value = nullptr;
};

class Graph {
 public:
  explicit Graph(std::string name = "graph", int64_t batch_rows = 1)
      : name(std::move(name)), batch(batch_rows) {}

  std::string name;
  int64_t batch = 1;  // the value of the batch symbol (the largest number of rows of the program)
  std::vector<Param> params;
  std::vector<std::unique_ptr<Node>> nodes;  // execution order: operands before users
  std::vector<Output> outputs;

  Value* add_param(ParamKind kind, const std::string& name, Type type,
                   const std::string& external_name = {});
  Value* find_param(ParamKind kind, const std::string& external_name) const;  // null if absent
  // Appends; infers the result types through the op's record (UserError with `span` on a mismatch).
  Node* add(const OpDef* op, std::vector<Value*> operands, Attributes attributes = {},
            SourceSpan span = {}, std::unique_ptr<Graph> region = nullptr);
  void add_output(const std::string& name, Value* value) { outputs.push_back({name, value}); }

  std::string unique_name(const std::string& base);
  std::unique_ptr<Graph> clone() const;
  // Replaces every use (operands and outputs) of one value.
  void replace_uses(const Value* from, Value* to);
  // Removes nodes whose results nobody uses and that have no effect (assign has one).
  int remove_dead();

 private:
  std::map<std::string, int> name_counts_;
};

// Users of each value, by one walk: value -> nodes (a node once per operand position).
using Users = std::map<const Value*, std::vector<Node*>>;
Users users_of(const Graph& graph);

std::string print(const Graph& graph);
// Equal for equal graphs of the same batch, wherever in a model file their nodes came from.
std::string identity(const Graph& graph);
std::string print(const Node& node, int64_t batch);
// The inverse of print: print(parse(text)) == text. UserError with the line in `text`.
std::unique_ptr<Graph> parse(const std::string& text, const std::string& path = "<text>");
// SSA order, unique names, result types as inferred again, one assign per state. InternalError.
void verify(const Graph& graph);

}  // namespace nnc::ir
