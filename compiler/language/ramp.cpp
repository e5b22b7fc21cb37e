#include "compiler/language/ramp.h"

#include "compiler/language/describe.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

using namespace schema;

ExpressionPtr number_at(double number, const SourceSpan& span) {
  Expression e;
  e.kind = Expression::Kind::number;
  e.number = std::abs(number);
  e.span = span;
  auto magnitude = std::make_shared<const Expression>(std::move(e));
  if (number >= 0) return magnitude;
  Expression minus;
  minus.kind = Expression::Kind::unary;
  minus.text = "-";
  minus.span = span;
  minus.operands = {std::move(magnitude)};
  return std::make_shared<const Expression>(std::move(minus));
}

}  // namespace

Type ramp_type() {
  return record(
      {Key("from", number(), "the number at the first step").required(),
       Key("to", number(), "the number at the end, and in every evaluation").required(),
       Key("epochs", number().above(0), "how long it takes"),
       Key("steps", integer().at_least(1), "how many batches it takes, instead of epochs")});
}

std::optional<Ramp> ramp_of(const MapValue& map, const SourceSpan& span, Diagnostics& diagnostics) {
  const Value* from = get(map, "from");
  const Value* to = get(map, "to");
  const Value* epochs = get(map, "epochs");
  const Value* steps = get(map, "steps");
  if (from == nullptr || to == nullptr) return std::nullopt;  // reported
  if (stands(map, "epochs") == stands(map, "steps")) {
    diagnostics.error(span, "a ramp has one length", "epochs: 10 or steps: 1000",
                      epochs == nullptr ? "none" : "both");
    return std::nullopt;
  }
  if (epochs == nullptr && steps == nullptr) return std::nullopt;
  const double length = epochs != nullptr ? epochs->number() : steps->number();
  return Ramp{from->number(), to->number(), length, steps != nullptr};
}

const YamlNode* ramp_node(const YamlNode& node) {
  return node.is_map() && node.entries.size() == 1 ? node.find("ramp") : nullptr;
}

ExpressionPtr ramp_call(const Ramp& ramp, const SourceSpan& span) {
  Expression e;
  e.kind = Expression::Kind::call;
  e.text = "ramp";
  e.span = span;
  e.operands = {number_at(ramp.from, span), number_at(ramp.to, span)};
  e.named = {{ramp.steps ? "steps" : "epochs", span, number_at(ramp.length, span)}};
  return std::make_shared<const Expression>(std::move(e));
}

std::string ramp_text(const Ramp& ramp) {
  return "{ramp: {from: " + number_text(ramp.from) + ", to: " + number_text(ramp.to) + ", " +
         (ramp.steps ? "steps: " : "epochs: ") + number_text(ramp.length) + "}}";
}

}  // namespace nnc::language
