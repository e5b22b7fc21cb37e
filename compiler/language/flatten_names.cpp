// Names inside blocks, repeats and residuals, made full.
#include "compiler/language/flatten.h"
#include "compiler/support/text.h"

namespace nnc::language {

std::string Flattener::full_name(const Name& name, const LayerScope& scope) {
  const size_t dot = std::min(name.text.find('.'), name.text.size());
  const std::string head = name.text.substr(0, dot);
  const LayerScope* outermost = &scope;
  for (const LayerScope* here = &scope; here != nullptr; here = here->outer) {
    if (const auto own = here->names.find(head); own != here->names.end())
      return own->second + name.text.substr(dot);
    outermost = here;
  }
  if (outermost->block.empty() || !draft_.layers_complete) return name.text;
  std::vector<std::string> known;
  for (const LayerScope* here = &scope; here != nullptr; here = here->outer)
    for (const auto& [own, full] : here->names)
      if (here->unnamed.count(own) == 0) known.push_back(own);
  const auto near = nearest(head, known);
  diagnostics_.error(name.span,
                     "the block " + in_quotes(outermost->block) + " knows no " + in_quotes(head) +
                         (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                     join(known, "or") + ": a block sees its inputs and its own layers");
  draft_.layers_complete = false;
  return name.text;
}

void Flattener::rename(std::vector<Name>& names, const LayerScope& scope) {
  for (Name& name : names) name.text = full_name(name, scope);
}

ExpressionPtr Flattener::renamed(const ExpressionPtr& expression, const LayerScope& scope) {
  Expression e = *expression;
  if (e.kind == Expression::Kind::name) e.text = full_name({e.text, e.span}, scope);
  for (ExpressionPtr& operand : e.operands) operand = renamed(operand, scope);
  for (NamedOperand& named : e.named) named.value = renamed(named.value, scope);
  return std::make_shared<const Expression>(std::move(e));
}

Formula Flattener::renamed(const Formula& formula, const LayerScope& scope) {
  Formula result = formula;
  result.root = renamed(formula.root, scope);
  result.text = to_string(*result.root);
  return result;
}

Value Flattener::renamed(const Value& value, const LayerScope& scope) {
  Value result = value;
  if (value.is_reference()) {
    result.data = Name{full_name(value.reference(), scope), value.reference().span};
  } else if (value.is_formula()) {
    result.data = renamed(value.formula(), scope);
  } else if (value.is_list()) {
    ListValue items;
    for (const Value& item : value.list()) items.push_back(renamed(item, scope));
    result.data = std::move(items);
  } else if (value.is_map()) {
    MapValue items;
    for (const auto& [key, item] : value.map()) items.emplace_back(key, renamed(item, scope));
    result.data = std::move(items);
  } else if (value.is_entry()) {
    EntryValue entry = value.entry();
    auto args = std::make_shared<Args>();
    args->whole = entry.args->whole;
    for (const auto& [key, item] : entry.args->values()) args->set(key, renamed(item, scope));
    entry.args = args;
    result.data = std::move(entry);
  }
  return result;
}

}  // namespace nnc::language
