// How good is the register tile that the cost model chooses? Compiles and times every candidate
// for random shapes of products, and compares the choice with the fastest.
//
// usage: tile_choice [--shapes N] [--seed N] [--shape M,N,K[T] …] [--mean-loss X]
//                    [--worst-loss X] [--verbose] [--record FILE] [--replay FILE]
// --record appends the times of all candidates to a file; --replay judges a changed model by them.
// Exit status 1 if the geometric mean of the loss, or the worst, is above its limit.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>

#include "compiler/ir/builder.h"
#include "compiler/jit/jit.h"
#include "compiler/kernel/program.h"
#include "compiler/kernel/tile.h"
#include "compiler/passes/pass.h"
#include "runtime/memory.h"

namespace {

using namespace nnc;

struct Shape {
  int64_t m, n, k;
  bool transposed;  // A is stored [k, m], as for a weight gradient
  bool operator==(const Shape&) const = default;
};

// One contraction with a relu, on one thread, ready to be called.
class Timed {
 public:
  Timed(const Shape& shape, const kernel::Target& target) {
    ir::Graph graph("tile", 1);
    ir::Builder b(graph);
    const std::vector<int64_t> left =
        shape.transposed ? std::vector{shape.k, shape.m} : std::vector{shape.m, shape.k};
    const auto param = [&](const char* name, const std::vector<int64_t>& dims) {
      return graph.add_param(ir::ParamKind::state, name, {ir::DType::f32, ir::fixed_shape(dims)},
                             name);
    };
    ir::Value* x = param("x", left);
    ir::Value* y = param("y", {shape.k, shape.n});
    const ir::Attributes axes{{"lhs", std::vector<int64_t>{shape.transposed ? 0 : 1}},
                              {"rhs", std::vector<int64_t>{0}}};
    graph.add_output("z", b.unary("relu", b.op("contract", {x, y}, axes)));
    passes::run_passes(graph, passes::step_passes());
    const size_t bytes = static_cast<size_t>(shape.k * shape.m) * 4;
    const size_t second = (bytes + 127) / 64 * 64;
    auto program = kernel::lower_program(graph, {{"x", 0}, {"y", second}}, target);
    program.module.waited_for = true;  // compiled as steps are
    jit::Options options;
    options.target = target;
    code_ = jit::compile(program.module, options);
    entry_ = reinterpret_cast<abi::EntryFn>(code_->lookup(program.entry));
    state_ = runtime::Buffer::zeros(second + static_cast<size_t>(shape.k * shape.n) * 4);
    std::fill_n(state_.as<float>(), state_.size() / 4, 0.25f);
    result_ = runtime::Buffer::zeros(static_cast<size_t>(shape.m * shape.n) * 4);
    arena_ = runtime::Buffer::zeros(program.plan.arena_bytes + program.plan.thread_bytes);
    outputs_ = {result_.data()};
    context_.state = state_.data();
    context_.arena = arena_.data();
    context_.outputs = outputs_.data();
    context_.rows = 1;
  }

