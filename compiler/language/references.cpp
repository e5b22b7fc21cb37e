// Names: none twice, every reference leads upwards to something, every layer is of use.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "compiler/language/describe.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

constexpr size_t everywhere = static_cast<size_t>(-1);

// What a reference may lead to.
struct Allowed {
  size_t layers = everywhere;  // only the layers before this position
  bool all_fields = false;     // otherwise only the model's inputs
  bool outputs = false;
};

class References {
 public:
  References(const Draft& draft, Diagnostics& diagnostics)
      : draft_(draft),
        description_(draft.description),
        model_(draft.description.model),
        diagnostics_(diagnostics),
        errors_before_(diagnostics.errors()) {
    for (size_t i = 0; i < model_.layers.size(); ++i) positions_.emplace(model_.layers[i].name, i);
    for (const Name& input : model_.inputs) inputs_.insert(input.text);
    for (const Parameter& p : model_.params) params_.insert(p.name.text);
    for (const NamedFormula& output : model_.outputs) outputs_.insert(output.name.text);
  }

  void run() {
    check_inputs();
    check_duplicates();
    for (size_t i = 0; i < model_.layers.size(); ++i) check_layer(i);
    if (model_.outputs_given) {
      for (const NamedFormula& output : model_.outputs) check(output.formula, {});
    }
    check_loss();
    for (const Metric& metric : description_.metrics) {
      check(names_in(metric.choice.args), {everywhere, true, true});
    }
    for (const Function& function : description_.functions) check_function(function);
    warn_unused();
  }

 private:
  void check_function(const Function& function) {
    const Allowed allowed{everywhere, true, true};
    check(function.inputs, allowed);
    for (const NamedFormula& output : function.outputs) check(output.formula, allowed);
    for (const NamedFormula& draw : function.draw) {
      for (const Name& name : names_in(*draw.formula.root)) {
        diagnostics_.error(name.span, "what is drawn depends on no value",
                           "normal(), uniform(0, 1) or bernoulli(0.5)", name.text);
      }
    }
  }

  bool is_field(const std::string& name) const {
    return description_.data && description_.data->field(name) != nullptr;
  }

  bool complete() const {
    return draft_.fields_complete && draft_.layers_complete && draft_.params_complete;
  }

