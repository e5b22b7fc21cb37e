// One kernel function as one C++ function.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/codegen/cpp_helpers.h"
#include "compiler/codegen/cpp_liveness.h"
#include "compiler/kernel/kernel.h"

namespace nnc::codegen {

class CppFunctionPrinter {
 public:
  // `names`: the C++ name of every kernel function of the module.
  CppFunctionPrinter(CppHelpers& helpers, const kernel::Module& module,
                     const kernel::Function& function,
                     const std::map<std::string, std::string>& names)
      : helpers_(helpers), module_(module), function_(function), names_(names), live_(function) {}

  std::string print();

 private:
  // What stands for a value. Index arithmetic used once is written where it is used, so a value
  // may be an expression; `strength` says how tightly it binds.
  enum class Strength { sum, product, atom };
  struct Text {
    std::string text;
    Strength strength = Strength::atom;
  };

  std::string signature();
  void block(const kernel::Block& block);
  void instruction(const kernel::Instruction& instruction);
  void constant(const kernel::Instruction& instruction);
  bool index_arithmetic(const kernel::Instruction& instruction);
  bool simplify(const kernel::Instruction& instruction);
  bool same_as(kernel::Value result, kernel::Value other);
  void operation(const kernel::Instruction& instruction);
  void memory(const kernel::Instruction& instruction);
  void loop(const kernel::Instruction& instruction);
  void assign_carried(const kernel::Instruction& instruction);
  void branch(const kernel::Instruction& instruction);
  void arm(const kernel::Block& arm, const std::vector<kernel::Value>& results);
  void call(const kernel::Instruction& instruction);

  void line(const std::string& text);
  // `const T v7 = expression;`
  void define(kernel::Value value, const std::string& expression);
  void name(kernel::Value value, const std::string& wish);
  std::string index(kernel::Value value) const;  // bare: `4`, `i * 8 + j`
  std::string tight(kernel::Value value, Strength at_least) const;
  std::string argument(kernel::Value value) const;  // with its type: `i64{4}`
  CppValue value(kernel::Value value) const { return {value.type, argument(value)}; }
  CppValue shuffle_operand(kernel::Value operand) const;
  // What has to be known before the first line: yielded values, names that callees give.
  void look_ahead(const kernel::Block& block);

  CppHelpers& helpers_;
  const kernel::Module& module_;
  const kernel::Function& function_;
  const std::map<std::string, std::string>& names_;
  CppLiveness live_;
  std::map<int, Text> texts_;
  std::map<int, int64_t> integers_;  // integer constants
  std::set<int> indices_;            // i64 values made of counters, parameters and constants
  std::set<int> yielded_;
  std::map<int, std::string>
      wishes_;  // pointers are called what the function they go to calls them
  std::set<std::string> taken_;
  std::string out_;
  int indent_ = 2;
  int depth_ = 0;
};

}  // namespace nnc::codegen
