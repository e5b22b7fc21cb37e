// Random convolutions with their derivatives as native code against the reference: geometry,
// groups, every vector level, one to three threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "compiler/autodiff/autodiff.h"
#include "compiler/kernel/program.h"
#include "compiler/layers/convolve.h"
#include "compiler/passes/pass.h"
#include "tests/support/graph_runner.h"

namespace {

using namespace nnc;
using List = std::vector<int64_t>;

enum class Kind { plain, transposed, channels };

struct Case {
  Kind kind = Kind::plain;
  ir::DType dtype = ir::DType::f32;
  int64_t rows = 1, channels = 1, filters = 1, groups = 1;
  List extents;  // of the input
  layers::Sliding sliding;
  bool learns = false;      // the step changes the weights
  bool simplified = false;  // before derivatives are taken, as the compiler does
  std::string text() const {
    std::string t = std::to_string(static_cast<int>(kind)) + " rows " + std::to_string(rows) +
                    " channels " + std::to_string(channels) + " filters " +
                    std::to_string(filters) + " groups " + std::to_string(groups);
    for (size_t i = 0; i < extents.size(); ++i)
      t += " | " + std::to_string(extents[i]) + " k" + std::to_string(sliding.size[i]) + " s" +
           std::to_string(sliding.stride[i]) + " d" + std::to_string(sliding.dilation[i]) + " p" +
           std::to_string(sliding.before[i]) + "," + std::to_string(sliding.after[i]);
    return t;
  }
};

class Draw {
 public:
  explicit Draw(uint64_t seed) : engine_(seed) {}
  int64_t from(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }

