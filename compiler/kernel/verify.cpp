// The rules of kernel IR. Everything that a printer relies on is checked here, once.
#include <set>

#include "compiler/kernel/kernel.h"
#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

namespace {

constexpr Type i64_type{Scalar::i64, 1};
constexpr Type pointer_type{Scalar::ptr, 1};

bool is_bits(Type type) { return !type.is_float() && type.scalar != Scalar::ptr; }
bool is_integer(Type type) { return is_bits(type) && type.scalar != Scalar::i1; }
bool is_compare(Op op) { return op >= Op::eq && op <= Op::ge; }
int bits_of(Type type) {
  return (type.scalar == Scalar::i1 ? 1 : 8 * bytes_of(type.scalar)) * type.lanes;
}

class Verifier {
 public:
  Verifier(const Module& module, const Function& function, const std::set<std::string>& callable)
      : module_(module), function_(function), callable_(callable) {}

  void run() {
    check(function_.param_names.size() == function_.body.params.size(), "parameter names");
    check(function_.body.yields.empty(), "a function yields nothing");
    defined_.assign(function_.next_id, false);
    block(function_.body);
  }

 private:
  void check(bool condition, const char* message) {
    if (condition) return;
    std::string where = "kernel " + function_.name;
    if (current_) where += std::string(": ") + name_of(current_->op);
    throw InternalError("internal error: " + where + ": " + message);
  }

  void define(Value value) {
    check(value.id >= 0 && value.id < function_.next_id, "a value without a number");
    check(!defined_[value.id], "a value is defined twice");
    check(value.type.lanes >= 1 && (value.type.lanes & (value.type.lanes - 1)) == 0,
          "lanes are a power of two");
    check(value.type.scalar != Scalar::ptr || value.type.lanes == 1, "a vector of pointers");
    defined_[value.id] = true;
    scope_.push_back(value);
  }

  void use(Value value) {
    check(value.id >= 0 && value.id < function_.next_id && defined_[value.id],
          "a value is used before or outside of its definition");
  }

  // Values of a block are gone when it ends.
  void block(const Block& block) {
    const size_t outside = scope_.size();
    for (Value param : block.params) define(param);
    for (const Instruction& instruction : block.instructions) {
      current_ = &instruction;
      for (Value operand : instruction.operands) use(operand);
      rules(instruction);
      current_ = &instruction;
      for (Value result : instruction.results) define(result);
    }
    for (Value value : block.yields) use(value);
    for (size_t i = outside; i < scope_.size(); ++i) defined_[scope_[i].id] = false;
    scope_.resize(outside);
  }

  void operands(const Instruction& instruction, size_t count) {
    check(instruction.operands.size() == count, "wrong number of operands");
  }

  void same_types(const Instruction& instruction) {
    for (Value operand : instruction.operands) {
      check(operand.type == instruction.operands[0].type, "operands of two types");
    }
  }

  void rules(const Instruction& instruction) {
    const Op op = instruction.op;
    if (op >= Op::load) {
      op >= Op::loop ? structure(instruction) : memory(instruction);
      return;
    }
    check(instruction.results.size() == 1 && instruction.results[0].type == instruction.type,
          "one result of the instruction's type");
    if (op >= Op::select) {
      rearrange(instruction);
    } else if (is_compare(op)) {
      operands(instruction, 2);
      same_types(instruction);
      check(instruction.operands[0].type.scalar != Scalar::bf16, "bf16 arithmetic");
      check(instruction.type == instruction.operands[0].type.with(Scalar::i1), "result is i1");
    } else {
      arithmetic(instruction);
    }
  }

  void arithmetic(const Instruction& instruction) {
    const Type type = instruction.type;
    if (instruction.op == Op::constant) {
      operands(instruction, 0);
      check(type.scalar != Scalar::ptr, "a pointer constant");
      return;
    }
    operands(instruction, arity(instruction.op));
    same_types(instruction);
    check(instruction.operands[0].type == type, "result of the operands' type");
    check(type.scalar != Scalar::bf16 && type.scalar != Scalar::ptr, "no arithmetic on this type");
    switch (instruction.op) {
      case Op::sqrt:
      case Op::floor:
      case Op::round_even:
      case Op::muladd: check(type.is_float(), "needs floats"); break;
      case Op::bit_and:
      case Op::bit_or:
      case Op::bit_xor: check(is_bits(type), "needs integers or i1"); break;
      case Op::mul_high: check(type.scalar == Scalar::i32, "needs i32"); break;
      case Op::rem:
      case Op::shift_left:
      case Op::shift_right:
      case Op::shift_right_signed:
      case Op::popcount: check(is_integer(type), "needs integers"); break;
      default: check(type.is_float() || is_integer(type), "needs numbers"); break;
    }
  }

  static size_t arity(Op op) {
    switch (op) {
      case Op::muladd: return 3;
      case Op::neg:
      case Op::abs:
      case Op::sqrt:
      case Op::floor:
      case Op::round_even:
      case Op::popcount: return 1;
      default: return 2;
    }
  }

