// The text form of kernel IR, for dumps: one instruction a line, result types always printed.
#include <charconv>
#include <map>
#include <set>

#include "compiler/kernel/kernel.h"

namespace nnc::kernel {

namespace {

std::string text_of(Type type) {
  std::string text = name_of(type.scalar);
  return type.lanes == 1 ? text : text + "x" + std::to_string(type.lanes);
}

// The shortest text that reads back as the same number of the type.
std::string text_of_number(Scalar scalar, double value) {
  char buffer[64];
  auto end = scalar == Scalar::f64
                 ? std::to_chars(buffer, buffer + sizeof buffer, value).ptr
                 : std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value)).ptr;
  return {buffer, end};
}

class Printer {
 public:
  explicit Printer(const Function& function) : function_(function) {
    std::set<std::string> seen;
    for (size_t i = 0; i < function.body.params.size(); ++i) {
      if (i < function.param_names.size() && seen.insert(function.param_names[i]).second) {
        names_[function.body.params[i].id] = "%" + function.param_names[i];
      }
    }
  }

  std::string run() {
    if (!function_.comment.empty()) text_ += "// " + function_.comment + "\n";
    text_ += function_.exported ? "export function @" : "function @";
    text_ += function_.name + "(";
    for (size_t i = 0; i < function_.body.params.size(); ++i) {
      if (i > 0) text_ += ", ";
      text_ += typed(function_.body.params[i]);
    }
    text_ += ") {\n";
    block(function_.body, 1);
    return text_ + "}\n";
  }

 private:
  std::string name(Value value) const {
    auto found = names_.find(value.id);
    return found != names_.end() ? found->second : "%" + std::to_string(value.id);
  }

  std::string typed(Value value) const { return name(value) + ": " + text_of(value.type); }

  std::string list(const std::vector<Value>& values, size_t from = 0) const {
    std::string text;
    for (size_t i = from; i < values.size(); ++i) text += (i > from ? ", " : "") + name(values[i]);
    return text;
  }

  std::string typed_list(const std::vector<Value>& values) const {
    std::string text;
    for (size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + typed(values[i]);
    return text;
  }

  void block(const Block& block, int depth) {
    for (const Instruction& instruction : block.instructions) {
      text_.append(2 * depth, ' ');
      if (!instruction.results.empty()) text_ += typed_list(instruction.results) + " = ";
      text_ += name_of(instruction.op);
      if (instruction.op == Op::loop) {
        loop(instruction, depth);
      } else if (instruction.op == Op::branch) {
        branch(instruction, depth);
      } else {
        plain(instruction);
      }
      text_ += '\n';
    }
    if (!block.yields.empty()) text_.append(2 * depth, ' ') += "yield " + list(block.yields) + "\n";
  }

  void nested(const Block& inner, int depth) {
    text_ += " {\n";
    block(inner, depth + 1);
    text_.append(2 * depth, ' ') += '}';
  }

  void loop(const Instruction& instruction, int depth) {
    const auto& operands = instruction.operands;
    const auto& params = instruction.body->params;
    text_ += " " + name(params[0]) + " from " + name(operands[0]) + " to " + name(operands[1]) +
             " step " + name(operands[2]);
    for (size_t i = 1; i < params.size(); ++i) {
      text_ += (i == 1 ? " carry " : ", ") + typed(params[i]) + " = " + name(operands[i + 2]);
    }
    nested(*instruction.body, depth);
  }

  void branch(const Instruction& instruction, int depth) {
    text_ += " " + name(instruction.operands[0]);
    nested(*instruction.body, depth);
    if (instruction.other) {
      text_ += " else";
      nested(*instruction.other, depth);
    }
  }

  void plain(const Instruction& instruction) {
    if (instruction.op == Op::constant) {
      text_ += " " + (instruction.type.is_float()
                          ? text_of_number(instruction.type.scalar, instruction.fimm)
                          : std::to_string(instruction.imm));
      return;
    }
    if (instruction.op == Op::call) {
      text_ += " @" + instruction.callee + "(" + list(instruction.operands) + ")";
      return;
    }
    if (!instruction.operands.empty()) text_ += " " + list(instruction.operands);
    if (instruction.op == Op::extract) text_ += " [" + std::to_string(instruction.imm) + "]";
    if (instruction.op == Op::shuffle) {
      text_ += " [";
      for (size_t i = 0; i < instruction.lane_map.size(); ++i) {
        text_ += (i > 0 ? " " : "") + std::to_string(instruction.lane_map[i]);
      }
      text_ += "]";
    }
  }

  const Function& function_;
  std::map<int, std::string> names_;  // parameters
  std::string text_;
};

}  // namespace

std::string print(const Function& function) { return Printer(function).run(); }

std::string print(const Module& module) {
  std::string text = "module " + module.name + "\n";
  for (const auto& function : module.functions) text += "\n" + print(*function);
  return text;
}

}  // namespace nnc::kernel