 private:
  std::mt19937_64 engine_;
};

Case random_case(uint64_t seed) {
  Draw d(seed);
  Case c;
  c.kind = static_cast<Kind>(d.from(0, 2));
  c.dtype = d.from(0, 3) == 0 ? ir::DType::f64 : ir::DType::f32;
  c.rows = d.from(1, 7);
  c.groups = d.from(0, 2) == 0 ? d.from(2, 3) : 1;
  c.channels = c.groups * d.from(1, 5);
  c.filters = c.groups * (d.from(0, 5) == 0 ? 17 : d.from(1, 6));
  const int64_t axes = d.from(0, 3) == 0 ? (d.from(0, 1) == 0 ? 1 : 3) : 2;
  for (int64_t i = 0; i < axes; ++i) {
    c.sliding.size.push_back(d.from(1, axes == 3 ? 2 : 4));
    c.sliding.stride.push_back(d.from(1, 3));
    c.sliding.dilation.push_back(d.from(0, 2) == 0 ? d.from(2, 3) : 1);
    const bool pads = c.kind != Kind::transposed && d.from(0, 1) == 0;
    c.sliding.before.push_back(pads ? d.from(0, 2) : 0);
    c.sliding.after.push_back(pads ? d.from(0, 2) : 0);
    const int64_t least =
        c.sliding.reach(static_cast<size_t>(i)) - c.sliding.before.back() - c.sliding.after.back();
    const int64_t smallest = c.kind == Kind::transposed ? 1 : std::max<int64_t>(least, 1);
    c.extents.push_back(smallest + d.from(0, axes == 3 ? 2 : 5));
  }
  c.simplified = d.from(0, 1) == 0;
  return c;
}

// y = convolution of input x with state w; its derivatives along a third array.
std::unique_ptr<ir::Graph> graph_of(const Case& c, uint64_t seed) {
  auto graph = std::make_unique<ir::Graph>("step", c.rows);
  ir::Builder b(*graph);
  ir::Shape picture{{1, true}};
  for (int64_t extent : c.extents) picture.push_back({extent, false});
  picture.push_back({c.channels, false});
  List kernel = c.sliding.size;
  const int64_t multiplier = (c.filters + c.groups - 1) / c.groups;
  if (c.kind == Kind::channels)
    kernel.insert(kernel.end(), {c.channels, multiplier});
  else
    kernel.insert(kernel.end(), {c.channels / c.groups, c.filters});
  ir::Value* x = graph->add_param(ir::ParamKind::input, "x", {c.dtype, picture}, "x");
  ir::Value* w =
      graph->add_param(ir::ParamKind::state, "w", {c.dtype, ir::fixed_shape(kernel)}, "w");
  Draw d(seed + 1);
  List whole;
  for (size_t i = 0; i < c.extents.size(); ++i)
    whole.push_back((c.extents[i] - 1) * c.sliding.stride[i] + c.sliding.reach(i) +
                    d.from(0, c.sliding.stride[i] - 1));
  ir::Value* y = c.kind == Kind::plain ? layers::convolve(b, x, w, c.sliding, c.groups)
                 : c.kind == Kind::transposed
                     ? layers::convolve_transposed(b, x, w, c.sliding, whole, c.groups)
                     : layers::convolve_channels(b, x, w, c.sliding);
  y = b.unary("tanh", y);
  ir::Value* along = graph->add_param(ir::ParamKind::input, "along", y->type, "along");
  graph->add_output("loss", b.mul(y, along));
  graph->add_output("y", y);
  if (c.simplified) passes::run_passes(*graph, passes::canonical_passes());
  const auto gradients = autodiff::gradients(*graph, graph->outputs.front().value, {x, w});
  graph->add_output("dx", gradients[0]);
  graph->add_output("dw", gradients[1]);
  if (c.learns) {
    b.assign(w, b.sub(w, b.mul(gradients[1], b.constant_like(0.1, gradients[1]))));
  }
  return graph;
}

bool in_stripes(const std::vector<std::string>& schedules) {
  return std::any_of(schedules.begin(), schedules.end(), [](const std::string& schedule) {
    return schedule.find("blocks of") != std::string::npos;
  });
}

// With `rows` of the rows that the graph was made for. Whether its pictures lay in stripes.
bool check_against_reference(const Case& c, uint64_t seed, int64_t rows) {
  const std::string text = "seed " + std::to_string(seed) + " kind " + c.text();
  CAPTURE(text);
  CAPTURE(rows);
  const auto graph = graph_of(c, seed);
  REQUIRE_NOTHROW(ir::verify(*graph));
  const auto smaller = graph->clone();
  smaller->batch = rows;
  const auto params = test::random_params(*smaller, seed, -1, 1);
  const auto expected = ir::evaluate(*graph, params, {.batch = rows});
  std::string fma_bits;
  bool striped = false;
  const auto isas = test::runnable_isas();
  for (size_t i = 0; i < isas.size(); ++i) {
    if (seed % 2 == 0 && i % 2 != seed / 2 % 2) continue;  // half of them at half of the levels
    const std::string level = kernel::name_of(isas[i]);
    CAPTURE(level);
    std::string bits;
    std::vector<std::string> schedules;
    test::Tensors got;
    const test::RunOptions options{
        .isa = isas[i],
        .core = seed % 3 == 0 ? kernel::Core::intel : kernel::Core::common,
        .rows = rows,
        .same_bits_threads = {2, 3, 5},
        .schedules = &schedules};
    REQUIRE_NOTHROW(got = test::run_native(*graph, params, options, &bits));
    striped = striped || in_stripes(schedules);
    // Sums of up to a few thousand products of numbers below 1.
    const double limit = c.dtype == ir::DType::f64 ? 1e-13 : 4e-5;
    for (const auto& [name, tensor] : expected) {
      CAPTURE(name);
      CHECK(test::distance(got.at(name), tensor) < limit);
    }
    if (!kernel::target_for(isas[i]).fma) continue;
    if (fma_bits.empty()) fma_bits = bits;
    CHECK(bits == fma_bits);
  }
  return striped;
}

TEST_CASE("convolutions and their derivatives run natively as the reference says") {
  for (uint64_t seed = 1; seed <= 48; ++seed) {
    const Case c = random_case(seed);
    check_against_reference(c, seed, c.rows);
  }
}

// Without groups, and enough rows for pictures with the batch last.
Case many_rows(uint64_t seed) {
  Case c = random_case(seed);
  if (c.kind == Kind::channels) c.kind = Kind::plain;
  c.channels /= c.groups;
  c.filters /= c.groups;
  c.groups = 1;
  c.rows = List{32, 33, 47, 64, 48, 40}[seed % 6];
  return c;
}

// Full vectors of rows, and what is left over, of full and partial batches.
TEST_CASE("convolutions of few channels with the batch last") {
  int converted = 0;
  for (uint64_t seed = 101; seed <= 124; ++seed) {
    const Case c = many_rows(seed);
    const auto graph = graph_of(c, seed);
    converted += passes::put_batch_last(*graph) ? 1 : 0;
    check_against_reference(c, seed,
                            seed % 3 == 0 ? c.rows - List{1, 15, 31}[seed % 9 / 3] : c.rows);
  }
  CHECK(converted >= 12);
}

// A program that learns keeps them in stripes of rows, which a thread may have parts of.
TEST_CASE("convolutions with the batch last in stripes") {
  int striped = 0;
  for (uint64_t seed = 401; seed <= 424; ++seed) {
    Case c = many_rows(seed);
    c.learns = true;
    if (seed % 4 == 0) c.rows = seed % 8 == 0 ? 130 : 103;
    striped += check_against_reference(
        c, seed, seed % 3 == 0 ? c.rows - List{1, 15, 31}[seed % 9 / 3] : c.rows);
  }
  CHECK(striped >= 12);
}

// The gradient reads a picture that is as wide as the kernel, with a border on two sides only: its
// loops over taps could be one, were it not for the border.
TEST_CASE("a border across taps that lie in one line") {
  Case c;
  c.rows = 33;
  c.channels = 2;
  c.filters = 3;
  c.extents = {4, 5};
  c.sliding.size = {2, 3};
  c.sliding.stride = c.sliding.dilation = {1, 1};
  c.sliding.before = c.sliding.after = {1, 0};
  check_against_reference(c, 1, c.rows);
}

// A machine of small caches takes weight gradients by blocks of pictures, or of lines of one.
// A convolution and its weight gradient over a picture whose border of zeros the graph writes, or
// somebody else has written.
std::unique_ptr<ir::Graph> framed(const Case& c, bool written) {
  auto graph = std::make_unique<ir::Graph>("framed", c.rows);
  ir::Builder b(*graph);
  ir::Shape inside{{1, true}}, whole{{1, true}};
  List low{0}, high{0};
  for (size_t i = 0; i < c.extents.size(); ++i) {
    inside.push_back({c.extents[i]});
    whole.push_back({c.extents[i] + c.sliding.before[i] + c.sliding.after[i]});
    low.push_back(c.sliding.before[i]);
    high.push_back(c.sliding.after[i]);
  }
  for (ir::Shape* shape : {&inside, &whole}) shape->push_back({c.channels});
  low.push_back(0);
  high.push_back(0);
  ir::Value* x = graph->add_param(ir::ParamKind::input, "x", {ir::DType::f32, inside}, "x");
  ir::Value* frame =
      graph->add_param(ir::ParamKind::input, "frame", {ir::DType::f32, whole}, "frame");
  List kernel = c.sliding.size;
  kernel.insert(kernel.end(), {c.channels, c.filters});
  ir::Value* w =
      graph->add_param(ir::ParamKind::state, "w", {ir::DType::f32, ir::fixed_shape(kernel)}, "w");
  ir::Value* padded = b.pad(x, low, high);
  // By the numbers the same: `frame` is all zeros.
  if (!written) padded = b.add(frame, padded);
  layers::Sliding sliding = c.sliding;
  std::fill(sliding.before.begin(), sliding.before.end(), 0);
  std::fill(sliding.after.begin(), sliding.after.end(), 0);
  ir::Value* y = layers::convolve(b, padded, w, sliding, 1);
  graph->add_output("y", y);
  graph->add_output("dw", autodiff::gradients(*graph, b.mul(y, y), {w})[0]);
  return graph;
}

TEST_CASE("taps that meet a border of zeros are left out without changing a bit") {
  int borders = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Case c = random_case(seed);
    if (c.kind != Kind::plain) continue;
    CAPTURE(c.text());
    const auto written = framed(c, true), given = framed(c, false);
    auto params = test::random_params(*written, seed, -1, 1);
    for (double& number : params.at("frame").data) number = 0;
    const test::RunOptions options{.isa = test::runnable_isas().back(), .same_bits_threads = {2}};
    std::string skipped, added;
    test::run_native(*written, params, options, &skipped);
    test::run_native(*given, params, options, &added);
    CHECK(skipped == added);
    borders += std::accumulate(c.sliding.before.begin(), c.sliding.before.end(), 0) > 0;
  }
  CHECK(borders >= 10);
}

