// The Kullback-Leibler divergence between two named distributions of one kind.
#include "compiler/layers/activations.h"
#include "compiler/layers/loss_parts.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"

namespace nnc::layers {

namespace {

using schema::Entry;
using schema::Key;
using schema::Type;

// {normal: {mean: mu, log_variance: logvar}}: its word and the values that stand in it.
struct Distribution {
  std::string kind;
  SourceSpan span;
  std::vector<std::pair<std::string, ir::Value*>> values;
  std::vector<SourceSpan> spans;

  ir::Value* find(const std::string& name) const {
    for (const auto& [key, value] : values) {
      if (key == name) return value;
    }
    return nullptr;
  }
};

ir::Value* number_of(const CompareContext& context, const Name& name) {
  const Operand operand = context.scope->find(name.text, name.span);
  if (operand.classes > 0) {
    throw UserError(name.span, "a distribution is described by numbers, but this is an index",
                    "a value of the model", operand.origin);
  }
  return context.b.cast(operand.value, context.dtype);
}

Distribution read(const CompareContext& context, const std::string& key) {
  const Value& given = context.args.at(key);
  Distribution result;
  result.span = given.span;
  if (!given.is_map()) {
    result.kind = "normal";  // standard_normal: no values
    return result;
  }
  const MapValue& map = given.map();
  if (map.size() != 1) {
    throw UserError(given.span, "'" + key + "' is one distribution",
                    "{normal: …}, {bernoulli: …} or {categorical: …}",
                    std::to_string(map.size()) + " of them");
  }
  result.kind = map[0].first.text;
  result.span = map[0].first.span;
  for (const auto& [name, value] : map[0].second.map()) {
    result.values.emplace_back(name.text, number_of(context, value.reference()));
    result.spans.push_back(value.span);
  }
  return result;
}

// Exactly one of the two ways to say it.
void one_of_two(const Distribution& d, const std::string& a, const std::string& b) {
  if ((d.find(a) == nullptr) != (d.find(b) == nullptr)) return;
  throw UserError(d.span, "'" + d.kind + "' needs one of " + a + " and " + b, "",
                  d.find(a) == nullptr ? "none of them" : "both");
}

// log σ²; null for the standard normal distribution.
ir::Value* log_variance(ir::Builder& b, const Distribution& d) {
  if (d.values.empty()) return nullptr;
  one_of_two(d, "log_variance", "deviation");
  if (ir::Value* logarithm = d.find("log_variance")) return logarithm;
  return b.mul(b.unary("log", d.find("deviation")), 2);
}

// ½ (exp(d) - 1 - d + (μ₁ - μ₂)²/σ₂²) with d = log σ₁²/σ₂², for each element.
ir::Value* of_normal(ir::Builder& b, const Distribution& from, const Distribution& to) {
  if (from.values.empty()) {
    throw UserError(from.span, "'from' is what the model makes, not a fixed distribution",
                    "{normal: {mean: mu, log_variance: logvar}}");
  }
  ir::Value* d = log_variance(b, from);
  ir::Value* distance = from.find("mean");
  ir::Value* width = log_variance(b, to);
  if (width != nullptr) {
    distance = row_binary(b, "sub", distance, to.find("mean"));
    d = row_binary(b, "sub", d, width);
  }
  ir::Value* square = b.mul(distance, distance);
  if (width != nullptr) square = row_binary(b, "mul", square, b.unary("exp", b.neg(width)));
  return b.mul(row_binary(b, "add", b.sub(b.unary("expm1", d), d), square), 0.5);
}

// p·(log p - log q), and 0 where p is 0.
ir::Value* share(ir::Builder& b, ir::Value* p, ir::Value* log_p, ir::Value* log_q) {
  ir::Value* zero = b.constant_like(0, p);
  ir::Value* nothing = b.compare("eq", p, zero);
  ir::Value* gap = b.select(nothing, zero, row_binary(b, "sub", log_p, log_q));
  return b.mul(p, gap);
}

struct Logs {
  ir::Value* p;
  ir::Value* log_p;
};

Logs chances(ir::Builder& b, const Distribution& d) {
  one_of_two(d, "logits", "probability");
  if (ir::Value* p = d.find("probability")) return {p, b.unary("log", p)};
  ir::Value* x = d.find("logits");
  return {b.unary("sigmoid", x), b.neg(b.unary("softplus", b.neg(x)))};
}

Logs other_chances(ir::Builder& b, const Distribution& d) {
  if (ir::Value* p = d.find("probability")) {
    ir::Value* q = b.sub(b.constant_like(1, p), p);
    return {q, b.unary("log", q)};
  }
  ir::Value* x = d.find("logits");
  return {b.unary("sigmoid", b.neg(x)), b.neg(b.unary("softplus", x))};
}

ir::Value* of_bernoulli(ir::Builder& b, const Distribution& from, const Distribution& to) {
  const Logs p = chances(b, from), q = chances(b, to);
  const Logs not_p = other_chances(b, from), not_q = other_chances(b, to);
  return b.add(share(b, p.p, p.log_p, q.log_p), share(b, not_p.p, not_p.log_p, not_q.log_p));
}

Logs shares_of(ir::Builder& b, const Distribution& d) {
  one_of_two(d, "logits", "probability");
  ir::Value* p = d.find("probability");
  ir::Value* x = p != nullptr ? p : d.find("logits");
  if (row_shape(x).empty()) {
    throw UserError(d.spans[0], "a categorical distribution has one number for each class",
                    "a row of shape […, C]", "a single number per row");
  }
  if (p != nullptr) return {p, b.unary("log", p)};
  const int64_t axis = x->type.rank() - 1;
  ir::Value* log_p = log_softmax(b, x, axis);
  return {b.unary("exp", log_p), log_p};
}

ir::Value* of_categorical(ir::Builder& b, const Distribution& from, const Distribution& to) {
  const Logs p = shares_of(b, from), q = shares_of(b, to);
  ir::Value* each = share(b, p.p, p.log_p, q.log_p);
  return b.sum(each, {each->type.rank() - 1});
}

// All values of both sides have one shape, so that elements can be told apart.
void check_shapes(const Distribution& from, const Distribution& to) {
  const std::vector<int64_t> row = row_shape(from.values.at(0).second);
  for (const Distribution* side : {&from, &to}) {
    for (size_t i = 0; i < side->values.size(); ++i) {
      if (row_shape(side->values[i].second) == row) continue;
      throw UserError(side->spans[i], "the values of the two distributions have different shapes",
                      shape_text(row) + ", as '" + from.values[0].first + "' of 'from' has",
                      shape_text(row_shape(side->values[i].second)));
    }
  }
}

ir::Value* divergence(const CompareContext& context) {
  ir::Builder& b = context.b;
  const Distribution from = read(context, "from"), to = read(context, "to");
  if (from.kind != to.kind) {
    throw UserError(to.span, "the two distributions are of different kinds", from.kind, to.kind);
  }
  if (!from.values.empty()) check_shapes(from, to);
  ir::Value* each = from.kind == "normal"      ? of_normal(b, from, to)
                    : from.kind == "bernoulli" ? of_bernoulli(b, from, to)
                                               : of_categorical(b, from, to);
  return fold_elements(context, each);
}

Type distribution() {
  const Type chances = schema::record(
      {Key("probability", schema::reference(), "the value that holds probabilities"),
       Key("logits", schema::reference(), "the value before sigmoid or softmax, instead")});
  return schema::record(
      {Key("normal",
           schema::record(
               {Key("mean", schema::reference(), "the value that holds μ").required(),
                Key("log_variance", schema::reference(), "the value that holds log σ²"),
                Key("deviation", schema::reference(), "the value that holds σ > 0, instead")}),
           "each element by itself"),
       Key("bernoulli", chances, "each element a yes or no by itself"),
       Key("categorical", chances, "the last axis holds the classes")});
}

}  // namespace

std::vector<LossDef> divergence_losses() {
  return {
      {Entry{
           .name = "kl_divergence",
           .doc = "Kullback-Leibler divergence ∫ p log(p/q) from p = `from` to q = `to`, two "
                  "distributions of one kind: normal (each element by itself; `to` may be "
                  "standard_normal), bernoulli (each element), categorical (the last axis "
                  "holds the classes). By default the sum over the elements of a row.",
           .source = "Kingma, Welling, Auto-encoding variational Bayes, ICLR 2014, appendix B",
           .example = "loss: {terms: {kl: {kl_divergence: {from: {normal: {mean: mu, "
                      "log_variance: logvar}}, to: standard_normal}}}}",
           .keys = {Key("from", distribution(), "p").required(),
                    Key("to", schema::one_of({schema::choice({"standard_normal"}), distribution()}),
                        "q")
                        .required(),
                    elements_key("sum")}},
       divergence,
       {},
       false}};
}

}  // namespace nnc::layers