  void check_inputs() {
    for (const Name& input : model_.inputs) {
      if (is_field(input.text) || !draft_.fields_complete) continue;
      if (!description_.data) {
        diagnostics_.error(input.span, "nothing describes the input " + in_quotes(input.text),
                           "data: with a source, or with fields and their shapes");
        continue;
      }
      std::vector<std::string> known;
      for (const Field& field : description_.data->fields) known.push_back(field.name.text);
      const auto near = nearest(input.text, known);
      diagnostics_.error(input.span,
                         "the data has no field " + in_quotes(input.text) +
                             (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                         known.empty() ? "" : join(known, "or"));
    }
  }

  void claim(std::map<std::string, SourceSpan>& taken, const std::string& name,
             const SourceSpan& span) {
    const auto [first, is_new] = taken.emplace(name, span);
    if (is_new) return;
    diagnostics_.error(
        span, "the name " + in_quotes(name) + " stands twice",
        "a name of its own; the first is on line " + std::to_string(first->second.line));
  }

  void check_duplicates() {
    std::map<std::string, SourceSpan> taken, seen_inputs;
    for (const Name& input : model_.inputs) claim(seen_inputs, input.text, input.span);
    if (description_.data) {
      for (const Field& field : description_.data->fields) {
        taken.emplace(field.name.text, field.name.span);
      }
    }
    for (const Name& input : model_.inputs) taken.emplace(input.text, input.span);
    for (const Parameter& p : model_.params) claim(taken, p.name.text, p.name.span);
    for (const Layer& layer : model_.layers) {
      if (layer.named) claim(taken, layer.name, layer.span);
    }
    for (const NamedFormula& output : model_.outputs) {
      // `mu: mu` shows a value under its own name.
      const bool same = output.formula.text == output.name.text;
      if (model_.outputs_given && !same) claim(taken, output.name.text, output.name.span);
    }
  }

  void check_layer(size_t i) {
    const Layer& layer = model_.layers[i];
    if (layer.from_given) check(layer.from, {i, false, false});
    check(names_in(layer.args), {i, false, false});
    if (layer.predict) check(*layer.predict, {i, false, false});
    if (!layer.share) return;
    check({*layer.share}, {i, false, false});
    const Layer* other = model_.layer(layer.share->text);
    if (other == nullptr &&
        (inputs_.count(layer.share->text) || params_.count(layer.share->text))) {
      diagnostics_.error(layer.share->span, in_quotes(layer.share->text) + " is not a layer",
                         "a layer, whose weights are shared");
    } else if (other != nullptr && other->kind.text != layer.kind.text) {
      diagnostics_.error(layer.share->span, "only layers of one kind can share weights",
                         "a layer of kind " + layer.kind.text,
                         "a layer of kind " + other->kind.text);
    }
  }

  void check_loss() {
    if (!description_.loss) return;
    const Allowed allowed{everywhere, true, true};
    std::vector<std::string> terms;
    for (const Term& term : description_.loss->terms) {
      terms.push_back(term.name.text);
      if (term.loss) check(names_in(term.loss->args), allowed);
      if (term.formula) check(*term.formula, allowed);
      if (term.weight) check(*term.weight, allowed);
    }
    if (!description_.loss->total || !draft_.terms_complete) return;
    check_terms_named(names_in(*description_.loss->total->root), terms, diagnostics_);
  }

  void check(const Formula& formula, const Allowed& allowed) {
    std::set<std::pair<int, int>> units;
    add_units(*formula.root, units);
    for (const Name& name : names_in(*formula.root)) {
      Allowed here = allowed;
      here.all_fields |= units.count({name.span.line, name.span.column}) > 0;
      check(name, here);
    }
  }

  // Where fields stand whose units are meant, not their values: inverse(value, field).
  static void add_units(const Expression& e, std::set<std::pair<int, int>>& places) {
    if (e.kind == Expression::Kind::call && e.text == "inverse" && e.operands.size() == 2)
      places.emplace(e.operands[1]->span.line, e.operands[1]->span.column);
    for (const ExpressionPtr& operand : e.operands) add_units(*operand, places);
    for (const NamedOperand& operand : e.named) add_units(*operand.value, places);
  }

  void check(const std::vector<Name>& names, const Allowed& allowed) {
    for (const Name& name : names) check(name, allowed);
  }

  void check(const Name& name, const Allowed& allowed) {
    const std::string head = model_.head_of(name.text);
    if (const auto found = positions_.find(head); found != positions_.end()) {
      return check_position(name, found->second, allowed);
    }
    if (inputs_.count(head) || params_.count(head)) return;
    if (allowed.outputs && outputs_.count(head)) return;
    if (is_field(head)) {
      if (allowed.all_fields) return;
      diagnostics_.error(name.span, in_quotes(head) + " is a field, but not an input of the model",
                         "a value of the model, or " + head + " under 'inputs'");
      return;
    }
    if (!complete() || (allowed.outputs && !draft_.outputs_complete)) return;
    unknown(name, head, allowed);
  }

  void check_position(const Name& name, size_t position, const Allowed& allowed) {
    const Layer& layer = model_.layers[position];
    if (!layer.named) {
      diagnostics_.error(name.span, "a layer without a name cannot be referenced",
                         "name: " + layer.name + " beside " + in_quotes(layer.kind.text) +
                             " on line " + std::to_string(layer.span.line));
    } else if (position == allowed.layers) {
      diagnostics_.error(name.span, in_quotes(layer.name) + " cannot take itself as input",
                         "a layer that stands above it");
    } else if (position > allowed.layers) {
      diagnostics_.error(
          name.span,
          in_quotes(layer.name) + " stands below, on line " + std::to_string(layer.span.line),
          "a layer that stands above: the graph has no cycles");
    }
  }

  void unknown(const Name& name, const std::string& head, const Allowed& allowed) {
    std::vector<std::string> known(inputs_.begin(), inputs_.end());
    known.insert(known.end(), params_.begin(), params_.end());
    for (const Layer& layer : model_.layers) {
      const bool is_inner = layer.name.find('.') != std::string::npos;
      if (layer.named && !is_inner && positions_.at(layer.name) < allowed.layers)
        known.push_back(layer.name);
    }
    if (allowed.all_fields && description_.data) {
      for (const Field& field : description_.data->fields) {
        if (!inputs_.count(field.name.text)) known.push_back(field.name.text);
      }
    }
    if (allowed.outputs && model_.outputs_given) {
      for (const std::string& output : outputs_) {
        if (std::find(known.begin(), known.end(), output) == known.end()) known.push_back(output);
      }
    }
    for (const Composite& composite : model_.composites) {
      if (composite.name != head || composite.outputs.empty()) continue;
      diagnostics_.error(name.span, in_quotes(head) + " has several values",
                         join(composite.outputs, "or"));
      return;
    }
    const auto near = nearest(head, known);
    diagnostics_.error(name.span,
                       "there is no value " + in_quotes(head) +
                           (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                       known.empty() ? "" : join(known, "or"));
  }

  void need(const std::vector<Name>& names) {
    for (const Name& name : names) {
      const auto found = positions_.find(model_.head_of(name.text));
      if (found != positions_.end()) needed_.insert(found->second);
    }
  }

  // The names that each output, loss and metric reads.
  void each_result(const std::function<void(const std::vector<Name>&)>& visit) const {
    for (const NamedFormula& output : model_.outputs) visit(names_in(*output.formula.root));
    for (const Function& function : description_.functions)
      for (const NamedFormula& output : function.outputs) visit(names_in(*output.formula.root));
    if (description_.loss) {
      for (const Term& term : description_.loss->terms) {
        if (term.loss) visit(names_in(term.loss->args));
        if (term.formula) visit(names_in(*term.formula->root));
        if (term.weight) visit(names_in(*term.weight->root));
      }
    }
    for (const Metric& metric : description_.metrics) visit(names_in(metric.choice.args));
  }

  void warn_unused() {
    if (draft_.has_errors || !draft_.layers_complete || diagnostics_.errors() > errors_before_)
      return;
    each_result([&](const std::vector<Name>& names) { need(names); });
    for (size_t i = model_.layers.size(); i-- > 0;) {
      const Layer& layer = model_.layers[i];
      if (!needed_.count(i)) {
        diagnostics_.warning(layer.span,
                             layer.kind.text +
                                 (layer.named ? " " + in_quotes(layer.name) : std::string()) +
                                 " is not used: no output, loss or metric needs it");
        continue;
      }
      need(layer.from);
      need(names_in(layer.args));
      if (layer.predict) need(names_in(*layer.predict->root));
      if (layer.share) need({*layer.share});
    }
    warn_unread();
  }

  // Inputs that nothing reads, not even a layer that is not used (which has its own warning).
  void warn_unread() {
    if (model_.layers.empty() && model_.outputs.empty()) return;  // an error of its own
    std::set<std::string> read;
    const auto note = [&](const std::vector<Name>& names) {
      for (const Name& name : names) read.insert(model_.head_of(name.text));
    };
    each_result(note);
    for (const Layer& layer : model_.layers) {
      if (layer.from.empty() && names_in(layer.args).empty()) return;  // lacks its `from`
      note(layer.from);
      note(names_in(layer.args));
      if (layer.predict) note(names_in(*layer.predict->root));
    }
    for (const Name& input : model_.inputs)
      if (read.count(input.text) == 0)
        diagnostics_.warning(input.span, "input " + in_quotes(input.text) + " is not used");
  }

  const Draft& draft_;
  const Description& description_;
  const Model& model_;
  Diagnostics& diagnostics_;
  int errors_before_;
  std::map<std::string, size_t> positions_;
  std::set<std::string> inputs_, params_, outputs_;
  std::set<size_t> needed_;
};

}  // namespace

void check_references(const Draft& draft, Diagnostics& diagnostics) {
  References(draft, diagnostics).run();
}

}  // namespace nnc::language