TEST_CASE("blocks of a sum change no bits") {
  int blocked = 0;
  for (uint64_t seed = 301; seed <= 324; ++seed) {
    Case c = many_rows(seed);
    c.rows = 13 + static_cast<int64_t>(seed % 19);
    c.filters += seed % 3 == 0 ? 13 : 0;
    const std::string text = "seed " + std::to_string(seed) + " kind " + c.text();
    CAPTURE(text);
    const auto graph = graph_of(c, seed);
    const auto params = test::random_params(*graph, seed, -1, 1);
    const auto isas = test::runnable_isas();
    std::string whole, parts;
    std::vector<std::string> schedules;
    test::RunOptions options{.isa = isas[seed % isas.size()]};
    test::run_native(*graph, params, options, &whole);
    options.same_bits_threads = {2, 3, 5};
    options.l1_bytes = seed % 2 == 0 ? 1024 : 4096;
    options.l2_bytes = 8192;
    options.schedules = &schedules;
    REQUIRE_NOTHROW(test::run_native(*graph, params, options, &parts));
    CHECK(parts == whole);
    blocked += std::any_of(schedules.begin(), schedules.end(), [](const std::string& schedule) {
      return schedule.find("by blocks") != std::string::npos;
    });
  }
  CHECK(blocked >= 12);
}

