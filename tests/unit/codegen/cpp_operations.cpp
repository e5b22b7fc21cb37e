#include "tests/unit/codegen/cpp_operations.h"

#include <cstring>
#include <functional>
#include <limits>
#include <random>

namespace nnc::testing {

using kernel::Builder;
using kernel::Op;
using kernel::Scalar;
using kernel::Type;
using kernel::Value;

namespace {

using Compute = std::function<Value(Builder&, Value, Value, Value)>;

class CaseWriter {
 public:
  explicit CaseWriter(kernel::Module& module) : module_(module) {}

  void add(OperationCase test, const Compute& compute) {
    test.name += std::string("_") + name_of(test.in) + "_" + name_of(test.out) + "_" +
                 std::to_string(test.lanes);
    auto function = std::make_unique<kernel::Function>();
    function->name = test.name;
    function->exported = true;
    function->comment = test.name + " of " + std::to_string(blocks) + " blocks";
    Builder b(*function);
    const Type pointer{Scalar::ptr, 1};
    const Value pa = b.param("a", pointer), pb = b.param("b", pointer), pc = b.param("c", pointer);
    const Value out = b.param("out", pointer);
    const Type type{test.in, test.lanes};
    b.loop(b.i64(0), b.i64(blocks * test.lanes), b.i64(test.lanes), [&](Value i) {
      const Value result =
          compute(b, b.load(type, pa, i), b.load(type, pb, i), b.load(type, pc, i));
      b.store(result, out, i);
    });
    module_.functions.push_back(std::move(function));
    cases.push_back(test);
  }

  std::vector<OperationCase> cases;

