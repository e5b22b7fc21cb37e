#include "compiler/kernel/builder.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "compiler/support/diagnostics.h"

namespace nnc::kernel {

namespace {
bool is_compare(Op op) { return op >= Op::eq && op <= Op::ge; }

constexpr Type index_type{Scalar::i64, 1};

bool is_index_arithmetic(Op op, Type type) {
  return type == index_type && (op == Op::add || op == Op::sub || op == Op::mul);
}

// Of what counts rows and lanes.
std::optional<int64_t> known_result(Op op, std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return std::nullopt;
  const auto left = static_cast<uint64_t>(*a), right = static_cast<uint64_t>(*b);  // wrapping
  switch (op) {
    case Op::add: return static_cast<int64_t>(left + right);
    case Op::sub: return static_cast<int64_t>(left - right);
    case Op::mul: return static_cast<int64_t>(left * right);
    case Op::bit_and: return *a & *b;
    case Op::min: return std::min(*a, *b);
    case Op::max: return std::max(*a, *b);
    case Op::div: return *b > 0 ? std::optional(*a / *b) : std::nullopt;
    case Op::rem: return *b > 0 ? std::optional(*a % *b) : std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace

Instruction& Builder::push(Instruction instruction) {
  block_->instructions.push_back(std::move(instruction));
  return block_->instructions.back();
}

Value Builder::append(Op op, Type type, std::vector<Value> operands) {
  Value result = fresh(type);
  Instruction instruction{.op = op, .type = type, .operands = std::move(operands)};
  instruction.results = {result};
  push(std::move(instruction));
  return result;
}

Value Builder::param(const std::string& name, Type type) {
  Value value = fresh(type);
  function_.body.params.push_back(value);
  function_.param_names.push_back(name);
  return value;
}

Value Builder::constant(Type type, double value) {
  if (!type.is_float()) return constant_int(type, static_cast<int64_t>(value));
  Value result = append(Op::constant, type, {});
  block_->instructions.back().fimm = value;
  return result;
}

template <typename Write>
Value Builder::once(Op op, int64_t a, int64_t b, Write write) {
  const Expression expression{op, a, b};
  if (auto it = computed_.find(expression); it != computed_.end()) return it->second;
  const Value value = write();
  computed_.emplace(expression, value);
  here_.push_back(expression);
  return value;
}

std::optional<int64_t> Builder::known(Value value) const {
  auto it = constants_.find(value.id);
  return it == constants_.end() ? std::nullopt : std::optional(it->second);
}

// The result where nothing has to be computed.
std::optional<Value> Builder::simpler(Op op, Value a, Value b) {
  const auto x = known(a), y = known(b);
  if (y && *y == (op == Op::mul ? 1 : 0)) return a;
  if (x && op != Op::sub && *x == (op == Op::mul ? 1 : 0)) return b;
  if (op == Op::mul && ((x && *x == 0) || (y && *y == 0))) return i64(0);
  return std::nullopt;
}

Value Builder::index_arithmetic(Op op, Value a, Value b) {
  if (const auto result = simpler(op, a, b)) return *result;
  return once(op, a.id, b.id, [&] { return append(op, a.type, {a, b}); });
}

Value Builder::constant_int(Type type, int64_t value) {
  internal_check(!type.is_float(), "constant_int of a float type");
  const auto write = [&] {
    const Value result = append(Op::constant, type, {});
    block_->instructions.back().imm = value;
    return result;
  };
  if (type != index_type) return write();
  const Value result = once(Op::constant, value, 0, write);
  constants_[result.id] = value;
  return result;
}

Value Builder::unary(Op op, Value a) { return append(op, a.type, {a}); }

Value Builder::binary(Op op, Value a, Value b) {
  internal_check(a.type == b.type, std::string("kernel operands of two types: ") + name_of(op));
  if (const auto result = known_result(op, known(a), known(b))) return i64(*result);
  if (is_index_arithmetic(op, a.type)) return index_arithmetic(op, a, b);
  return append(op, is_compare(op) ? a.type.with(Scalar::i1) : a.type, {a, b});
}

Value Builder::muladd(Value a, Value b, Value c) {
  internal_check(a.type == b.type && a.type == c.type, "kernel muladd operands differ");
  return append(Op::muladd, a.type, {a, b, c});
}

Value Builder::select(Value condition, Value if_true, Value if_false) {
  internal_check(if_true.type == if_false.type && condition.type.lanes == if_true.type.lanes,
                 "kernel select operands differ");
  return append(Op::select, if_true.type, {condition, if_true, if_false});
}

Value Builder::convert(Value a, Scalar to) {
  return a.type.scalar == to ? a : append(Op::convert, a.type.with(to), {a});
}

Value Builder::bitcast(Value a, Type to) { return append(Op::bitcast, to, {a}); }

Value Builder::splat(Value a, int lanes) {
  if (a.type.lanes == lanes) return a;
  internal_check(a.type.lanes == 1, "kernel splat of a vector");
  return append(Op::splat, {a.type.scalar, lanes}, {a});
}

Value Builder::iota(Type type) { return append(Op::iota, type, {}); }

Value Builder::extract(Value a, int lane) {
  Value result = append(Op::extract, {a.type.scalar, 1}, {a});
  block_->instructions.back().imm = lane;
  return result;
}

Value Builder::shuffle(Value a, Value b, std::vector<int> lane_map) {
  Value result = append(Op::shuffle, {a.type.scalar, static_cast<int>(lane_map.size())}, {a, b});
  block_->instructions.back().lane_map = std::move(lane_map);
  return result;
}

Value Builder::load(Type type, Value pointer, Value index, Value mask) {
  std::vector<Value> operands = {pointer, index};
  if (mask) operands.push_back(mask);
  return append(Op::load, type, std::move(operands));
}

void Builder::store(Value value, Value pointer, Value index, Value mask) {
  Instruction instruction{.op = Op::store, .type = value.type, .operands = {value, pointer, index}};
  if (mask) instruction.operands.push_back(mask);
  push(std::move(instruction));
}

Value Builder::gather(Type type, Value pointer, Value indices, Value mask) {
  std::vector<Value> operands = {pointer, indices};
  if (mask) operands.push_back(mask);
  return append(Op::gather, type, std::move(operands));
}

Value Builder::offset(Value pointer, Value bytes) {
  return append(Op::offset, pointer.type, {pointer, bytes});
}

void Builder::prefetch(Value pointer, Value index, bool to_write) {
  push({.op = Op::prefetch,
        .type = {Scalar::u8, 1},
        .operands = {pointer, index},
        .imm = to_write ? 1 : 0});
}

void Builder::inside(Block& block, const std::function<void()>& write) {
  Block* outer = std::exchange(block_, &block);
  std::vector<Expression> around = std::exchange(here_, {});
  write();
  for (const Expression& expression : here_) computed_.erase(expression);
  here_ = std::move(around);
  block_ = outer;
}

std::vector<Value> Builder::loop(Value lo, Value hi, Value step, const std::vector<Value>& initial,
                                 const LoopBody& body) {
  const auto first = known(lo), behind = known(hi);
  if (first && behind && *first >= *behind) return initial;  // never runs
  Instruction instruction{.op = Op::loop, .type = lo.type, .operands = {lo, hi, step}};
  instruction.operands.insert(instruction.operands.end(), initial.begin(), initial.end());
  auto block = std::make_unique<Block>();
  std::vector<Value> carried;
  block->params.push_back(fresh(lo.type));
  for (const Value& v : initial) carried.push_back(fresh(v.type));
  block->params.insert(block->params.end(), carried.begin(), carried.end());
  for (const Value& v : initial) instruction.results.push_back(fresh(v.type));
  inside(*block, [&] { block->yields = body(block->params[0], carried); });
  internal_check(block->yields.size() == initial.size(), "kernel loop yields");
  instruction.body = std::move(block);
  return push(std::move(instruction)).results;
}

void Builder::loop(Value lo, Value hi, Value step, const std::function<void(Value)>& body) {
  loop(lo, hi, step, {}, [&](Value i, const std::vector<Value>&) {
    body(i);
    return std::vector<Value>{};
  });
}

void Builder::branch(Value condition, const std::function<void()>& body,
                     const std::function<void()>& other) {
  Instruction instruction{.op = Op::branch, .type = {Scalar::i1, 1}, .operands = {condition}};
  instruction.body = std::make_unique<Block>();
  inside(*instruction.body, body);
  if (other) {
    instruction.other = std::make_unique<Block>();
    inside(*instruction.other, other);
  }
  push(std::move(instruction));
}

namespace {

using Instructions = std::vector<Instruction>;

bool has_to_stay_in_place(const Instruction& instruction) {
  return instruction.body || instruction.op == Op::call || instruction.op == Op::barrier;
}

// One instruction of each part in turn, except what waits for a result of an earlier part.
Instructions in_turn(std::vector<Instructions> parts) {
  std::unordered_set<int> missing;
  for (const Instructions& part : parts)
    for (const Instruction& instruction : part)
      for (const Value& result : instruction.results) missing.insert(result.id);
  const auto ready = [&](const Instruction& instruction) {
    return std::ranges::none_of(instruction.operands,
                                [&](const Value& v) { return missing.contains(v.id); });
  };
  Instructions merged;
  std::vector<size_t> next(parts.size(), 0);
  for (bool more = true; more;) {
    more = false;
    for (size_t p = 0; p < parts.size(); ++p) {
      if (next[p] == parts[p].size()) continue;
      more = true;
      Instruction& instruction = parts[p][next[p]];
      if (!ready(instruction)) continue;
      for (const Value& result : instruction.results) missing.erase(result.id);
      merged.push_back(std::move(instruction));
      ++next[p];
    }
  }
  return merged;
}

}  // namespace

void Builder::side_by_side(int64_t count, int64_t at_a_time,
                           const std::function<void(int64_t)>& body) {
  for (int64_t done = 0; done < count; done += at_a_time) {
    const size_t first = block_->instructions.size();
    std::vector<size_t> ends;
    for (int64_t i = done; i < std::min(done + at_a_time, count); ++i) {
      body(i);
      ends.push_back(block_->instructions.size());
    }
    if (ends.size() > 1) take_in_turn(first, ends);
  }
}

void Builder::take_in_turn(size_t first, const std::vector<size_t>& ends) {
  Instructions& all = block_->instructions;
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
  if (std::any_of(begin, all.end(), has_to_stay_in_place)) return;
  std::vector<Instructions> parts(ends.size());
  Instructions stores;
  size_t part = 0;
  for (size_t i = first; i < all.size(); ++i) {
    while (i == ends[part]) ++part;
    (all[i].op == Op::store ? stores : parts[part]).push_back(std::move(all[i]));
  }
  all.resize(first);
  std::ranges::move(in_turn(std::move(parts)), std::back_inserter(all));
  std::ranges::move(stores, std::back_inserter(all));
}

void Builder::call(const std::string& callee, const std::vector<Value>& arguments) {
  Instruction instruction{.op = Op::call, .type = {Scalar::i64, 1}, .operands = arguments};
  instruction.callee = callee;
  push(std::move(instruction));
}

void Builder::barrier(Value function, Value state, Value thread) {
  push({.op = Op::barrier, .type = {Scalar::i64, 1}, .operands = {function, state, thread}});
}

}  // namespace nnc::kernel