  void rearrange(const Instruction& instruction) {
    const auto& in = instruction.operands;
    const Type type = instruction.type;
    const size_t counts[] = {3, 1, 1, 1, 0, 1, 2};  // select … shuffle
    operands(instruction, counts[static_cast<int>(instruction.op) - static_cast<int>(Op::select)]);
    switch (instruction.op) {
      case Op::select:
        check(in[0].type == type.with(Scalar::i1) && in[1].type == type && in[2].type == type,
              "i1 of the same lanes, then two values of the result's type");
        break;
      case Op::convert:
        check(in[0].type.lanes == type.lanes, "lanes differ");
        check(type.scalar != Scalar::ptr && in[0].type.scalar != Scalar::ptr, "a pointer");
        break;
      case Op::bitcast: check(bits_of(in[0].type) == bits_of(type), "sizes differ"); break;
      case Op::splat: check(in[0].type == Type{type.scalar, 1}, "needs one scalar"); break;
      case Op::iota: check(is_integer(type), "needs integers"); break;
      case Op::extract:
        check(Type{in[0].type.scalar, 1} == type, "result is one lane");
        check(instruction.imm >= 0 && instruction.imm < in[0].type.lanes, "no such lane");
        break;
      default:
        check(in[0].type == in[1].type && in[0].type.scalar == type.scalar, "operand types");
        check(static_cast<int>(instruction.lane_map.size()) == type.lanes, "lane map length");
        for (int lane : instruction.lane_map) {
          check(lane >= 0 && lane < 2 * in[0].type.lanes, "no such lane");
        }
    }
  }

  void memory(const Instruction& instruction) {
    const auto& in = instruction.operands;
    const Type type = instruction.type;
    const size_t first = instruction.op == Op::store ? 1 : 0;
    const bool may_mask = instruction.op <= Op::gather;
    check(in.size() == first + 2 || (may_mask && in.size() == first + 3),
          "wrong number of operands");
    check(in[first].type == pointer_type, "needs a pointer");
    const int lanes = instruction.op == Op::gather ? type.lanes : 1;
    check(in[first + 1].type == Type{Scalar::i64, lanes}, "the index is i64");
    if (in.size() == first + 3) {
      check(in[first + 2].type == type.with(Scalar::i1), "the mask has one i1 per lane");
    }
    if (instruction.op == Op::store || instruction.op == Op::prefetch) {
      check(instruction.results.empty(), "no result");
      check(instruction.op == Op::prefetch || in[0].type == type, "type of the stored value");
    } else {
      check(instruction.results.size() == 1 && instruction.results[0].type == type, "result type");
      check(instruction.op != Op::offset || type == pointer_type, "result is a pointer");
    }
  }

  void structure(const Instruction& instruction) {
    const auto& in = instruction.operands;
    switch (instruction.op) {
      case Op::loop: loop(instruction); break;
      case Op::branch:
        check(in.size() == 1 && in[0].type == Type{Scalar::i1, 1}, "needs one i1");
        check(instruction.body != nullptr, "needs a body");
        arm(instruction, *instruction.body);
        if (instruction.other) arm(instruction, *instruction.other);
        check(instruction.other || instruction.results.empty(), "results need both blocks");
        break;
      case Op::call: {
        check(instruction.results.empty(), "no result");
        check(callable_.contains(instruction.callee), "callee is not defined before its caller");
        const auto& params = module_.find(instruction.callee)->body.params;
        check(params.size() == in.size(), "wrong number of arguments");
        for (size_t i = 0; i < in.size(); ++i) check(in[i].type == params[i].type, "argument type");
        break;
      }
      default:
        check(in.size() == 3 && in[0].type == pointer_type && in[1].type == pointer_type &&
                  in[2].type == i64_type && instruction.results.empty(),
              "needs function, state and thread");
    }
  }

  void arm(const Instruction& instruction, const Block& arm) {
    check(arm.params.empty(), "branches have no parameters");
    yields(instruction, arm);
    block(arm);
    current_ = &instruction;
  }

  void yields(const Instruction& instruction, const Block& block) {
    check(block.yields.size() == instruction.results.size(), "yields and results differ");
    for (size_t i = 0; i < block.yields.size(); ++i) {
      check(block.yields[i].type == instruction.results[i].type, "yield type");
    }
  }

  void loop(const Instruction& instruction) {
    const auto& in = instruction.operands;
    check(in.size() >= 3 && instruction.body != nullptr, "needs bounds and a body");
    const auto& params = instruction.body->params;
    const Type counter = in[0].type;
    check(counter.lanes == 1 && (counter.scalar == Scalar::i64 || counter.scalar == Scalar::i32),
          "the counter is i64 or i32");
    check(in[1].type == counter && in[2].type == counter, "bounds of two types");
    check(params.size() == in.size() - 2 && params[0].type == counter, "block parameters");
    check(instruction.results.size() == in.size() - 3, "one result per carried value");
    for (size_t i = 1; i < params.size(); ++i) {
      check(params[i].type == in[i + 2].type, "type of an initial value");
      check(params[i].type == instruction.results[i - 1].type, "type of a carried value");
    }
    yields(instruction, *instruction.body);
    block(*instruction.body);
  }

  const Module& module_;
  const Function& function_;
  const std::set<std::string>& callable_;
  const Instruction* current_ = nullptr;
  std::vector<bool> defined_;
  std::vector<Value> scope_;
};

}  // namespace

void verify(const Module& module) {
  std::set<std::string> names;
  for (const auto& function : module.functions) {
    Verifier(module, *function, names).run();
    internal_check(names.insert(function->name).second, "two kernels are named " + function->name);
  }
}

}  // namespace nnc::kernel
