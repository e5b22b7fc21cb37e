#include <set>

#include "compiler/ir/op.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ir {
namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph) {}

  void run() {
    for (size_t i = 0; i < graph_.params.size(); ++i) {
      const Value* value = graph_.params[i].value.get();
      check(value->node == nullptr && value->index == static_cast<int>(i),
            "parameter %" + value->name + " does not know its place");
      define(value);
    }
    for (const auto& node : graph_.nodes) check_node(*node);
    for (const Output& output : graph_.outputs) {
      check(defined_.count(output.value) > 0, "output '" + output.name + "' is not defined");
    }
  }

 private:
  void check(bool condition, const std::string& message) const {
    internal_check(condition, "graph @" + graph_.name + ": " + message);
  }

  void define(const Value* value) {
    check(names_.insert(value->name).second, "%" + value->name + " is defined twice");
    defined_.insert(value);
  }

  void check_node(const Node& node) {
    const std::string place = " in: " + print(node, graph_.batch);
    for (const Value* operand : node.operands) {
      check(operand != nullptr && defined_.count(operand) > 0,
            "an operand is used before it is defined" + place);
    }
    check_types(node, place);
    for (size_t i = 0; i < node.results.size(); ++i) {
      check(node.results[i]->node == &node && node.results[i]->index == static_cast<int>(i),
            "a result does not know its node" + place);
      define(node.results[i].get());
    }
    if (node.op->family == Family::state) check_assign(node, place);
    if (!node.region) return;
    check(node.op->family == Family::structure, "only structure ops own a region" + place);
    Verifier(*node.region).run();
  }

  void check_types(const Node& node, const std::string& place) const {
    std::vector<Type> types;
    try {
      types = infer_types(node, graph_.batch);
    } catch (const UserError& error) {
      check(false, std::string(error.what()) + place);
    }
    check(types.size() == node.results.size(), "the number of results is wrong" + place);
    for (size_t i = 0; i < types.size(); ++i) {
      check(types[i] == node.results[i]->type, "%" + node.results[i]->name + " should have type " +
                                                   to_string(types[i], graph_.batch) + place);
    }
  }

  void check_assign(const Node& node, const std::string& place) {
    const Value* state = node.operands[0];
    const bool is_state = state->node == nullptr &&
                          graph_.params[static_cast<size_t>(state->index)].kind == ParamKind::state;
    check(is_state, "assign needs a state parameter" + place);
    check(assigned_.insert(state).second, "%" + state->name + " is assigned twice");
  }

  const Graph& graph_;
  std::set<std::string> names_;
  std::set<const Value*> defined_, assigned_;
};

}  // namespace

void verify(const Graph& graph) { Verifier(graph).run(); }

}  // namespace nnc::ir
