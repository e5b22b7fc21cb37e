#include "tests/support/kernel_interpreter.h"

#include <cstring>

#include "compiler/support/diagnostics.h"

namespace nnc::testing {

using kernel::Block;
using kernel::Function;
using kernel::Instruction;
using kernel::Op;
using kernel::Scalar;
using kernel::Type;
using kernel::Value;

namespace {

using Lanes = std::vector<Lane>;

class Interpreter {
 public:
  Interpreter(const kernel::Module& module, const Function& function, bool fma)
      : module_(module), function_(function), values_(function.next_id), fma_(fma) {}

  void run(const std::vector<Lanes>& arguments) {
    internal_check(arguments.size() == function_.body.params.size(), "interpreter: arguments");
    for (size_t i = 0; i < arguments.size(); ++i)
      values_[function_.body.params[i].id] = arguments[i];
    block(function_.body);
  }

 private:
  const Lanes& use(Value value) const { return values_[value.id]; }
  int64_t integer(Value value) const {
    const Lane lane = use(value)[0];
    return value.type.scalar == Scalar::i32 ? static_cast<int32_t>(lane)
                                            : static_cast<int64_t>(lane);
  }

  std::vector<Lanes> block(const Block& block) {
    for (const Instruction& instruction : block.instructions) {
      switch (instruction.op) {
        case Op::loop: loop(instruction); break;
        case Op::branch: branch(instruction); break;
        case Op::call: call(instruction); break;
        case Op::store: store(instruction); break;
        case Op::prefetch: break;
        case Op::barrier: barrier(instruction); break;
        default: values_[instruction.results[0].id] = compute(instruction);
      }
    }
    std::vector<Lanes> yields;
    for (Value value : block.yields) yields.push_back(use(value));
    return yields;
  }

  void loop(const Instruction& instruction) {
    const auto& in = instruction.operands;
    std::vector<Lanes> carried;
    for (size_t i = 3; i < in.size(); ++i) carried.push_back(use(in[i]));
    const auto& params = instruction.body->params;
    const int64_t end = integer(in[1]), step = integer(in[2]);
    for (int64_t i = integer(in[0]); i < end; i += step) {
      values_[params[0].id] = {static_cast<Lane>(i)};
      for (size_t c = 0; c < carried.size(); ++c) values_[params[c + 1].id] = carried[c];
      carried = block(*instruction.body);
    }
    for (size_t c = 0; c < carried.size(); ++c) values_[instruction.results[c].id] = carried[c];
  }

  void branch(const Instruction& instruction) {
    const bool taken = use(instruction.operands[0])[0] != 0;
    const Block* chosen = taken ? instruction.body.get() : instruction.other.get();
    if (!chosen) return;
    std::vector<Lanes> yields = block(*chosen);
    for (size_t i = 0; i < yields.size(); ++i) values_[instruction.results[i].id] = yields[i];
  }

  void call(const Instruction& instruction) {
    const Function* callee = module_.find(instruction.callee);
    internal_check(callee != nullptr, "interpreter: unknown callee " + instruction.callee);
    std::vector<Lanes> arguments;
    for (Value operand : instruction.operands) arguments.push_back(use(operand));
    Interpreter(module_, *callee, fma_).run(arguments);
  }

  void barrier(const Instruction& instruction) {
    const auto& in = instruction.operands;
    auto* function = reinterpret_cast<void (*)(void*, int64_t)>(use(in[0])[0]);
    function(reinterpret_cast<void*>(use(in[1])[0]), integer(in[2]));
  }

  unsigned char* address(Value pointer, int64_t index, Type type) const {
    return reinterpret_cast<unsigned char*>(use(pointer)[0]) +
           index * kernel::bytes_of(type.scalar);
  }

  static bool lane_is_on(const Lanes* mask, int lane) { return !mask || (*mask)[lane] != 0; }

  void store(const Instruction& instruction) {
    const auto& in = instruction.operands;
    const Lanes* mask = in.size() == 4 ? &use(in[3]) : nullptr;
    for (int lane = 0; lane < instruction.type.lanes; ++lane) {
      if (!lane_is_on(mask, lane)) continue;
      std::memcpy(address(in[1], integer(in[2]) + lane, instruction.type), &use(in[0])[lane],
                  kernel::bytes_of(instruction.type.scalar));
    }
  }

