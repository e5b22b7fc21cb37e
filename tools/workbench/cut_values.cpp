#include "tools/workbench/cut_values.h"

#include <memory>

namespace nnc::workbench {

language::Function function_of_values(const std::string& name,
                                      const language::Description& description,
                                      const std::vector<Name>& values) {
  language::Function function;
  function.name = {name, {}};
  // Without a place in the file, so that none of them is said to be needless.
  for (const Name& input : description.model.inputs) function.inputs.push_back({input.text, {}});
  for (const Name& value : values) {
    auto root = std::make_shared<Expression>();
    root->kind = Expression::Kind::name;
    root->text = value.text;
    root->span = value.span;
    function.outputs.push_back({value, {value.text, value.span, root}});
  }
  return function;
}

}  // namespace nnc::workbench
