#include <doctest/doctest.h>

#include <thread>

#include "compiler/support/diagnostics.h"
#include "tests/unit/jit/samples.h"

using namespace nnc;

namespace {

jit::Options not_kept() {
  jit::Options options;
  options.target = kernel::host_target();
  return options;
}

bool scales_by(const jit::Executable& executable, const char* name, float factor) {
  std::vector<float> data(37);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i) - 5;
  reinterpret_cast<testing::ScaleFn>(executable.lookup(name))(data.data(), 36);
  for (size_t i = 0; i < 36; ++i) {
    if (data[i] != (static_cast<float>(i) - 5) * factor + 1) return false;
  }
  return data[36] == 31;  // behind the end
}

}  // namespace

TEST_CASE("exported functions are found by name, others are not") {
  kernel::Module module;
  const auto options = not_kept();
  testing::add_scale(module, "inner", 2, options.target, false);
  testing::add_scale(module, "block.1/dense", 3, options.target);
  auto executable = jit::compile(module, options);
  CHECK(scales_by(*executable, "block.1/dense", 3));
  CHECK(executable->lookup("inner") == nullptr);
  CHECK(executable->lookup("absent") == nullptr);
}

TEST_CASE("equal functions are compiled once and different ones are not merged") {
  kernel::Module module;
  const auto options = not_kept();
  testing::add_scale(module, "twice_a", 2, options.target, false).comment = "layer a";
  testing::add_scale(module, "twice_b", 2, options.target, false).comment = "layer b";
  testing::add_scale(module, "thrice", 3, options.target, false);
  for (const char* callee : {"twice_a", "twice_b", "thrice"}) {
    module.functions.push_back(std::make_unique<kernel::Function>());
    kernel::Function& caller = *module.functions.back();
    caller.name = std::string("call_") + callee;
    caller.exported = true;
    kernel::Builder b(caller);
    auto data = b.param("data", {kernel::Scalar::ptr, 1});
    auto n = b.param("n", {kernel::Scalar::i64, 1});
    b.call(callee, {data, n});
  }
  kernel::verify(module);
  for (int threads : {1, 2, 8}) {
    jit::Options parallel = options;
    parallel.compile_threads = threads;
    jit::Timings timings;
    auto executable = jit::compile(module, parallel, &timings);
    CHECK(timings.functions == 6);
    CHECK(timings.distinct == 5);
    CHECK(scales_by(*executable, "call_twice_a", 2));
    CHECK(scales_by(*executable, "call_twice_b", 2));
    CHECK(scales_by(*executable, "call_thrice", 3));
    CHECK(executable->stack_bytes().size() == 6);
  }
}

TEST_CASE("an empty module and a module without exports compile") {
  kernel::Module module;
  CHECK(jit::compile(module, not_kept())->lookup("x") == nullptr);
  testing::add_scale(module, "inner", 2, kernel::host_target(), false);
  CHECK(jit::compile(module, not_kept())->lookup("inner") == nullptr);
}

TEST_CASE("a barrier calls the function it is given") {
  kernel::Module module;
  module.functions.push_back(std::make_unique<kernel::Function>());
  kernel::Function& function = *module.functions.back();
  function.name = "wait";
  function.exported = true;
  kernel::Builder b(function);
  auto barrier = b.param("barrier", {kernel::Scalar::ptr, 1});
  auto state = b.param("state", {kernel::Scalar::ptr, 1});
  auto thread = b.param("thread", {kernel::Scalar::i64, 1});
  b.barrier(barrier, state, thread);
  b.barrier(barrier, state, b.add(thread, b.i64(1)));
  kernel::verify(module);
  auto executable = jit::compile(module, not_kept());
  using Barrier = void (*)(void*, int64_t);
  std::vector<int64_t> seen;
  Barrier record = [](void* list, int64_t thread) {
    static_cast<std::vector<int64_t>*>(list)->push_back(thread);
  };
  reinterpret_cast<void (*)(Barrier, void*, int64_t)>(executable->lookup("wait"))(record, &seen, 7);
  CHECK(seen == std::vector<int64_t>{7, 8});
}

TEST_CASE("several threads compile at once into one cache") {
  testing::TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::vector<int> right(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 6; ++round) {
        jit::Options options = not_kept();
        options.cache_dir = folder.path;
        options.compile_threads = 2;
        const float factor = static_cast<float>(round % 3 + t % 2 + 2);
        options.identity = std::to_string(factor);
        auto code = jit::load({"scale"}, options);
        if (!code) code = jit::compile(testing::scale_module(factor, options.target), options);
        right[t] += scales_by(*code, "scale", factor);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == std::vector<int>(4, 6));
}

TEST_CASE("code for another machine is refused") {
  jit::Options options = not_kept();
  const auto other =
      kernel::host_supports(kernel::Isa::neon) ? kernel::Isa::sse2 : kernel::Isa::neon;
  options.target = kernel::target_for(other);
  CHECK_THROWS_AS(jit::compile(testing::scale_module(2, options.target), options), InternalError);
}

TEST_CASE("code for Intel's cores leaves the code for others as it was") {
  using kernel::Core;
  if (kernel::host_target().isa == kernel::Isa::neon) return;
  const auto object = [](Core core) {
    const kernel::Target target = kernel::target_for(kernel::Isa::avx2, core);
    kernel::Module module;
    for (int rows = 1; rows <= 6; ++rows)
      testing::add_matmul(module, "matmul_" + std::to_string(rows), target, rows, 2);
    return jit::emit_object(module, target);
  };
  const auto common = object(Core::common), intel = object(Core::intel);
  CHECK(common != intel);  // padding before jumps
  CHECK(object(Core::common) == common);
  CHECK(object(Core::intel) == intel);
  std::vector<std::vector<uint8_t>> beside(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < beside.size(); ++i)
    threads.emplace_back([&, i] { beside[i] = object(i % 2 ? Core::intel : Core::common); });
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < beside.size(); ++i) CHECK(beside[i] == (i % 2 ? intel : common));
}
