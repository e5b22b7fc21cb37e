#include "compiler/kernel/widen_stores.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace nnc::kernel {

namespace {

constexpr int64_t slot_alignment = 64;

// What is known of an integer: its value, or a power of two that divides it.
struct Fact {
  std::optional<int64_t> value;
  int64_t divisor = 1;

  static Fact of(int64_t value) {
    return {value, value == 0 ? int64_t{1} << 40 : (value & -value)};
  }
};

Fact folded(Op op, const Fact& a, const Fact& b) {
  if (a.value && b.value) {
    const int64_t x = *a.value, y = *b.value;
    switch (op) {
      case Op::add: return Fact::of(x + y);
      case Op::sub: return Fact::of(x - y);
      case Op::mul: return Fact::of(x * y);
      case Op::min: return Fact::of(std::min(x, y));
      case Op::max: return Fact::of(std::max(x, y));
      case Op::bit_and: return Fact::of(x & y);
      case Op::div: return y > 0 ? Fact::of(x / y) : Fact{};
      case Op::rem: return y > 0 ? Fact::of(x % y) : Fact{};
      default: return {};
    }
  }
  switch (op) {
    case Op::add:
    case Op::sub:
    case Op::min:
    case Op::max: return {{}, std::min(a.divisor, b.divisor)};
    case Op::mul: return {{}, std::max(a.divisor, b.divisor)};
    default: return {};
  }
}

// Facts of one function under what is known of its arguments.
class Facts {
 public:
  Facts(Function& function, const std::map<int, Fact>& arguments) : facts_(arguments) {
    visit(function.body);
  }

  Fact of(Value value) const {
    const auto it = facts_.find(value.id);
    return it == facts_.end() ? Fact{} : it->second;
  }
  const Instruction* definition(Value value) const {
    const auto it = definitions_.find(value.id);
    return it == definitions_.end() ? nullptr : it->second;
  }
  const std::vector<Instruction*>& stores() const { return stores_; }
  const std::vector<Instruction*>& calls() const { return calls_; }

 private:
  void visit(Block& block) {
    for (Instruction& item : block.instructions) {
      for (Value result : item.results) definitions_[result.id] = &item;
      if (item.op == Op::store) stores_.push_back(&item);
      if (item.op == Op::call) calls_.push_back(&item);
      if (item.op == Op::loop) {
        facts_[item.body->params[0].id] = counter(item);
      } else if (item.results.size() == 1 && item.type.lanes == 1 && !item.type.is_float()) {
        facts_[item.results[0].id] = scalar(item);
      }
      if (item.body) visit(*item.body);
      if (item.other) visit(*item.other);
    }
  }

  // A loop that runs at most once has the number it starts with.
  Fact counter(const Instruction& loop) const {
    const Fact lo = of(loop.operands[0]), hi = of(loop.operands[1]), step = of(loop.operands[2]);
    if (lo.value && hi.value && step.value && *hi.value - *lo.value <= *step.value) return lo;
    return {{}, std::min(lo.divisor, step.divisor)};
  }

  Fact scalar(const Instruction& item) const {
    if (item.op == Op::constant) return Fact::of(item.imm);
    if (item.op == Op::convert) return of(item.operands[0]);
    if (item.operands.size() != 2) return {};
    return folded(item.op, of(item.operands[0]), of(item.operands[1]));
  }

  std::map<int, Fact> facts_;
  std::map<int, const Instruction*> definitions_;
  std::vector<Instruction*> stores_, calls_;
};

// A store of a kernel into the arena, and where the buffer that it is given begins.
struct ArenaStore {
  Instruction* store;
  int64_t buffer;
  bool whole_vectors;  // at a multiple of its width
  bool masked;         // by a mask of the first lanes, of which one is on
};

bool is_first_lanes(const Facts& facts, Value mask) {
  const Instruction* less = facts.definition(mask);
  if (less == nullptr || less->op != Op::lt) return false;
  const Instruction* lanes = facts.definition(less->operands[0]);
  const Instruction* count = facts.definition(less->operands[1]);
  if (lanes == nullptr || lanes->op != Op::iota || count == nullptr || count->op != Op::splat) {
    return false;
  }
  return facts.of(count->operands[0]).value.value_or(0) > 0;
}

Function* find(Module& module, const std::string& name) {
  for (const auto& function : module.functions)
    if (function->name == name) return function.get();
  return nullptr;
}

class StoreWidening {
 public:
  StoreWidening(Module& module, Function& core) : module_(module), core_(core) {}

