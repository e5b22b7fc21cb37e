// The inline helpers of emitted C++: vector types and their operations at one level. The printer
// asks for operations; what it asked for, and only that, is printed in front of the functions.
//
// An operation on types wider than a register is two operations on halves; at level plain it is a
// loop over an array; otherwise it is an intrinsic, an operator of the compiler's vector
// extension, or, where neither exists, one scalar operation per lane.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/codegen/cpp_types.h"
#include "compiler/kernel/kernel.h"

namespace nnc::codegen {

// An argument of an operation: its type and the text that stands for it (a name or a literal).
struct CppValue {
  kernel::Type type;
  std::string text;
};

class CppHelpers {
 public:
  explicit CppHelpers(CppLevel level) : level_(level) {}
  CppLevel level() const { return level_; }

  // Name of a type; its definition is printed with the helpers.
  std::string type(kernel::Type type);
  // The expression for an operation over lanes (arithmetic, bits, compare, select, convert,
  // bitcast, muladd …), with the helpers it needs.
  std::string apply(kernel::Op op, kernel::Type result, const std::vector<CppValue>& arguments);
  std::string splat(kernel::Type type, const std::string& scalar);
  std::string iota(kernel::Type type);
  std::string lane(const CppValue& vector, int lane);
  std::string shuffle(kernel::Type result, const CppValue& a, const CppValue& b,
                      const std::vector<int>& lane_map);
  // Memory: `mask` may be null.
  std::string load(kernel::Type type, const std::string& pointer, const std::string& index,
                   const CppValue* mask);
  std::string store(const CppValue& value, const std::string& pointer, const std::string& index,
                    const CppValue* mask);
  std::string gather(kernel::Type type, const std::string& pointer, const CppValue& indices,
                     const CppValue* mask);
  std::string prefetch(const std::string& pointer, const std::string& offset);

  // Everything asked for, in an order in which it compiles.
  std::string text() const;

 private:
  friend class CppNative;
  using Types = std::vector<kernel::Type>;

  CppForm form(kernel::Type type) const { return form_of(level_, type); }
  // Registers a helper once; `write` returns its text and may register what it needs first.
  void once(const std::string& key, const std::function<std::string()>& write);
  // "[[gnu::always_inline]] inline R name(T a, …) {\n  body\n}"
  std::string define(const std::string& result, const std::string& name,
                     const std::string& parameters, const std::string& body) const;
  std::string parameters(const Types& types);
  std::string unsigned_twin(kernel::Type type);  // u32x16 for i32x16

  std::string operation_name(kernel::Op op, kernel::Type result) const;
  bool is_operator(kernel::Op op, kernel::Type operand) const;
  void need(kernel::Op op, kernel::Type result, const Types& operands);
  std::string body(kernel::Op op, kernel::Type result, const Types& operands);
  std::string split_body(kernel::Op op, kernel::Type result, const Types& operands);
  std::string lanewise(kernel::Op op, kernel::Type result, const Types& operands);
  std::string scalar_body(kernel::Op op, kernel::Type result, const Types& operands);

  std::string half(const CppValue& value, bool upper);  // of any vector
  std::string join(kernel::Type type, const std::string& lower, const std::string& upper);
  std::string lane_text(const CppValue& vector, int lane);  // native: no helper call
  // One lane of a register as it is stored, and a register made of such lanes: masks as integers.
  // Compilers make one permutation of a list of lanes of one or two registers.
  std::string register_lane(const CppValue& vector, int lane) const;
  std::string assemble(kernel::Type type, const std::vector<std::string>& lanes);
  // A vector made of one text per lane (native form).
  std::string build(kernel::Type type, const std::vector<std::string>& lanes);
  std::string literal(kernel::Type type, int first);  // first, first + 1, …

  std::string load_body(kernel::Type type, bool masked);
  std::string store_body(kernel::Type type, bool masked);
  std::string gather_body(kernel::Type type, bool masked);
  std::string shuffle_call(kernel::Type result, const std::vector<CppValue>& sources,
                           const std::vector<int>& lane_map);
  std::string shuffle_body(kernel::Type result, const Types& sources,
                           const std::vector<int>& lane_map);
  std::string shuffle_pieces(kernel::Type result, const Types& sources,
                             const std::vector<int>& lane_map);

  CppLevel level_;
  std::set<std::string> keys_;
  std::vector<std::string> types_;    // definitions of types
  std::vector<std::string> helpers_;  // definitions of functions
  std::map<std::string, int> shuffles_;
};

}  // namespace nnc::codegen
