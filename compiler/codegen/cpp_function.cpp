#include "compiler/codegen/cpp_function.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"

namespace nnc::codegen {

using kernel::Block;
using kernel::Instruction;
using kernel::Op;
using kernel::Scalar;
using kernel::Type;
using kernel::Value;

namespace {

constexpr Type index_type{Scalar::i64, 1};

// Kernels with more instructions or deeper loops stay functions of their own: GCC would put all
// that are called once into their caller, a whole network into one function, unroll what it then
// knows of their loops, and run out of registers.
constexpr size_t most_instructions = 300, deepest_loops = 3;

struct Size {
  size_t instructions = 0, depth = 0;
  bool small() const { return instructions <= most_instructions && depth <= deepest_loops; }
};

Size size_of(const Block& block) {
  Size size{block.instructions.size(), 0};
  for (const Instruction& instruction : block.instructions)
    for (const Block* inner : {instruction.body.get(), instruction.other.get()}) {
      if (!inner) continue;
      const Size found = size_of(*inner);
      size.instructions += found.instructions;
      size.depth = std::max(size.depth, found.depth + (instruction.op == Op::loop ? 1 : 0));
    }
  return size;
}

}  // namespace

std::string CppFunctionPrinter::print() {
  look_ahead(function_.body);
  const std::string head = cpp_comment(function_.comment) + signature() + "\n";
  block(function_.body);
  return head + out_ + "}\n";
}

std::string CppFunctionPrinter::signature() {
  std::vector<std::string> params;
  for (size_t i = 0; i < function_.body.params.size(); ++i) {
    const Value param = function_.body.params[i];
    name(param, cpp_identifier(function_.param_names[i]));
    if (param.type == index_type) indices_.insert(param.id);
    const std::string& text = texts_[param.id].text;
    params.push_back(helpers_.type(param.type) +
                     (live_.needed(param) ? " " + text : " /*" + text + "*/"));
  }
  const bool apart = is_vector_text(helpers_.level()) && !size_of(function_.body).small();
  return wrap_cpp(fmt::format("{}inline void {}({}) noexcept {{", apart ? "[[gnu::noinline]] " : "",
                              names_.at(function_.name), fmt::join(params, ", ")),
                  0);
}

void CppFunctionPrinter::look_ahead(const Block& block) {
  for (Value value : block.yields) yielded_.insert(value.id);
  for (const Instruction& instruction : block.instructions) {
    if (instruction.body) look_ahead(*instruction.body);
    if (instruction.other) look_ahead(*instruction.other);
    if (instruction.op != Op::call) continue;
    const auto& names = module_.find(instruction.callee)->param_names;
    for (size_t i = 0; i < names.size(); ++i) {
      const Value argument = instruction.operands[i];
      if (argument.type.scalar == Scalar::ptr)
        wishes_.emplace(argument.id, cpp_identifier(names[i]));
    }
  }
}

void CppFunctionPrinter::line(const std::string& text) {
  out_ += wrap_cpp(std::string(static_cast<size_t>(indent_), ' ') + text, indent_) + "\n";
}

void CppFunctionPrinter::name(Value value, const std::string& wish) {
  std::string result = wish;
  if (!taken_.insert(result).second) {
    result = fmt::format("{}_{}", wish, value.id);
    taken_.insert(result);
  }
  texts_[value.id] = {result};
}

void CppFunctionPrinter::define(Value value, const std::string& expression) {
  const auto wish = wishes_.find(value.id);
  name(value, wish == wishes_.end() ? fmt::format("v{}", value.id) : wish->second);
  line(fmt::format("const {} {} = {};", helpers_.type(value.type), texts_[value.id].text,
                   expression));
}

std::string CppFunctionPrinter::index(Value value) const {
  const auto constant = integers_.find(value.id);
  if (constant != integers_.end()) return cpp_integer(value.type.scalar, constant->second);
  return texts_.at(value.id).text;
}

std::string CppFunctionPrinter::tight(Value value, Strength at_least) const {
  const auto constant = integers_.find(value.id);
  if (constant != integers_.end()) {
    const std::string text = index(value);
    return text[0] == '-' ? "(" + text + ")" : text;
  }
  const Text& text = texts_.at(value.id);
  return text.strength < at_least ? "(" + text.text + ")" : text.text;
}

std::string CppFunctionPrinter::argument(Value value) const {
  const auto constant = integers_.find(value.id);
  if (constant == integers_.end()) return tight(value, Strength::atom);
  const std::string text = index(value);
  return value.type.scalar == Scalar::i64 ? "i64{" + text + "}" : text;
}

// An operand that no lane comes from was not printed.
CppValue CppFunctionPrinter::shuffle_operand(Value operand) const {
  return live_.needed(operand) ? value(operand) : CppValue{operand.type, ""};
}

void CppFunctionPrinter::block(const Block& block) {
  for (const Instruction& item : block.instructions) {
    if (live_.needed(item)) instruction(item);
  }
}

void CppFunctionPrinter::instruction(const Instruction& item) {
  const auto& in = item.operands;
  switch (item.op) {
    case Op::constant: return constant(item);
    case Op::splat:
      if (in[0].type == item.type) return define(item.results[0], argument(in[0]));
      return define(item.results[0], helpers_.splat(item.type, argument(in[0])));
    case Op::iota: return define(item.results[0], helpers_.iota(item.type));
    case Op::extract:
      return define(item.results[0], helpers_.lane(value(in[0]), static_cast<int>(item.imm)));
    case Op::shuffle:
      return define(item.results[0], helpers_.shuffle(item.type, shuffle_operand(in[0]),
                                                      shuffle_operand(in[1]), item.lane_map));
    case Op::load:
    case Op::store:
    case Op::gather:
    case Op::offset:
    case Op::prefetch: return memory(item);
    case Op::loop: return loop(item);
    case Op::branch: return branch(item);
    case Op::call: return call(item);
    case Op::barrier: return;
    default:
      if (!index_arithmetic(item)) operation(item);
  }
}

void CppFunctionPrinter::constant(const Instruction& item) {
  const Value result = item.results[0];
  const Scalar scalar = item.type.scalar;
  if (item.type.lanes == 1 && !item.type.is_float()) {
    integers_[result.id] = item.imm;
    if (item.type == index_type) indices_.insert(result.id);
    return;
  }
  const std::string literal =
      item.type.is_float() ? cpp_float(scalar, item.fimm) : cpp_integer(scalar, item.imm);
  helpers_.type(item.type);
  texts_[result.id] = {item.type.lanes == 1 ? literal : helpers_.splat(item.type, literal)};
}

void CppFunctionPrinter::operation(const Instruction& item) {
  const auto constant = integers_.find(item.operands[0].id);
  const bool fits = constant != integers_.end() && constant->second >= INT32_MIN &&
                    constant->second <= INT32_MAX && item.operands[0].type.lanes == 1;
  if (fits && item.op == Op::convert &&
      (item.type.scalar == Scalar::i32 || item.type.scalar == Scalar::i64)) {
    integers_[item.results[0].id] = constant->second;
    if (item.type == index_type) indices_.insert(item.results[0].id);
    return;
  }
  const bool widens = item.op == Op::convert && item.type == index_type &&
                      bytes_of(item.operands[0].type) < 8 && !item.operands[0].type.is_float();
  if (widens) indices_.insert(item.results[0].id);  // a row number that was stored as i32
  std::vector<CppValue> arguments;
  for (Value operand : item.operands) arguments.push_back(value(operand));
  define(item.results[0], helpers_.apply(item.op, item.type, arguments));
}

void CppFunctionPrinter::memory(const Instruction& item) {
  const auto& in = item.operands;
  const size_t masked_size = item.op == Op::store ? 4 : 3;
  const bool masked = in.size() == masked_size;
  const CppValue mask = masked ? value(in.back()) : CppValue{};
  const CppValue* mask_or_none = masked ? &mask : nullptr;
  switch (item.op) {
    case Op::load:
      return define(item.results[0],
                    helpers_.load(item.type, argument(in[0]), index(in[1]), mask_or_none));
    case Op::gather:
      return define(item.results[0],
                    helpers_.gather(item.type, argument(in[0]), value(in[1]), mask_or_none));
    case Op::store:
      return line(helpers_.store(value(in[0]), argument(in[1]), index(in[2]), mask_or_none) + ";");
    case Op::offset:
      if (integers_.count(in[1].id) && integers_.at(in[1].id) == 0 &&
          !yielded_.count(item.results[0].id)) {
        same_as(item.results[0], in[0]);
        return;
      }
      return define(item.results[0], argument(in[0]) + " + " + tight(in[1], Strength::sum));
    default: return line(helpers_.prefetch(argument(in[0]), index(in[1])) + ";");
  }
}

void CppFunctionPrinter::call(const Instruction& item) {
  std::vector<std::string> arguments;
  for (Value operand : item.operands) arguments.push_back(index(operand));
  line(fmt::format("{}({});", names_.at(item.callee), fmt::join(arguments, ", ")));
}

void CppFunctionPrinter::loop(const Instruction& item) {
  const Block& body = *item.body;
  for (size_t i = 1; i < body.params.size(); ++i) {
    const Value carried = body.params[i];
    if (!live_.needed(carried)) continue;
    name(carried, fmt::format("c{}", carried.id));
    line(fmt::format("{} {} = {};", helpers_.type(carried.type), texts_[carried.id].text,
                     argument(item.operands[i + 2])));
    texts_[item.results[i - 1].id] = texts_[carried.id];
  }
  const Value counter = body.params[0];
  static const char* const counters[] = {"i", "j", "k", "l", "m", "n"};
  const std::string wish = depth_ < 6 ? counters[depth_] : fmt::format("i{}", counter.id);
  name(counter, wish);
  const std::string i = texts_[counter.id].text;
  if (counter.type == index_type) indices_.insert(counter.id);
  const std::string step = index(item.operands[2]);
  line(fmt::format("for ({0} {1} = {2}; {1} < {3}; {4}) {{", helpers_.type(counter.type), i,
                   index(item.operands[0]), index(item.operands[1]),
                   step == "1" ? "++" + i : i + " += " + step));
  indent_ += 2;
  ++depth_;
  block(body);
  assign_carried(item);
  --depth_;
  indent_ -= 2;
  line("}");
  taken_.erase(i);  // the next loop may use the name again
}

// The carried values change all at once: a new value that is another carried value's old one is
// copied first.
void CppFunctionPrinter::assign_carried(const Instruction& item) {
  const Block& body = *item.body;
  std::set<int> carried;
  for (size_t i = 1; i < body.params.size(); ++i) carried.insert(body.params[i].id);
  std::vector<std::string> next;
  for (size_t i = 0; i < body.yields.size(); ++i) {
    const Value value = body.yields[i], target = body.params[i + 1];
    if (!live_.needed(target)) {
      next.emplace_back();
    } else if (value.id != target.id && carried.count(value.id)) {
      next.push_back("next_" + texts_[target.id].text);
      line(fmt::format("const {} {} = {};", helpers_.type(value.type), next.back(),
                       argument(value)));
    } else {
      next.push_back(argument(value));
    }
  }
  for (size_t i = 0; i < next.size(); ++i) {
    const std::string& target = texts_[body.params[i + 1].id].text;
    if (!next[i].empty() && next[i] != target) line(fmt::format("{} = {};", target, next[i]));
  }
}

void CppFunctionPrinter::branch(const Instruction& item) {
  for (Value result : item.results) {
    if (!live_.needed(result)) continue;
    name(result, fmt::format("v{}", result.id));
    line(fmt::format("{} {};", helpers_.type(result.type), texts_[result.id].text));
  }
  line(fmt::format("if ({}) {{", argument(item.operands[0])));
  arm(*item.body, item.results);
  if (item.other) {
    line("} else {");
    arm(*item.other, item.results);
  }
  line("}");
}

void CppFunctionPrinter::arm(const Block& arm, const std::vector<Value>& results) {
  indent_ += 2;
  block(arm);
  for (size_t i = 0; i < results.size(); ++i) {
    if (!live_.needed(results[i])) continue;
    line(fmt::format("{} = {};", texts_[results[i].id].text, argument(arm.yields[i])));
  }
  indent_ -= 2;
}

}  // namespace nnc::codegen
