// The operations over lanes: arithmetic, bits, compare, select, conversions.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/codegen/cpp_helpers.h"
#include "compiler/codegen/cpp_native.h"
#include "compiler/codegen/cpp_scalar.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

using kernel::Op;
using kernel::Scalar;
using kernel::Type;

namespace {

const std::vector<std::string>& argument_names() {
  static const std::vector<std::string> names = {"a", "b", "c"};
  return names;
}

const char* operator_of(Op op) {
  switch (op) {
    case Op::add: return "+";
    case Op::sub:
    case Op::neg: return "-";
    case Op::mul: return "*";
    case Op::div: return "/";
    default: return nullptr;
  }
}

std::string operator_expression(Op op, const std::vector<std::string>& texts) {
  const char* symbol = operator_of(op);
  if (texts.size() == 2) return fmt::format("{} {} {}", texts[0], symbol, texts[1]);
  return texts[0][0] == '-' ? fmt::format("-({})", texts[0]) : "-" + texts[0];
}

}  // namespace

std::string CppHelpers::operation_name(Op op, Type result) const {
  switch (op) {
    case Op::convert: return "to_" + cpp_name(result);
    case Op::bitcast: return "bits_to_" + cpp_name(result);
    case Op::abs: return "absolute";
    case Op::sqrt: return "square_root";
    case Op::floor: return "round_down";
    case Op::min: return "minimum";
    case Op::max: return "maximum";
    case Op::eq: return "equal";
    case Op::ne: return "not_equal";
    case Op::lt: return "less";
    case Op::le: return "less_equal";
    case Op::gt: return "greater";
    case Op::ge: return "greater_equal";
    default: return kernel::name_of(op);
  }
}

bool CppHelpers::is_operator(Op op, Type operand) const {
  return operand.is_float() && operator_of(op) != nullptr;
}

std::string CppHelpers::apply(Op op, Type result, const std::vector<CppValue>& arguments) {
  std::vector<std::string> texts;
  Types types;
  for (const CppValue& argument : arguments) {
    texts.push_back(argument.text);
    types.push_back(argument.type);
    type(argument.type);
  }
  type(result);
  const bool as_operator = is_operator(op, types[0]);
  if (result.lanes == 1 && types[0].lanes == 1) {
    if (as_operator) return operator_expression(op, texts);
    const std::string direct = scalar_expression(level_, op, result, types[0], texts);
    if (!direct.empty()) return direct;
  }
  if (!as_operator || form(result) != CppForm::native) need(op, result, types);
  if (as_operator) return operator_expression(op, texts);
  return fmt::format("{}({})", operation_name(op, result), fmt::join(texts, ", "));
}

void CppHelpers::need(Op op, Type result, const Types& types) {
  std::string name = operation_name(op, result);
  if (is_operator(op, types[0])) name = std::string("operator") + operator_of(op);
  std::string key = name;
  for (Type t : types) key += " " + cpp_name(t);
  once(key, [&] {
    const std::string from = parameters(types), to = type(result);
    return define(to, name, from, body(op, result, types));
  });
}

std::string CppHelpers::body(Op op, Type result, const Types& types) {
  if (result.lanes == 1 && types[0].lanes == 1) return scalar_body(op, result, types);
  if (op == Op::bitcast && (result.lanes != types[0].lanes || form(result) == CppForm::array)) {
    internal_check(result.scalar != Scalar::i1 && types[0].scalar != Scalar::i1,
                   "C++ text: a bitcast between masks and numbers");
    return fmt::format("{} r;\nstd::memcpy(&r, &a, sizeof r);\nreturn r;", cpp_name(result));
  }
  bool split = form(result) == CppForm::split;
  for (Type t : types) split = split || form(t) == CppForm::split;
  if (split) return split_body(op, result, types);
  if (form(result) == CppForm::array) {
    std::vector<CppValue> lanes;
    for (size_t i = 0; i < types.size(); ++i) {
      lanes.push_back({{types[i].scalar, 1}, argument_names()[i] + ".lane[i]"});
    }
    return fmt::format("{} r;\nfor (int i = 0; i < {}; ++i) r.lane[i] = {};\nreturn r;",
                       cpp_name(result), result.lanes, apply(op, {result.scalar, 1}, lanes));
  }
  const std::string native = CppNative(*this).body(op, result, types);
  return native.empty() ? lanewise(op, result, types) : native;
}

std::string CppHelpers::split_body(Op op, Type result, const Types& types) {
  std::string parts[2];
  for (const bool upper : {false, true}) {
    std::vector<CppValue> halves;
    for (size_t i = 0; i < types.size(); ++i) {
      halves.push_back({half_of(types[i]), half({types[i], argument_names()[i]}, upper)});
    }
    parts[upper] = apply(op, half_of(result), halves);
  }
  return "return " + join(result, parts[0], parts[1]) + ";";
}

std::string CppHelpers::lanewise(Op op, Type result, const Types& types) {
  std::vector<std::string> lanes;
  for (int lane = 0; lane < result.lanes; ++lane) {
    std::vector<CppValue> arguments;
    for (size_t i = 0; i < types.size(); ++i) {
      const CppValue vector{types[i], argument_names()[i]};
      arguments.push_back({{types[i].scalar, 1}, lane_text(vector, lane)});
    }
    lanes.push_back(apply(op, {result.scalar, 1}, arguments));
  }
  return "return " + build(result, lanes) + ";";
}

std::string CppHelpers::scalar_body(Op op, Type result, const Types& types) {
  return codegen::scalar_body(level_, op, result, types[0]);
}

}  // namespace nnc::codegen
