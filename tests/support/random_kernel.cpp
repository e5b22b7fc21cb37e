#include "tests/support/random_kernel.h"

#include <map>
#include <random>

#include "compiler/kernel/builder.h"

namespace nnc::testing {

using namespace kernel;

namespace {

constexpr int gather_window = 64;  // gathers read the first elements of an input

class Generator {
 public:
  Generator(uint64_t seed, int lanes) : random_(seed), lanes_(lanes) {}

  Module run() {
    Module module;
    module.name = "random";
    helper(module);
    entry(module);
    return module;
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  template <typename T, size_t n>
  T pick(const T (&choices)[n]) {
    return choices[below(n)];
  }
  Type vector(Scalar s) const { return {s, lanes_}; }
  Value any(Scalar s) { return pool_[s][below(static_cast<int>(pool_[s].size()))]; }
  void keep(Value v) { pool_[v.type.scalar].push_back(v); }

  Function& begin(Module& module, const char* name) {
    module.functions.push_back(std::make_unique<Function>());
    Function& function = *module.functions.back();
    function.name = name;
    pool_.clear();
    return function;
  }

  // out[i] += 1 for i < n, by scalars: the function that is called.
  void helper(Module& module) {
    Builder b(begin(module, "count_up"));
    Value out = b.param("out", {Scalar::ptr, 1});
    Value n = b.param("n", {Scalar::i64, 1});
    b.loop(b.i64(0), n, b.i64(1), [&](Value i) {
      b.store(b.add(b.load({Scalar::i64, 1}, out, i), b.i64(1)), out, i);
    });
  }

  void entry(Module& module) {
    Function& function = begin(module, "entry");
    function.exported = true;
    Builder b(function);
    b_ = &b;
    for (Scalar s : buffer_scalars)
      in_[s] = b.param(std::string("in_") + name_of(s), {Scalar::ptr, 1});
    for (Scalar s : buffer_scalars)
      out_[s] = b.param(std::string("out_") + name_of(s), {Scalar::ptr, 1});
    n_ = b.param("n", {Scalar::i64, 1});
    b.loop(b.i64(0), n_, b.i64(lanes_), [&](Value i) { iteration(i); });
    b.call("count_up", {out_[Scalar::i64], n_});
  }

  void iteration(Value i) {
    pool_.clear();
    row_ = i;
    Value element = b_->add(b_->splat(i, lanes_), b_->iota(vector(Scalar::i64)));
    mask_ = b_->compare(Op::lt, element, b_->splat(n_, lanes_));
    keep(element);
    keep(mask_);
    for (Scalar s : buffer_scalars) {
      keep(b_->load(vector(s), in_[s], i, below(2) ? mask_ : Value{}));
    }
    steps(12 + below(12));
    inner_loop();
    branch();
    steps(6 + below(6));
    store_all();
  }

  void steps(int count) {
    for (int i = 0; i < count; ++i) step();
  }

  // Values that are defined inside must not be used outside: the pools are restored.
  void inner_loop() {
    const auto outside = pool_;
    const Scalar s = pick({Scalar::f32, Scalar::f64, Scalar::i32});
    const Scalar t = pick({Scalar::i64, Scalar::f32});
    Value trips = b_->convert(b_->extract(any(Scalar::u8), below(lanes_)), Scalar::i64);
    trips = b_->binary(Op::bit_and, trips, b_->i64(3));
    auto carried = b_->loop(b_->i64(0), trips, b_->i64(1), {any(s), any(t)},
                            [&](Value, const std::vector<Value>& values) {
                              for (Value v : values) keep(v);
                              steps(8);
                              return std::vector<Value>{any(s), any(t)};
                            });
    pool_ = outside;
    for (Value v : carried) keep(v);
  }

  void branch() {
    const auto outside = pool_;
    Value condition = b_->extract(any(Scalar::i1), below(lanes_));
    b_->branch(
        condition,
        [&] {
          steps(5);
          store(pick(buffer_scalars), 1);
        },
        [&] {
          pool_ = outside;
          steps(5);
          store(pick(buffer_scalars), 2);
        });
    pool_ = outside;
  }

  // Each buffer has four parts of n elements and slack (see Buffers).
  void store(Scalar s, int part) {
    Value stride = b_->add(n_, b_->i64(lanes_));
    Value index = b_->add(row_, b_->mul(stride, b_->i64(part)));
    b_->store(any(s), out_[s], index, below(3) ? mask_ : Value{});
  }

  void store_all() {
    for (Scalar s : buffer_scalars) {
      store(s, 0);
      pool_[s] = {pool_[s].back()};
      store(s, 3);
    }
  }

  void step() {
    switch (below(12)) {
      case 0:
      case 1:
      case 2: return float_step(pick({Scalar::f32, Scalar::f64}));
      case 3:
      case 4: return integer_step(pick({Scalar::i32, Scalar::i64, Scalar::u8}));
      case 5: {
        const Scalar s = pick({Scalar::f32, Scalar::f64, Scalar::i32, Scalar::i64, Scalar::u8});
        return keep(
            b_->compare(pick({Op::eq, Op::ne, Op::lt, Op::le, Op::gt, Op::ge}), any(s), any(s)));
      }
      case 6: {
        const Scalar s = pick(buffer_scalars);
        return keep(b_->select(any(Scalar::i1), any(s), any(s)));
      }
      case 7:
        return keep(b_->binary(pick({Op::bit_and, Op::bit_or, Op::bit_xor}), any(Scalar::i1),
                               any(Scalar::i1)));
      case 8: return convert_step();
      case 9: return bitcast_step();
      case 10: return lanes_step();
      default: return memory_step();
    }
  }

  void float_step(Scalar s) {
    switch (below(3)) {
      case 0:
        return keep(
            b_->unary(pick({Op::neg, Op::abs, Op::sqrt, Op::floor, Op::round_even}), any(s)));
      case 1: return keep(b_->muladd(any(s), any(s), any(s)));
      default:
        return keep(b_->binary(pick({Op::add, Op::sub, Op::mul, Op::div, Op::min, Op::max}), any(s),
                               any(s)));
    }
  }

  void integer_step(Scalar s) {
    const Type type = vector(s);
    const int bits = 8 * bytes_of(s);
    Value a = any(s), c = any(s);
    switch (below(s == Scalar::i32 ? 5 : 4)) {
      case 0:
        return keep(b_->binary(pick({Op::add, Op::sub, Op::mul, Op::min, Op::max, Op::bit_and,
                                     Op::bit_or, Op::bit_xor}),
                               a, c));
      case 1: return keep(b_->unary(pick({Op::neg, Op::abs, Op::popcount}), a));
      case 2: {
        Value count = b_->binary(Op::bit_and, c, b_->constant_int(type, bits - 1));
        const Op op = s == Scalar::u8
                          ? pick({Op::shift_left, Op::shift_right})
                          : pick({Op::shift_left, Op::shift_right, Op::shift_right_signed});
        return keep(b_->binary(op, a, count));
      }
      case 3: {  // a divisor from 1 to 63
        Value divisor = b_->binary(Op::bit_and, c, b_->constant_int(type, 62));
        divisor = b_->binary(Op::bit_or, divisor, b_->constant_int(type, 1));
        return keep(b_->binary(pick({Op::div, Op::rem}), a, divisor));
      }
      default: return keep(b_->binary(Op::mul_high, a, c));
    }
  }

  // Clamps into a range that every integer type of the conversion has; NaN becomes `low`.
  Value clamped(Value v, double low, double high) {
    Value at_least = b_->max(b_->constant(v.type, low), v);
    return b_->min(b_->constant(v.type, high), at_least);
  }

  void convert_step() {
    const Scalar from = pick(buffer_scalars);
    const Scalar to = pick(buffer_scalars);
    Value v = any(from);
    if (from == Scalar::bf16) v = b_->convert(v, Scalar::f32);
    if (v.type.is_float() && to == Scalar::u8) v = clamped(v, 0, 255);
    if (v.type.is_float() && (to == Scalar::i32 || to == Scalar::i64)) v = clamped(v, -1e9, 1e9);
    keep(b_->convert(v, to));
  }

  void bitcast_step() {
    switch (below(4)) {
      case 0: return keep(b_->bitcast(any(Scalar::i32), vector(Scalar::f32)));
      case 1: return keep(b_->bitcast(any(Scalar::i64), vector(Scalar::f64)));
      case 2: {  // the bits of a NaN are not defined, so none is looked at
        Value v = any(Scalar::f32);
        v = b_->select(b_->compare(Op::eq, v, v), v, b_->constant(v.type, 2.5));
        return keep(b_->bitcast(v, vector(Scalar::i32)));
      }
      default: {  // one half of each i64
        Value halves = b_->bitcast(any(Scalar::i64), {Scalar::i32, 2 * lanes_});
        std::vector<int> map;
        const int which = below(2);
        for (int i = 0; i < lanes_; ++i) map.push_back(2 * i + which);
        return keep(b_->shuffle(halves, halves, map));
      }
    }
  }

  void lanes_step() {
    const Scalar s = pick(buffer_scalars);
    switch (below(3)) {
      case 0: return keep(b_->splat(b_->extract(any(s), below(lanes_)), lanes_));
      case 1: {
        const double value = below(1000) / 8.0 - 50;
        return keep(s == Scalar::i1
                        ? b_->constant_int(vector(s), below(2))
                        : b_->constant(vector(s), s == Scalar::u8 ? below(256) : value));
      }
      default: {
        std::vector<int> map;
        for (int i = 0; i < lanes_; ++i) map.push_back(below(2 * lanes_));
        return keep(b_->shuffle(any(s), any(s), map));
      }
    }
  }

  void memory_step() {
    const Scalar s = pick(buffer_scalars);
    if (below(4) == 0) {
      b_->prefetch(in_[s], b_->mul(row_, b_->i64(bytes_of(s))));
      Value moved = b_->offset(in_[s], b_->i64(bytes_of(s)));
      return keep(b_->load(vector(s), moved, row_, mask_));
    }
    Value indices = b_->binary(Op::bit_and, any(Scalar::i64),
                               b_->constant_int(vector(Scalar::i64), gather_window - 1));
    keep(b_->gather(vector(s), in_[s], indices, below(2) ? any(Scalar::i1) : Value{}));
  }

  std::mt19937_64 random_;
  int lanes_;
  Builder* b_ = nullptr;
  std::map<Scalar, std::vector<Value>> pool_;
  std::map<Scalar, Value> in_, out_;
  Value n_, row_, mask_;
};

}  // namespace

Module random_kernel(uint64_t seed, int lanes) { return Generator(seed, lanes).run(); }

}  // namespace nnc::testing
