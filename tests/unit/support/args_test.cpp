#include "compiler/support/args.h"

#include <doctest/doctest.h>

#include "compiler/support/diagnostics.h"

using namespace nnc;

namespace {

Value value(decltype(Value::data) data, bool given = true) {
  Value result;
  result.data = std::move(data);
  result.given = given;
  result.span.line = 7;
  return result;
}

}  // namespace

TEST_CASE("arguments are found by name and type") {
  Args args;
  args.whole.line = 3;
  args.set("units", value(int64_t{64}));
  args.set("rate", value(0.5, false));
  args.set("from", value(Name{"a", {}}));
  args.set("kernel", value(ListValue{value(int64_t{3}), value(int64_t{5})}));
  CHECK(args.integer("units") == 64);
  CHECK(args.number("units") == 64.0);
  CHECK(args.number("rate") == 0.5);
  CHECK(args.text("from") == "a");
  CHECK(args.integers("units") == std::vector<int64_t>{64});
  CHECK(args.integers("kernel") == std::vector<int64_t>{3, 5});
  CHECK(args.given("units"));
  CHECK(args.has("rate"));
  CHECK_FALSE(args.given("rate"));
  CHECK(args.span("units").line == 7);
  CHECK(args.span("rate").line == 3);  // a default stands nowhere
  CHECK(args.span("nothing").line == 3);
}

TEST_CASE("asking for what the schema does not promise is a bug, not a user's mistake") {
  Args args;
  args.set("units", value(int64_t{64}));
  CHECK_THROWS_AS(args.integer("unit"), InternalError);
  CHECK_THROWS_AS(args.text("units"), InternalError);
  CHECK_THROWS_AS(args.boolean("units"), InternalError);
}

TEST_CASE("setting a key again replaces it") {
  Args args;
  args.set("units", value(int64_t{1}));
  args.set("units", value(int64_t{2}));
  CHECK(args.integer("units") == 2);
  CHECK(args.values().size() == 1);
}