  int run() {
    const std::map<std::string, int64_t> one_row = {{"rows", 1}, {"thread", 0}, {"threads", 1}};
    std::map<int, Fact> arguments;
    for (size_t i = 0; i < core_.param_names.size(); ++i) {
      const Value param = core_.body.params[i];
      const auto known = one_row.find(core_.param_names[i]);
      if (known != one_row.end()) arguments[param.id] = Fact::of(known->second);
      if (core_.param_names[i] == "arena") arena_ = param;
    }
    const Facts facts(core_, arguments);
    for (const Instruction* call : facts.calls()) ++times_called_[call->callee];
    for (const Instruction* call : facts.calls()) collect(facts, *call);
    return aligned_ ? widen() : 0;
  }

 private:
  // Bytes from the arena's begin; none for other pointers.
  std::optional<int64_t> place_of(const Facts& facts, Value pointer) {
    if (pointer.type.scalar != Scalar::ptr) return {};
    if (pointer.id == arena_.id) return 0;
    const Instruction* from = facts.definition(pointer);
    if (from == nullptr || from->op != Op::offset) return {};
    const auto base = place_of(facts, from->operands[0]);
    if (!base) return {};
    const auto bytes = facts.of(from->operands[1]).value;
    if (!bytes || *bytes % slot_alignment != 0) aligned_ = false;
    return *base + bytes.value_or(0);
  }

  void collect(const Facts& facts, const Instruction& call) {
    Function* callee = find(module_, call.callee);
    if (callee == nullptr) return;
    std::map<int, Fact> arguments;
    std::map<int, int64_t> buffers;  // of the callee's parameters
    for (size_t i = 0; i < call.operands.size(); ++i) {
      const Value param = callee->body.params[i];
      arguments[param.id] = facts.of(call.operands[i]);
      if (const auto place = place_of(facts, call.operands[i])) buffers[param.id] = *place;
    }
    const Facts inner(*callee, arguments);
    for (Instruction* store : inner.stores()) {
      const auto buffer = buffers.find(store->operands[1].id);
      if (buffer == buffers.end()) continue;
      const int64_t bytes = int64_t{store->type.lanes} * bytes_of(store->type.scalar);
      const bool whole = store->type.lanes > 1 && bytes <= slot_alignment &&
                         inner.of(store->operands[2]).divisor >= store->type.lanes;
      const bool masked = store->operands.size() == 4 && times_called_[call.callee] == 1 &&
                          is_first_lanes(inner, store->operands[3]);
      stores_.push_back({store, buffer->second, whole, masked});
    }
  }

  // A buffer that is also written piece by piece may hold several values without gaps.
  int widen() {
    std::set<int64_t> pieces;
    for (const ArenaStore& store : stores_)
      if (!store.whole_vectors) pieces.insert(store.buffer);
    int count = 0;
    for (const ArenaStore& store : stores_) {
      if (!store.masked || pieces.count(store.buffer) != 0) continue;
      store.store->operands.pop_back();
      ++count;
    }
    return count;
  }

  Module& module_;
  Function& core_;
  Value arena_;
  bool aligned_ = true;
  std::map<std::string, int> times_called_;
  std::vector<ArenaStore> stores_;
};

}  // namespace

int widen_stores(Module& module, const std::string& core) {
  Function* function = find(module, core);
  return function == nullptr ? 0 : StoreWidening(module, *function).run();
}

}  // namespace nnc::kernel
