// Losses that would work and learn badly: logits that are probabilities already.
#include "compiler/language/describe.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

class LossSlips {
 public:
  LossSlips(const Description& description, Diagnostics& diagnostics)
      : description_(description), diagnostics_(diagnostics) {}

  void run() {
    if (!description_.loss) return;
    for (const Term& term : description_.loss->terms) {
      const Value* logits = term.loss ? term.loss->args.find("logits") : nullptr;
      if (logits == nullptr || !logits->is_reference()) continue;
      const Name& name = logits->reference();
      const std::string squashed = squashed_by(name.text);
      if (squashed.empty()) continue;
      diagnostics_.warning(name.span,
                           in_quotes(name.text) + " is not logits but probabilities, made by " +
                               squashed + ": " + term.loss->kind + " would apply that twice",
                           "probability: " + name.text + ", or the value before " + squashed);
    }
  }

 private:
  static bool squashes(const std::string& function) {
    return function == "softmax" || function == "sigmoid";
  }

  // The function that made probabilities of this value: "softmax", "sigmoid", or nothing.
  std::string squashed_by(const std::string& name) const {
    for (const NamedFormula& output : description_.model.outputs)
      if (output.name.text == name) return squashed_by(*output.formula.root);
    for (const Layer& layer : description_.model.layers) {
      if (!layer.named || layer.name != name) continue;
      if (squashes(layer.kind.text)) return layer.kind.text;
      if (const Value* formula = layer.args.find("formula"); formula && formula->is_formula())
        return squashed_by(*formula->formula().root);
      const Value* activation =
          layer.args.find(layer.kind.text == "activation" ? "function" : "activation");
      const bool known = activation && activation->is_entry();
      if (known && squashes(activation->entry().kind.text)) return activation->entry().kind.text;
    }
    return "";
  }

  static std::string squashed_by(const Expression& root) {
    return root.kind == Expression::Kind::call && squashes(root.text) ? root.text : "";
  }

  const Description& description_;
  Diagnostics& diagnostics_;
};

}  // namespace

void warn_of_losses(const Draft& draft, Diagnostics& diagnostics) {
  LossSlips(draft.description, diagnostics).run();
}

}  // namespace nnc::language