 private:
  kernel::Module& module_;
};

void add_floats(CaseWriter& out, Scalar scalar, int lanes) {
  for (Op op : {Op::neg, Op::abs, Op::sqrt, Op::floor, Op::round_even}) {
    out.add({name_of(op), scalar, scalar, lanes},
            [op](Builder& b, Value x, Value, Value) { return b.unary(op, x); });
  }
  for (Op op : {Op::add, Op::sub, Op::mul, Op::div, Op::min, Op::max}) {
    out.add({name_of(op), scalar, scalar, lanes},
            [op](Builder& b, Value x, Value y, Value) { return b.binary(op, x, y); });
  }
  out.add({"muladd", scalar, scalar, lanes},
          [](Builder& b, Value x, Value y, Value z) { return b.muladd(x, y, z); });
  // Contraction would show here: the product is rounded before the sum.
  out.add({"mul_then_add", scalar, scalar, lanes},
          [](Builder& b, Value x, Value y, Value z) { return b.add(b.mul(x, y), z); });
  out.add({"mul_then_sub", scalar, scalar, lanes},
          [](Builder& b, Value x, Value y, Value z) { return b.sub(z, b.mul(x, y)); });
}

void add_integers(CaseWriter& out, Scalar scalar, int lanes) {
  for (Op op : {Op::neg, Op::abs, Op::popcount}) {
    out.add({name_of(op), scalar, scalar, lanes},
            [op](Builder& b, Value x, Value, Value) { return b.unary(op, x); });
  }
  for (Op op : {Op::add, Op::sub, Op::mul, Op::min, Op::max, Op::bit_and, Op::bit_or, Op::bit_xor,
                Op::mul_high}) {
    if (op == Op::mul_high && scalar != Scalar::i32) continue;
    out.add({name_of(op), scalar, scalar, lanes},
            [op](Builder& b, Value x, Value y, Value) { return b.binary(op, x, y); });
  }
  for (Op op : {Op::div, Op::rem}) {
    out.add({.name = name_of(op), .in = scalar, .out = scalar, .lanes = lanes, .divisor = true},
            [op](Builder& b, Value x, Value y, Value) { return b.binary(op, x, y); });
  }
  for (Op op : {Op::shift_left, Op::shift_right, Op::shift_right_signed}) {
    out.add(
        {.name = name_of(op), .in = scalar, .out = scalar, .lanes = lanes, .small_counts = true},
        [op](Builder& b, Value x, Value y, Value) { return b.binary(op, x, y); });
  }
}

void add_choices(CaseWriter& out, Scalar scalar, int lanes) {
  for (Op op : {Op::eq, Op::ne, Op::lt, Op::le, Op::gt, Op::ge}) {
    out.add({std::string("select_") + name_of(op), scalar, scalar, lanes},
            [op](Builder& b, Value x, Value y, Value z) {
              return b.select(b.compare(op, x, y), y, z);
            });
  }
  out.add({"mask_logic", scalar, Scalar::i1, lanes}, [](Builder& b, Value x, Value y, Value z) {
    const Value both = b.binary(Op::bit_and, b.compare(Op::lt, x, y), b.compare(Op::le, y, z));
    const Value either = b.binary(Op::bit_or, both, b.compare(Op::gt, x, z));
    const Value odd = b.binary(Op::bit_xor, either, b.compare(Op::eq, z, y));
    return b.select(b.binary(Op::ne, odd, both), either, b.binary(Op::eq, both, either));
  });
}

void add_conversions(CaseWriter& out, Scalar from, int lanes) {
  for (Scalar to : {Scalar::i1, Scalar::u8, Scalar::i32, Scalar::i64, Scalar::f32, Scalar::f64}) {
    if (to == from) continue;
    out.add({.name = "convert", .in = from, .out = to, .lanes = lanes, .whole = true},
            [to](Builder& b, Value x, Value, Value) { return b.convert(x, to); });
  }
  const Scalar same_width = from == Scalar::f32   ? Scalar::i32
                            : from == Scalar::f64 ? Scalar::i64
                            : from == Scalar::i32 ? Scalar::f32
                                                  : Scalar::f64;
  if (kernel::bytes_of(from) != kernel::bytes_of(same_width)) return;
  out.add({"bitcast", from, same_width, lanes}, [=](Builder& b, Value x, Value, Value) {
    return b.bitcast(x, {same_width, lanes});
  });
}

void add_movement(CaseWriter& out, Scalar scalar, int lanes) {
  if (lanes == 1) return;
  std::mt19937 random(static_cast<unsigned>(lanes) * 31 + static_cast<unsigned>(scalar));
  for (int variant = 0; variant < 3; ++variant) {
    std::vector<int> map, back;
    for (int i = 0; i < lanes; ++i) {
      const int anywhere = static_cast<int>(random() % static_cast<unsigned>(2 * lanes));
      map.push_back(variant == 0 ? (i % 2) * lanes + i / 2 : anywhere);
      back.push_back(variant == 1 ? lanes - 1 - i : anywhere);
    }
    const std::string name = "shuffle" + std::to_string(variant);
    out.add({name, scalar, scalar, lanes}, [=](Builder& b, Value x, Value y, Value z) {
      const Value mixed = b.shuffle(x, y, map);
      std::vector<int> low(map.begin(), map.begin() + lanes / 2);
      if (variant == 2 && lanes > 2) {
        // Through half as many lanes, and back.
        const Value half = b.shuffle(mixed, z, low);
        std::vector<int> widen;
        for (int i = 0; i < lanes; ++i) widen.push_back(i);
        return b.shuffle(half, half, widen);
      }
      return b.shuffle(mixed, z, back);
    });
  }
  out.add({"extract", scalar, scalar, lanes}, [=](Builder& b, Value x, Value y, Value) {
    const Value first = b.splat(b.extract(x, 0), lanes),
                last = b.splat(b.extract(y, lanes - 1), lanes);
    std::vector<int> halves;
    for (int i = 0; i < lanes; ++i) halves.push_back(i < lanes / 2 ? i : i + lanes);
    return b.shuffle(first, last, halves);
  });
}

}  // namespace

std::vector<OperationCase> operation_cases(kernel::Module& module) {
  module.name = "operations";
  CaseWriter out(module);
  // Widths below, at and above those of registers; what f32 has at 16 lanes, f64 has at 8.
  for (Scalar scalar : {Scalar::f32, Scalar::f64}) {
    const int wide = scalar == Scalar::f32 ? 16 : 8;
    for (int lanes : {1, 2, wide}) add_floats(out, scalar, lanes);
    for (int lanes : {1, wide}) add_choices(out, scalar, lanes);
    for (int lanes : {1, 2, wide}) add_conversions(out, scalar, lanes);
    for (int lanes : {2, wide, 2 * wide}) add_movement(out, scalar, lanes);
  }
  for (Scalar scalar : {Scalar::i32, Scalar::i64, Scalar::u8}) {
    for (int lanes : {1, 16}) {
      add_integers(out, scalar, lanes);
      add_choices(out, scalar, lanes);
      add_conversions(out, scalar, lanes);
      add_movement(out, scalar, lanes);
    }
  }
  return out.cases;
}

namespace {

template <class T>
T float_value(std::mt19937_64& random, bool whole) {
  if (whole) return static_cast<T>(static_cast<double>(random() % 25500) / 100);
  using Limits = std::numeric_limits<T>;
  const T special[] = {0,
                       -T{0},
                       Limits::infinity(),
                       -Limits::infinity(),
                       Limits::quiet_NaN(),
                       Limits::denorm_min(),
                       -Limits::min(),
                       Limits::max(),
                       T(0.5),
                       T(-0.5),
                       T(1.5),
                       T(2.5),
                       T(-2.5),
                       T(0x1p22) + T(0.5),
                       T(-0x1p51),
                       T(1)};
  if (random() % 4 == 0) return special[random() % 16];
  const double unit = static_cast<double>(random() >> 11) * 0x1p-53 * 2 - 1;
  return static_cast<T>(unit * std::pow(10.0, static_cast<double>(random() % 5) - 2));
}

template <class T>
T integer_value(std::mt19937_64& random, const OperationCase& test, int operand) {
  const uint64_t bits = random();
  if (test.whole) return static_cast<T>(bits % 256);
  if (operand == 1 && test.small_counts) return static_cast<T>(bits % (8 * sizeof(T)));
  if (operand == 1 && test.divisor) return static_cast<T>(bits % 100 + 2);
  return bits % 8 == 0 ? static_cast<T>(bits % 3 - 1) : static_cast<T>(bits);
}

template <class T>
std::vector<unsigned char> fill(const OperationCase& test, int operand) {
  std::mt19937_64 random(std::hash<std::string>{}(test.name) + static_cast<unsigned>(operand));
  std::vector<T> values(static_cast<size_t>(blocks * test.lanes));
  for (T& value : values) {
    if constexpr (std::is_floating_point_v<T>)
      value = float_value<T>(random, test.whole);
    else
      value = integer_value<T>(random, test, operand);
  }
  std::vector<unsigned char> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

std::vector<unsigned char> operand_bytes(const OperationCase& test, int operand) {
  switch (test.in) {
    case Scalar::f32: return fill<float>(test, operand);
    case Scalar::f64: return fill<double>(test, operand);
    case Scalar::i32: return fill<int32_t>(test, operand);
    case Scalar::i64: return fill<int64_t>(test, operand);
    default: return fill<uint8_t>(test, operand);
  }
}

}  // namespace nnc::testing