  Lanes load(const Instruction& instruction) {
    const auto& in = instruction.operands;
    const Lanes* mask = in.size() == 3 ? &use(in[2]) : nullptr;
    Lanes result(instruction.type.lanes, 0);
    for (int lane = 0; lane < instruction.type.lanes; ++lane) {
      if (!lane_is_on(mask, lane)) continue;
      const int64_t index = instruction.op == Op::gather ? static_cast<int64_t>(use(in[1])[lane])
                                                         : integer(in[1]) + lane;
      std::memcpy(&result[lane], address(in[0], index, instruction.type),
                  kernel::bytes_of(instruction.type.scalar));
      if (instruction.type.scalar == Scalar::i1) result[lane] = result[lane] != 0;
    }
    return result;
  }

  Lane constant(const Instruction& instruction) const {
    const Lane value = instruction.type.is_float() ? lane_of(instruction.fimm)
                                                   : static_cast<Lane>(instruction.imm);
    const Scalar from = instruction.type.is_float() ? Scalar::f64 : Scalar::i64;
    if (instruction.type.scalar == Scalar::i1) return value & 1;
    if (instruction.type.scalar == from) return value;
    return evaluate(Op::convert, instruction.type.scalar, from, &value, fma_);
  }

  // Lane 0 has the lowest bits.
  static Lanes bitcast(const Lanes& in, Type from, Type to) {
    const auto size_in = static_cast<size_t>(kernel::bytes_of(from.scalar));
    const auto size_out = static_cast<size_t>(kernel::bytes_of(to.scalar));
    if (from.scalar == Scalar::i1 || to.scalar == Scalar::i1) {
      internal_check(from == to, "interpreter: bitcast of i1");
      return in;
    }
    std::vector<unsigned char> bytes(size_in * in.size());
    for (size_t i = 0; i < in.size(); ++i) std::memcpy(&bytes[i * size_in], &in[i], size_in);
    Lanes result(to.lanes, 0);
    for (size_t i = 0; i < result.size(); ++i)
      std::memcpy(&result[i], &bytes[i * size_out], size_out);
    return result;
  }

  Lanes shuffle(const Instruction& instruction) const {
    Lanes both = use(instruction.operands[0]);
    const Lanes& second = use(instruction.operands[1]);
    both.insert(both.end(), second.begin(), second.end());
    Lanes result;
    for (int lane : instruction.lane_map) result.push_back(both[lane]);
    return result;
  }

  Lanes compute(const Instruction& instruction) {
    const auto& in = instruction.operands;
    const Type type = instruction.type;
    switch (instruction.op) {
      case Op::constant: return Lanes(type.lanes, constant(instruction));
      case Op::bitcast: return bitcast(use(in[0]), in[0].type, type);
      case Op::splat: return Lanes(type.lanes, use(in[0])[0]);
      case Op::extract: return {use(in[0])[instruction.imm]};
      case Op::shuffle: return shuffle(instruction);
      case Op::load:
      case Op::gather: return load(instruction);
      case Op::offset: return {use(in[0])[0] + use(in[1])[0]};
      case Op::iota: {
        Lanes lanes;
        for (int i = 0; i < type.lanes; ++i) lanes.push_back(static_cast<Lane>(i));
        return lanes;
      }
      default: return lane_wise(instruction);
    }
  }

  Lanes lane_wise(const Instruction& instruction) {
    Lanes result;
    for (int lane = 0; lane < instruction.type.lanes; ++lane) {
      Lane operands[3] = {};
      for (size_t i = 0; i < instruction.operands.size(); ++i) {
        operands[i] = use(instruction.operands[i])[lane];
      }
      result.push_back(evaluate(instruction.op, instruction.type.scalar,
                                instruction.operands[0].type.scalar, operands, fma_));
    }
    return result;
  }

  const kernel::Module& module_;
  const Function& function_;
  std::vector<Lanes> values_;
  bool fma_;
};

}  // namespace

void interpret(const kernel::Module& module, const std::string& name,
               const std::vector<Lane>& arguments, bool fma) {
  const Function* function = module.find(name);
  internal_check(function != nullptr, "interpreter: unknown function " + name);
  std::vector<Lanes> lanes;
  for (Lane argument : arguments) lanes.push_back({argument});
  Interpreter(module, *function, fma).run(lanes);
}

}  // namespace nnc::testing
