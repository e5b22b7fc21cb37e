// Equal functions become one, and calls follow.
#include <doctest/doctest.h>

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
