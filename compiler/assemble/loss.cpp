// Loss terms, the total that training minimises, and penalties on weights.
#include <algorithm>
#include "compiler/assemble/forward_builder.h"

#include "compiler/layers/losses.h"
#include "compiler/layers/rows.h"

namespace nnc::assemble {

// The names of the terms, and then everything else: what `total` may speak of.
class TermScope : public layers::Scope {
 public:
  explicit TermScope(ForwardBuilder& outer) : outer_(outer) {}
  layers::Operand find(const std::string& name, const SourceSpan& span) override {
    const auto term = outer_.terms_.find(name);
    if (term != outer_.terms_.end()) return {term->second, "loss term '" + name + "'"};
    return outer_.find(name, span);
  }

 private:
  ForwardBuilder& outer_;
};

namespace {

// [b] or [b, 1] -> [b]
ir::Value* one_number(ir::Builder& b, ir::Value* value, const std::string& what,
                      const SourceSpan& span) {
  const std::vector<int64_t> row = layers::row_shape(value);
  if (layers::elements(row) != 1 || row.size() > 1) {
    throw UserError(span, what + " must be one number per row",
                    "shape []; sum(…) or mean(…) make one number of many", layers::shape_text(row));
  }
  return layers::reshape_row(b, value, {});
}

}  // namespace

ir::Value* ForwardBuilder::build_term(const Term& term) {
  ir::Value* value = nullptr;
  if (term.loss) {
    const layers::LossDef* def = layers::find_loss(term.loss->kind);
    internal_check(def != nullptr, "loss " + term.loss->kind + " passed the schema");
    b_.set_span(term.loss->span);
    layers::CompareContext context{.b = b_,
                                   .dtype = dtype_,
                                   .kind = term.loss->kind,
                                   .span = term.loss->span,
                                   .args = term.loss->args,
                                   .pair = {},
                                   .scope = this};
    if (def->pair) {
      context.pair = layers::named_pair(term.loss->kind, term.loss->args, *this);
      check_units(context.pair);
      pairs_.push_back({&term, context.pair});
    }
    value = each_row(def->build(context));
  } else {
    value = each_row(formula(*term.formula, *this, "loss." + term.name.text));
    value = one_number(b_, value, "the loss term '" + term.name.text + "'", term.formula->span);
  }
  if (!term.weight) return value;
  ir::Value* weight = each_row(formula(*term.weight, *this, "loss." + term.name.text + ".weight"));
  return b_.mul(value, one_number(b_, weight, "a weight", term.weight->span));
}

// A formula of terms.
ir::Value* ForwardBuilder::per_row(const Formula& total, const std::string& what) {
  TermScope scope(*this);
  return one_number(b_, each_row(formula(total, scope, "loss")), what, total.span);
}

// What each row adds to the loss, or to what the phase minimises.
ir::Value* ForwardBuilder::build_total_per_row() {
  const Loss& loss = *description_.loss;
  if (entry_.phase != nullptr) return per_row(entry_.phase->minimize, "what a phase minimises");
  if (loss.total) return per_row(*loss.total, "the total");
  ir::Value* sum = nullptr;
  b_.set_span(loss.span);
  for (const Term& term : loss.terms) {
    ir::Value* value = terms_.at(term.name.text);
    sum = sum == nullptr ? value : b_.add(sum, value);
  }
  return sum;
}

// λ₁ Σ|w| + λ₂ Σw² over trained kernels; null if there is nothing to add.
ir::Value* ForwardBuilder::build_penalty() {
  ir::Value* total = nullptr;
  const auto add = [&](ir::Value* per_weight, double factor) {
    std::vector<int64_t> axes = layers::all_row_axes(per_weight);
    ir::Value* part = b_.mul(b_.sum(per_weight, axes), factor);
    total = total == nullptr ? part : b_.add(total, part);
  };
  for (const ParameterInfo& parameter : forward_.parameters) {
    if (!parameter.decays || !parameter.trainable) continue;
    const std::string layer = parameter.name.substr(0, parameter.name.rfind('.'));
    const auto own = penalties_.find(layer);
    if (own == penalties_.end() && !description_.loss->penalty) continue;
    const Penalty& penalty = own != penalties_.end() ? own->second : *description_.loss->penalty;
    b_.set_span(penalty.span);
    if (penalty.l1 > 0) add(b_.unary("abs", parameter.value), penalty.l1);
    if (penalty.l2 > 0) add(b_.mul(parameter.value, parameter.value), penalty.l2);
  }
  return total;
}

// The values of terms and total that the entry writes for people to see.
void ForwardBuilder::report_terms(ir::Value* per_row, ir::Value* penalty) {
  const Loss& loss = *description_.loss;
  ir::Graph& graph = *forward_.graph;
  for (const Term& term : loss.terms) {
    const std::string& name = term.name.text;
    forward_.loss_terms.push_back(name);
    const auto& mine = entry_.reports;
    const bool reports =
        mode_ != Mode::train || std::find(mine.begin(), mine.end(), name) != mine.end();
    if (reports) graph.add_output("loss." + name, terms_.at(name));
  }
  if (penalty != nullptr) {
    if (terms_.count("penalty") > 0) {
      throw UserError(loss.span, "the penalty on weights is a term called 'penalty' already",
                      "another name for the term 'penalty'");
    }
    forward_.loss_terms.push_back("penalty");
    if (entry_.phase == nullptr) graph.add_output("loss.penalty", penalty);
  }
  if (!loss.total || entry_.phase != nullptr) return;
  graph.add_output("loss", penalty == nullptr ? per_row : b_.add(per_row, penalty));
}

void ForwardBuilder::build_loss() {
  const Loss& loss = *description_.loss;
  bool complete = true;
  for (const Term& term : loss.terms) {
    const bool good = attempt([&] { terms_[term.name.text] = build_term(term); });
    complete = complete && good;
  }
  if (!complete) return;
  attempt([&] {
    ir::Value* per_row = build_total_per_row();
    ir::Value* penalty = build_penalty();
    report_terms(per_row, penalty);
    if (mode_ == Mode::train && description_.train) add_total(per_row, penalty);
  });
}

void ForwardBuilder::add_total(ir::Value* per_row, ir::Value* penalty) {
  b_.set_span(description_.loss->span);
  ir::Value* total = b_.sum(per_row, {0});
  if (description_.loss->rows == Rows::mean) {
    ir::Value* inverse_rows = forward_.graph->add_param(ir::ParamKind::scalar, "inverse_rows",
                                                        ir::Type{dtype_, {}}, "inverse_rows");
    total = b_.mul(total, inverse_rows);
  }
  if (penalty != nullptr) total = b_.add(total, penalty);
  forward_.graph->add_output("total", total);
}

}  // namespace nnc::assemble
