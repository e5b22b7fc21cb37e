#include <algorithm>
#include <map>
#include <memory>

#include "compiler/ir/limits.h"
#include "compiler/ir/op.h"
#include "compiler/support/diagnostics.h"

namespace nnc::ir {
namespace {

// Filled before main by the registration objects of compiler/ops, in the order of the linker; kept
// sorted so that nothing depends on that order.
struct Registry {
  std::map<std::string, std::unique_ptr<OpDef>> by_name;
  std::vector<const OpDef*> list;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

// Loops over a view are counted in 64 bits.
constexpr int64_t most_viewed_elements = most_elements << 12;

[[noreturn]] void refuse(const Type& type, int64_t batch, const SourceSpan& span, int64_t most);

}  // namespace

const std::vector<const OpDef*>& all_ops() { return registry().list; }

const OpDef* find_op(const std::string& name) {
  const auto it = registry().by_name.find(name);
  return it == registry().by_name.end() ? nullptr : it->second.get();
}

const OpDef* op(const std::string& name) {
  const OpDef* def = find_op(name);
  internal_check(def != nullptr, "there is no op '" + name + "'");
  return def;
}

void register_op(OpDef def) {
  Registry& all = registry();
  internal_check(all.by_name.count(def.name) == 0, "op '" + def.name + "' is registered twice");
  const std::string name = def.name;
  const auto place = all.by_name.emplace(name, std::make_unique<OpDef>(std::move(def))).first;
  const auto before = [](const OpDef* a, const OpDef* b) {
    return a->family != b->family ? a->family < b->family : a->name < b->name;
  };
  const OpDef* added = place->second.get();
  all.list.insert(std::upper_bound(all.list.begin(), all.list.end(), added, before), added);
}

std::vector<Type> infer_types(const Node& node, int64_t batch) {
  const OpDef& def = *node.op;
  std::vector<Type> operands;
  for (const Value* operand : node.operands) {
    internal_check(operand != nullptr, def.name + " has a null operand");
    operands.push_back(operand->type);
  }
  if (def.operands >= 0 && static_cast<int>(operands.size()) != def.operands) {
    throw UserError(node.span, def.name + " has the wrong number of operands",
                    std::to_string(def.operands), std::to_string(operands.size()));
  }
  std::vector<Type> types =
      def.infer({operands, node.attributes, node.region.get(), node.span, batch});
  for (const Type& type : types) {
    // A view has no memory: the windows of a picture overlap.
    if (def.family != Family::movement) {
      check_elements(type, batch, node.span);
    } else if (type.elements(batch) > most_viewed_elements) {
      refuse(type, batch, node.span, most_viewed_elements);
    }
  }
  return types;
}

void check_elements(const Type& type, int64_t batch, const SourceSpan& span) {
  if (type.elements(batch) > most_elements) refuse(type, batch, span, most_elements);
}

namespace {

void refuse(const Type& type, int64_t batch, const SourceSpan& span, int64_t most) {
  std::string factors;
  for (const Dim& dim : type.shape) {
    factors += (factors.empty() ? "" : " × ") + std::to_string(dim.extent(batch));
  }
  throw UserError(span, "this is an array that no machine holds",
                  "at most " + std::to_string(most) + " numbers",
                  factors + (has_batch(type.shape) ? ", of which " + std::to_string(batch) +
                                                         " are the rows of a batch"
                                                   : ""));
}

}  // namespace

}  // namespace nnc::ir
