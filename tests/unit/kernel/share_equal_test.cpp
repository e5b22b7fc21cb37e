// Equal functions become one, and calls follow.
#include <doctest/doctest.h>

#include <functional>

#include "compiler/kernel/builder.h"
#include "compiler/kernel/share_equal.h"

namespace {

using namespace nnc::kernel;

std::unique_ptr<Function> adds(const std::string& name, int64_t number, bool exported = false) {
  auto function = std::make_unique<Function>();
  function->name = name;
  function->exported = exported;
  Builder b(*function);
  const Value memory = b.param("memory", {Scalar::ptr, 1});
  const Value x = b.load({Scalar::i64, 1}, memory, b.i64(0));
  b.store(b.add(x, b.i64(number)), memory, b.i64(0));
  return function;
}

std::unique_ptr<Function> calls(const std::string& name, const std::vector<std::string>& callees) {
  auto function = std::make_unique<Function>();
  function->name = name;
  Builder b(*function);
  const Value memory = b.param("memory", {Scalar::ptr, 1});
  b.loop(b.i64(0), b.i64(2), b.i64(1), [&](Value) {
    for (const std::string& callee : callees) b.call(callee, {memory});
  });
  return function;
}

}  // namespace

TEST_CASE("functions that compute the same are written once") {
  Module module;
  module.functions.push_back(adds("first", 1));
  module.functions.push_back(adds("second", 2));
  module.functions.push_back(adds("third", 1));
  module.functions.push_back(adds("shown", 1, true));
  module.functions.push_back(calls("one", {"first", "second"}));
  module.functions.push_back(calls("same", {"third", "second"}));
  module.functions.push_back(calls("core", {"one", "same", "shown"}));
  share_equal(module);
  verify(module);
  std::vector<std::string> names;
  for (const auto& function : module.functions) names.push_back(function->name);
  CHECK(names == std::vector<std::string>{"first", "second", "shown", "one", "core"});
  const std::string core = print(*module.find("core"));
  CHECK(core.find("same") == std::string::npos);
  CHECK(core.find("one") != std::string::npos);
}

namespace {

// One instruction of every kind that carries something besides operands.
using Write = std::function<void(Builder&, Value memory, Value vector)>;

std::unique_ptr<Function> writes(const std::string& name, const Write& write) {
  auto function = std::make_unique<Function>();
  function->name = name;
  Builder b(*function);
  const Value memory = b.param("memory", {Scalar::ptr, 1});
  write(b, memory, b.load({Scalar::f32, 4}, memory, b.i64(0)));
  return function;
}

bool shared(const Write& one, const Write& other) {
  Module module;
  module.functions.push_back(writes("one", one));
  module.functions.push_back(writes("other", other));
  share_equal(module);
  return module.functions.size() == 1;
}

}  // namespace

TEST_CASE("whatever an instruction carries makes functions different") {
  const auto prefetch = [](int64_t distance, bool to_write) -> Write {
    return [=](Builder& b, Value memory, Value) { b.prefetch(memory, b.i64(distance), to_write); };
  };
  CHECK(shared(prefetch(64, false), prefetch(64, false)));
  CHECK_FALSE(shared(prefetch(64, false), prefetch(128, false)));
  CHECK_FALSE(shared(prefetch(64, false), prefetch(64, true)));
  const auto lane = [](int which) -> Write {
    return [=](Builder& b, Value memory, Value vector) {
      b.store(b.extract(vector, which), memory, b.i64(0));
    };
  };
  CHECK(shared(lane(1), lane(1)));
  CHECK_FALSE(shared(lane(1), lane(2)));
  const auto shuffle = [](std::vector<int> lanes) -> Write {
    return [=](Builder& b, Value memory, Value vector) {
      b.store(b.shuffle(vector, vector, lanes), memory, b.i64(0));
    };
  };
  CHECK(shared(shuffle({0, 1, 2, 3}), shuffle({0, 1, 2, 3})));
  CHECK_FALSE(shared(shuffle({0, 1, 2, 3}), shuffle({0, 1, 3, 2})));
  const auto number = [](double value) -> Write {
    return [=](Builder& b, Value memory, Value) {
      b.store(b.constant({Scalar::f32, 1}, value), memory, b.i64(0));
    };
  };
  CHECK(shared(number(0.0), number(0.0)));
  CHECK_FALSE(shared(number(0.0), number(-0.0)));
  CHECK_FALSE(shared(number(1.0), number(2.0)));
}