// Channels for whole vectors, and lines that tiles cover, divide, or cross.
Case wide_case(int64_t width, int64_t size, int64_t filters) {
  Case c;
  c.rows = 3;
  c.channels = 16;
  c.filters = filters;
  c.extents = {width, width};
  c.sliding.size = {size, size};
  c.sliding.stride = c.sliding.dilation = {1, 1};
  c.sliding.before = c.sliding.after = {size / 2, size / 2};
  return c;
}

TEST_CASE("tiles of pixels lie along lines and across them") {
  for (const int64_t width : {6, 7, 12, 14, 28})
    for (const int64_t size : {1, 3})
      for (const int64_t filters : {16, 33})
        check_against_reference(wide_case(width, size, filters), static_cast<uint64_t>(501 + width),
                                3);
}

// tanh of a convolution that keeps the size of its pictures.
std::unique_ptr<ir::Graph> plain_graph(const Case& c) {
  auto graph = std::make_unique<ir::Graph>("step", c.rows);
  ir::Builder b(*graph);
  const int64_t width = c.extents[0], size = c.sliding.size[0];
  ir::Value* x = graph->add_param(
      ir::ParamKind::input, "x",
      {c.dtype, {{1, true}, {width, false}, {width, false}, {c.channels, false}}}, "x");
  ir::Value* w =
      graph->add_param(ir::ParamKind::state, "w",
                       {c.dtype, ir::fixed_shape({size, size, c.channels, c.filters})}, "w");
  graph->add_output("y", b.unary("tanh", layers::convolve(b, x, w, c.sliding, 1)));
  return graph;
}

// To divide up the place of every row of a tile took a tenth of the time of a convolution.
TEST_CASE("a tile knows its pixels without dividing") {
  for (const auto& [width, size] : {std::pair{7, 3}, {14, 3}, {28, 3}, {7, 1}, {9, 1}}) {
    CAPTURE(width);
    CAPTURE(size);
    auto graph = plain_graph(wide_case(width, size, 32));
    passes::run_passes(*graph, passes::step_passes());
    const auto target = kernel::target_for(kernel::Isa::avx512);
    const auto program = kernel::lower_program(*graph, {{"w", 0}}, target);
    int products = 0;
    for (const kernel::GroupSummary& group : program.groups) {
      if (group.flops == 0) continue;
      const std::string text = kernel::print(*program.module.find(group.function));
      CHECK(text.find(": i64 = div ") == std::string::npos);
      ++products;
    }
    CHECK(products == 1);
  }
}

// A program for few rows keeps the channels last: the same rows, the same sums.
TEST_CASE("results have the same bits wherever the batch stands") {
  for (uint64_t seed = 201; seed <= 212; ++seed) {
    CAPTURE(seed);
    Case c = many_rows(seed);
    const auto last = graph_of(c, seed);
    c.rows = 31;
    const auto first = graph_of(c, seed);
    const auto params = test::random_params(*first, seed, -1, 1);
    const auto before = test::run_native(*first, params, {.threads = 2});
    const auto after = test::run_native(*last, params, {.threads = 2, .rows = 31});
    for (const char* name : {"y", "loss", "dx"}) {
      CAPTURE(name);
      CHECK(test::distance(after.at(name), before.at(name)) == 0);
    }
  }
}

}  // namespace
