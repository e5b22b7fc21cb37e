#include "runtime/state.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "runtime/rng.h"

using namespace nnc;
using namespace nnc::runtime;
using abi::Initial;

namespace {

abi::StateDesc state(Initial::Kind kind, double a, double b, int64_t elements,
                     abi::DType dtype = abi::DType::f32) {
  abi::StateDesc desc;
  desc.name = "w";
  desc.dtype = dtype;
  desc.shape = {elements};
  desc.stream = stream_of("w");
  desc.initial.kind = kind;
  desc.initial.a = a;
  desc.initial.b = b;
  return desc;
}

template <class T>
std::vector<T> values(const abi::StateDesc& desc, uint64_t seed) {
  std::vector<T> result(desc.elements());
  initialize(desc, seed, {}, result.data());
  return result;
}

}  // namespace

TEST_CASE("constants and values are what they say") {
  CHECK(values<float>(state(Initial::Kind::constant, 0.5, 0, 3), 1) ==
        std::vector<float>{0.5f, 0.5f, 0.5f});
  abi::StateDesc desc = state(Initial::Kind::values, 0, 0, 2, abi::DType::f64);
  desc.initial.values = {3, 4};
  CHECK(values<double>(desc, 1) == std::vector<double>{3, 4});
  desc.initial.values = {3};
  CHECK_THROWS_WITH(values<double>(desc, 1),
                    "state 'w' has 2 elements, but its initial value has 1");
}

TEST_CASE("random states lie where they should and depend on the seed") {
  const auto uniform = state(Initial::Kind::uniform, -0.25, 0.75, 5001);
  double mean = 0;
  for (float x : values<float>(uniform, 3)) {
    CHECK((x >= -0.25f && x <= 0.75f));
    mean += x / 5001.0;
  }
  CHECK(mean == doctest::Approx(0.25).epsilon(0.1));
  CHECK(values<float>(uniform, 3) == values<float>(uniform, 3));
  CHECK(values<float>(uniform, 3) != values<float>(uniform, 4));

  double square = 0;
  for (float x : values<float>(state(Initial::Kind::normal, 1, 2, 5001), 3)) {
    square += (x - 1) * (x - 1) / 5001.0;
  }
  CHECK(square == doctest::Approx(4).epsilon(0.1));
  for (float x : values<float>(state(Initial::Kind::truncated_normal, 1, 2, 5001), 3)) {
    CHECK(std::abs(x - 1) <= 4);
  }
}

TEST_CASE("an element does not depend on how many there are") {
  for (auto kind :
       {Initial::Kind::uniform, Initial::Kind::normal, Initial::Kind::truncated_normal}) {
    const auto few = values<double>(state(kind, 0, 1, 7, abi::DType::f64), 5);
    auto many = values<double>(state(kind, 0, 1, 12, abi::DType::f64), 5);
    many.resize(7);
    CHECK(few == many);
  }
}

TEST_CASE("fitted states take their statistic") {
  abi::StateDesc desc = state(Initial::Kind::fitted, 0, 0, 2);
  desc.initial.fit_field = "x";
  desc.initial.fit_step = 1;
  desc.initial.fit_statistic = "stddev";
  FittedStep step{"x", 1, {1, 2}, {3, 4}, {5, 6}, {7, 8}};
  std::vector<float> out(2);
  initialize(desc, 0, {step}, out.data());
  CHECK(out == std::vector<float>{3, 4});
  step.step = 0;
  CHECK_THROWS_WITH(initialize(desc, 0, {step}, out.data()),
                    "state 'w' needs prepare step 1 of field 'x', which was not fitted");
}

TEST_CASE("a state in panels starts with the numbers that it has in rows") {
  abi::Program program;
  program.states = {state(Initial::Kind::normal, 0, 1, 0)};
  abi::StateDesc& desc = program.states[0];
  desc.shape = {3, 8};
  program.state_bytes = 96;
  const Buffer rows = initial_state(program, 7);
  desc.panel = 4;
  CHECK(desc.stored_shape() == std::vector<int64_t>{2, 3, 4});
  const Buffer panels = initial_state(program, 7);
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 8; ++j)
      CHECK(panels.as<float>()[(j / 4 * 3 + i) * 4 + j % 4] == rows.as<float>()[i * 8 + j]);
  std::vector<float> read(24);
  read_state(desc, panels, read.data());
  CHECK(std::memcmp(read.data(), rows.data(), 96) == 0);
}