  // Seconds of the fastest of `rounds` runs of about the given length.
  double seconds(int rounds, double length) {
    entry_(&context_, 0);
    double best = 1e9;
    int calls = 1;
    for (int i = 0; i < rounds; ++i) {
      const auto start = std::chrono::steady_clock::now();
      for (int call = 0; call < calls; ++call) entry_(&context_, 0);
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
      best = std::min(best, passed.count() / calls);
      calls = std::clamp(static_cast<int>(length / best), 1, 100'000);
    }
    return best;
  }

 private:
  std::unique_ptr<jit::Executable> code_;
  abi::EntryFn entry_ = nullptr;
  runtime::Buffer state_, result_, arena_;
  std::vector<void*> outputs_;
  abi::Context context_;
};

struct Candidate {
  kernel::Tile tile;
  std::unique_ptr<Timed> timed;
  double seconds = 1e9;
};

kernel::TileShape tile_shape(const Shape& shape) {
  return {shape.m, shape.n, shape.k, 1, 4, shape.n, shape.transposed, shape.n > 1};
}

kernel::Target one_thread() {
  kernel::Target target = kernel::host_target();
  target.threads = 1;
  return target;
}

std::vector<Candidate> candidates(const Shape& shape) {
  kernel::Target target = one_thread();
  std::vector<Candidate> list;
  for (const kernel::Tile& tile : kernel::tile_candidates(tile_shape(shape), target)) {
    target.forced_rows = static_cast<int>(tile.rows);
    target.forced_vectors = static_cast<int>(tile.panels.front());
    target.forced_packing = tile.packed;
    target.forced_rest = static_cast<int>(tile.rest);
    list.push_back({tile, std::make_unique<Timed>(shape, target), 1e9});
  }
  return list;
}

bool same(const kernel::Tile& a, const kernel::Tile& b) {
  return a.rows == b.rows && a.panels == b.panels && a.packed == b.packed && a.rest == b.rest;
}

// All candidates are timed shortly, then those that could be the best, and the choice, again in
// turns.
std::vector<Candidate> measured(const Shape& shape) {
  auto list = candidates(shape);
  const kernel::Tile choice = kernel::choose_tile(tile_shape(shape), one_thread());
  for (Candidate& candidate : list) candidate.seconds = candidate.timed->seconds(3, 2e-4);
  double best = 1e9;
  for (const Candidate& candidate : list) best = std::min(best, candidate.seconds);
  const double bar = 1.15 * best;
  for (int round = 0; round < 6; ++round)
    for (Candidate& candidate : list)
      if (same(candidate.tile, choice) || candidate.seconds < bar)
        candidate.seconds = std::min(candidate.seconds, candidate.timed->seconds(3, 2e-4));
  return list;
}

// The loss of the choice: its time over the best time.
double loss_of(const Shape& shape, const std::vector<Candidate>& list, bool verbose) {
  const kernel::Tile choice = kernel::choose_tile(tile_shape(shape), one_thread());
  const auto fastest = std::min_element(
      list.begin(), list.end(), [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  const auto chosen =
      std::find_if(list.begin(), list.end(), [&](const auto& c) { return same(c.tile, choice); });
  const double loss = chosen->seconds / fastest->seconds;
  if (verbose) {
    const double flops = 2.0 * static_cast<double>(shape.m * shape.n * shape.k);
    std::printf(
        "%5ld %5ld %5ld %s  chosen %2ldx%ld%s+%ld %7.2f us   best %2ldx%ld%s+%ld %7.2f us "
        "%4.0f GFLOP/s"
        "   loss %.3f\n",
        shape.m, shape.n, shape.k, shape.transposed ? "T" : " ", chosen->tile.rows,
        chosen->tile.panels.front(), chosen->tile.packed ? "p" : " ", chosen->tile.rest,
        chosen->seconds * 1e6, fastest->tile.rows, fastest->tile.panels.front(),
        fastest->tile.packed ? "p" : " ", fastest->tile.rest, fastest->seconds * 1e6,
        flops / fastest->seconds * 1e-9, loss);
    std::fflush(stdout);
  }
  return loss;
}

// What was measured, a line for each candidate, to try another model on the same times.
void record(std::ostream& file, const Shape& shape, const std::vector<Candidate>& list) {
  for (const Candidate& c : list)
    file << shape.m << ' ' << shape.n << ' ' << shape.k << ' ' << shape.transposed << ' '
         << c.tile.rows << ' ' << c.tile.panels.front() << ' ' << c.tile.packed << ' '
         << c.tile.rest << ' ' << c.seconds << '\n';
}

struct Measurement {
  Shape shape;
  std::vector<Candidate> list;
};

std::vector<Measurement> recorded(const char* path) {
  std::vector<Measurement> all;
  std::ifstream file(path);
  Shape shape{};
  int64_t rows = 0, vectors = 0, rest = 0;
  bool packed = false;
  double seconds = 0;
  while (file >> shape.m >> shape.n >> shape.k >> shape.transposed >> rows >> vectors >> packed >>
         rest >> seconds) {
    if (all.empty() || !(all.back().shape == shape)) all.push_back({shape, {}});
    for (const kernel::Tile& tile : kernel::tile_candidates(tile_shape(shape), one_thread()))
      if (tile.rows == rows && tile.panels.front() == vectors && tile.packed == packed &&
          tile.rest == rest)
        all.back().list.push_back({tile, nullptr, seconds});
  }
  return all;
}

// Sizes as networks have them: round numbers and odd ones, up to 1024.
Shape random_shape(std::mt19937_64& random) {
  const auto size = [&](double low, double high) {
    std::uniform_real_distribution<double> exponent(std::log2(low), std::log2(high));
    const auto value = static_cast<int64_t>(std::exp2(exponent(random)));
    return random() % 2 == 0 && value > 16 ? value / 16 * 16 : value;
  };
  Shape shape{};
  do {
    shape = {size(1, 1024), size(1, 1024), size(8, 1024), random() % 2 == 0};
  } while (shape.m * shape.n * shape.k > 60'000'000 || shape.m * shape.n * shape.k < 2'000);
  return shape;
}

struct Options {
  int shapes = 200;
  uint64_t seed = 1;
  double mean_limit = 0.03, worst_limit = 0.15;
  bool verbose = false;
  std::vector<Shape> given;
  const char* record = nullptr;
  const char* replay = nullptr;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--verbose") options.verbose = true;
    if (i + 1 == argc) break;
    const char* value = argv[i + 1];
    if (name == "--shapes") options.shapes = std::atoi(value);
    if (name == "--seed") options.seed = std::strtoull(value, nullptr, 10);
    if (name == "--mean-loss") options.mean_limit = std::atof(value);
    if (name == "--worst-loss") options.worst_limit = std::atof(value);
    if (name == "--record") options.record = value;
    if (name == "--replay") options.replay = value;
    Shape shape{};
    if (name == "--shape" && std::sscanf(value, "%ld,%ld,%ld", &shape.m, &shape.n, &shape.k) == 3) {
      shape.transposed = std::strchr(value, 'T') != nullptr;
      options.given.push_back(shape);
    }
  }
  return options;
}

std::vector<Shape> shapes_of(const Options& options) {
  if (!options.given.empty()) return options.given;
  std::mt19937_64 random(options.seed);
  std::vector<Shape> shapes;
  for (int i = 0; i < options.shapes; ++i) shapes.push_back(random_shape(random));
  return shapes;
}

std::vector<double> losses(const Options& options) {
  std::vector<double> list;
  if (options.replay) {
    for (const Measurement& m : recorded(options.replay))
      list.push_back(loss_of(m.shape, m.list, options.verbose));
    return list;
  }
  std::ofstream file;
  if (options.record) file.open(options.record, std::ios::app);
  for (const Shape& shape : shapes_of(options)) {
    const auto times = measured(shape);
    if (options.record) record(file, shape, times);
    list.push_back(loss_of(shape, times, options.verbose));
  }
  return list;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const auto list = losses(options);
  double sum = 0, worst = 1;
  for (double loss : list) {
    sum += std::log(loss);
    worst = std::max(worst, loss);
  }
  const double mean = std::exp(sum / static_cast<double>(list.size())) - 1;
  std::printf("%zu shapes: the chosen tile loses %.1f %% (geometric mean), %.1f %% at worst\n",
              list.size(), 100 * mean, 100 * (worst - 1));
  return mean <= options.mean_limit && worst - 1 <= options.worst_limit ? 0 : 1;
}
