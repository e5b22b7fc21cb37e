// Random numbers that are a function of (seed, stream, step, logical element): no state, the same
// whatever the number of threads, the vector width and the order of evaluation.
#include <cmath>

#include "compiler/ops/generator/philox.h"
#include "compiler/ops/math/math.h"
#include "compiler/ops/record.h"

namespace nnc::ops {
namespace {

Infer infer_random(const std::string& name) {
  return [name](const InferInput& input) {
    const Type result{input.attributes.dtype("dtype"), input.attributes.shape("shape")};
    input.attributes.integer("stream");
    bool fits = input.operands.size() == 2 ||
                (input.operands.size() == 3 && !result.shape.empty() && result.shape[0].batch);
    if (!fits) {
      reject(input,
             name + " cannot be drawn from " + std::to_string(input.operands.size()) + " operands",
             "seed and step, and for batch rows the number of the first row if it is not 0");
    }
    for (const Type& type : input.operands) {
      const bool exact = type.dtype == DType::f64 || type.dtype == DType::i64;
      if (!exact || type.rank() != 0) {
        reject(input, name + " takes the seed, the step and the first row's number",
               "numbers in f64 or i64");
      }
    }
    fits = result.dtype == DType::f32 || result.dtype == DType::f64;
    for (size_t i = 1; i < result.shape.size(); ++i) fits = fits && !result.shape[i].batch;
    if (!fits) {
      reject(input, name + " cannot fill " + to_string(result, input.batch),
             "f32 or f64, with batch rows in the first dimension only");
    }
    return std::vector<Type>{result};
  };
}

template <double (*Number)(const philox::Words&, bool single)>
void eval_random(EvalContext& c) {
  const auto seed = static_cast<uint64_t>(static_cast<int64_t>(c.operands[0]->data[0]));
  const auto step = static_cast<uint32_t>(static_cast<int64_t>(c.operands[1]->data[0]));
  const auto stream = static_cast<uint64_t>(c.node.attributes.integer("stream"));
  const bool single = c.node.result()->type.dtype == DType::f32;
  std::vector<double>& out = c.results[0].data;
  size_t first = 0;
  if (c.operands.size() == 3) {
    const auto rows = static_cast<size_t>(c.results[0].shape[0]);
    if (rows > 0) first = static_cast<size_t>(c.operands[2]->data[0]) * (out.size() / rows);
  }
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = Number(philox::block(seed, stream, first + i, step, 0), single);
  }
}

double uniform(const philox::Words& words, bool single) {
  return single ? philox::uniform24(words[0]) : philox::uniform53(words[0], words[1]);
}

// cos(2πu), reduced to a quarter of a turn first, since π is not exact.
double cos_turns(double u) {
  const double quarter = std::nearbyint(u * 4), angle = (u * 4 - quarter) * M_PI_2;
  const double value = std::fmod(quarter, 2) == 0 ? std::cos(angle) : std::sin(angle);
  return quarter == 1 || quarter == 2 ? -value : value;
}

// Box and Muller, with 1 - u in (0, 1] so that the logarithm is finite.
double normal(const philox::Words& words, bool single) {
  const double u = uniform(words, single);
  const double turn = single ? philox::uniform24(words[1]) : philox::uniform53(words[2], words[3]);
  return std::sqrt(-2 * std::log(1 - u)) * cos_turns(turn);
}

// The words of the element at `indices` of the result, counted in row-major order from the first
// row's number on.
std::array<kernel::Value, 4> words_at(LowerContext& c, const std::vector<kernel::Value>& indices,
                                      const std::vector<kernel::Value>& operands) {
  kernel::Builder& k = c.k;
  const kernel::Type wide{kernel::Scalar::i64, c.lanes};
  kernel::Value element = k.constant_int(wide, 0);
  const Shape& shape = c.node.result()->type.shape;
  const auto word = [&](kernel::Value v) {
    return k.splat(k.convert(v, kernel::Scalar::i64), c.lanes);
  };
  for (size_t i = 0; i < indices.size(); ++i) {
    kernel::Value index = k.splat(indices[i], c.lanes);
    if (i == 0 && operands.size() == 3) index = k.add(index, word(operands[2]));
    element = i == 0 ? index : k.add(k.mul(element, k.constant_int(wide, shape[i].size)), index);
  }
  const auto stream = static_cast<uint64_t>(c.node.attributes.integer("stream"));
  return philox::block(k, word(operands[0]), stream, element, word(operands[1]));
}

kernel::Value lower_uniform(LowerContext& c, const std::vector<kernel::Value>& indices,
                            const std::vector<kernel::Value>& operands) {
  const auto words = words_at(c, indices, operands);
  return c.scalar == kernel::Scalar::f32 ? philox::uniform24(c.k, words[0])
                                         : philox::uniform53(c.k, words[0], words[1]);
}

kernel::Value lower_normal(LowerContext& c, const std::vector<kernel::Value>& indices,
                           const std::vector<kernel::Value>& operands) {
  kernel::Builder& k = c.k;
  const auto words = words_at(c, indices, operands);
  const bool single = c.scalar == kernel::Scalar::f32;
  const kernel::Value u =
      single ? philox::uniform24(k, words[0]) : philox::uniform53(k, words[0], words[1]);
  const kernel::Value turn =
      single ? philox::uniform24(k, words[1]) : philox::uniform53(k, words[2], words[3]);
  const kernel::Value logarithm = math::log(k, k.sub(constant_like(k, u, 1), u));
  const kernel::Value radius = k.unary(kernel::Op::sqrt, k.mul(constant_like(k, u, -2), logarithm));
  return k.mul(radius, math::cos_turns(k, turn));
}

std::vector<Sample> samples() {
  std::vector<Sample> list;
  for (const Shape& shape : {Shape{}, Shape{{1}}, Shape{{211}}, Shape{{1, true}, {7}},
                             Shape{{1, true}, {3}, {5}}, Shape{{2}, {3}, {1}, {5}}}) {
    for (DType dtype : {DType::f32, DType::f64}) {
      Sample sample{
          .operands = {{DType::i64, {}}, {DType::f64, {}}},
          .attributes = {
              {"stream", int64_t{-0x123456789ABCDEF}}, {"shape", shape}, {"dtype", dtype}}};
      sample.ranges = {{0, 1e15}, {7, 7}};
      sample.differentiable = false;
      list.push_back(sample);
      if (shape.empty() || !shape[0].batch) continue;
      sample.operands.push_back({DType::f64, {}});
      sample.ranges.push_back({256, 256});
      list.push_back(sample);
    }
  }
  return list;
}

const Registration random_uniform({
    .name = "random_uniform",
    .family = Family::generator,
    .operands = -1,
    .doc = "Uniform in [0, 1), 24 random bits in f32 and 53 in f64. Operands: seed, step "
           "and, if it is not 0, the number of the first row; {stream} tells apart the places that "
           "draw. Philox4x32-10 of the element's index.",
    .infer = infer_random("random_uniform"),
    .eval = eval_random<uniform>,
    .lower_index = lower_uniform,
    .cost = 60,
    .pure = false,
    .samples = samples,
});

const Registration random_normal({
    .name = "random_normal",
    .family = Family::generator,
    .operands = -1,
    .doc = "Normal with mean 0 and standard deviation 1, by Box and Muller's formula from two "
           "uniform numbers. Operands: seed, step and, if it is not 0, the number of the first "
           "row; {stream} tells apart the places that draw.",
    .infer = infer_random("random_normal"),
    .eval = eval_random<normal>,
    .lower_index = lower_normal,
    .cost = 100,
    .pure = false,
    .samples = samples,
});

}  // namespace
}  // namespace nnc::ops
