// The self-test of C headers: real rows and what the trained program said about them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_c.h"
#include "compiler/codegen/emit_text.h"

namespace nnc::codegen {

namespace {

// A number of the type, as <math.h> spells those that are none.
std::string literal(abi::DType dtype, double number) {
  const bool single = dtype == abi::DType::f32;
  if (!single && dtype != abi::DType::f64)
    return cpp_integer(kernel::Scalar::i64, static_cast<int64_t>(number));
  if (single) number = static_cast<double>(static_cast<float>(number));
  if (std::isnan(number)) return single ? "(float)NAN" : "NAN";
  if (std::isinf(number)) return std::string(number < 0 ? "-" : "") + "INFINITY";
  return cpp_float(single ? kernel::Scalar::f32 : kernel::Scalar::f64, number);
}

std::string array(const EmitRequest& request, const EmitValue& value, const std::string& name,
                  size_t which, bool output) {
  std::string text = fmt::format("static const {} {}[{}] = {{\n", c_type_of(value), name,
                                 request.rows.size() * static_cast<size_t>(value.elements()));
  for (const EmitRow& row : request.rows) {
    text += initialiser_lines((output ? row.outputs : row.inputs).at(which),
                              [&](double number) { return literal(value.dtype, number); });
  }
  return text + "};\n";
}

constexpr const char* functions = R"(
/* In units of max(1, |trained|); a NaN counts as infinite unless both are one. */
static double error_of(double predicted, double trained) {
  const double size = fabs(trained) > 1 ? fabs(trained) : 1;
  if ((isnan(predicted) && isnan(trained)) || predicted == trained) return 0;
  if (!isfinite(predicted) || !isfinite(trained)) return INFINITY;
  return fabs(predicted - trained) / size;
}

static int report(const char* output, const char* function, double error, double tolerance) {
  const int good = error <= tolerance;
  printf("%s (%s): largest error %.3g, tolerance %.3g: %s\n", output, function, error, tolerance,
         good ? "ok" : "WRONG");
  return good;
}
)";

std::string main_function(const EmitRequest& request, const EmitNames& names) {
  const size_t rows = request.rows.size();
  std::string one, batch, checks;
  const auto argument = [&](const std::string& name, const EmitValue& value) {
    one += fmt::format("{} + row * {}, ", name, value.elements());
    batch += name + ", ";
  };
  for (size_t i = 0; i < request.inputs.size(); ++i)
    argument(fmt::format("input_{}", i), request.inputs[i]);
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    const std::string name = fmt::format("predicted_{}", i);
    argument(name, request.outputs[i]);
    checks += fmt::format(
        "    error = 0;\n    for (i = 0; i < {0}; ++i) {{\n"
        "      const double e = error_of((double){1}[i], (double)trained_{2}[i]);\n"
        "      if (e > error) error = e;\n    }}\n"
        "    good = report(\"{3}\", function, error, {4}_TOLERANCE) && good;\n",
        rows * static_cast<size_t>(request.outputs[i].elements()), name, i, names.outputs[i],
        names.macro);
  }
  return fmt::format(
             "int main(void) {{\n  size_t row, i;\n  int good = 1, batch;\n  double error;\n"
             "  for (batch = 0; batch < 2; ++batch) {{\n"
             "    const char* function = batch ? \"predict_batch\" : \"predict\";\n"
             "    if (batch)\n") +
         wrap_cpp(
             fmt::format("      {}_predict_batch({}{}, workspace);\n", names.space, batch, rows),
             6) +
         fmt::format("    for (row = 0; !batch && row < {}; ++row)\n", rows) +
         wrap_cpp(fmt::format("      {}_predict({}workspace);\n", names.space, one), 6) + checks +
         "  }\n  return good ? 0 : 1;\n}\n";
}

}  // namespace

std::string emit_c_selftest(const EmitRequest& request, const std::string& link) {
  const EmitNames names = names_of(request);
  std::string text =
      c_comment(fmt::format("Checks {} with {} rows of data: returns 0 if every answer is within "
                            "the\ntolerance of the trained program's. Compile:\n{}",
                            names.header, request.rows.size(), link)) +
      fmt::format("#include \"{}\"\n\n#include <math.h>\n#include <stdio.h>\n\n", names.header);
  for (size_t i = 0; i < request.inputs.size(); ++i)
    text += array(request, request.inputs[i], fmt::format("input_{}", i), i, false);
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    text += "\n" + c_comment("What the trained program answered.") +
            array(request, request.outputs[i], fmt::format("trained_{}", i), i, true) +
            fmt::format("static {} predicted_{}[{}];\n", c_type_of(request.outputs[i]), i,
                        request.rows.size() * static_cast<size_t>(request.outputs[i].elements()));
  }
  return text + fmt::format("static char workspace[{}_WORKSPACE_SIZE];\n", names.macro) +
         functions + "\n" + main_function(request, names);
}

}  // namespace nnc::codegen
