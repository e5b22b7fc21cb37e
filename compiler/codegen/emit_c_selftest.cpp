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

std::string array(const EmitFunction& function, const EmitValue& value, const std::string& name,
                  size_t which, bool output) {
  std::string text = fmt::format("static const {} {}[{}] = {{\n", c_type_of(value), name,
                                 function.rows.size() * static_cast<size_t>(value.elements()));
  for (const EmitRow& row : function.rows) {
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

std::string checks_of(const EmitRequest& request, const EmitNames& names, size_t f) {
  const EmitFunction& function = request.functions[f];
  const FunctionNames& own = names.functions[f];
  const size_t rows = function.rows.size();
  std::string one, batch, checks;
  const auto argument = [&](const std::string& name, const EmitValue& value) {
    one += fmt::format("{} + row * {}, ", name, value.elements());
    batch += name + ", ";
  };
  for (size_t i = 0; i < function.inputs.size(); ++i)
    argument(fmt::format("{}input_{}", own.prefix, i), function.inputs[i]);
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    const std::string name = fmt::format("{}predicted_{}", own.prefix, i);
    argument(name, function.outputs[i]);
    checks += fmt::format(
        "    error = 0;\n    for (i = 0; i < {0}; ++i) {{\n"
        "      const double e = error_of((double){1}[i], (double){5}trained_{2}[i]);\n"
        "      if (e > error) error = e;\n    }}\n"
        "    good = report(\"{3}\", function, error, {4}_TOLERANCE) && good;\n",
        rows * static_cast<size_t>(function.outputs[i].elements()), name, i, own.outputs[i],
        names.macro, own.prefix);
  }
  const std::string name = names.space + "_" + own.name;
  return fmt::format(
             "  for (batch = 0; batch < 2; ++batch) {{\n"
             "    const char* function = batch ? \"{}\" : \"{}\";\n"
             "    if (batch)\n",
             own.batch(), own.name) +
         wrap_cpp(fmt::format("      {}_batch({}{}, workspace);\n", name, batch, rows), 6) +
         fmt::format("    for (row = 0; !batch && row < {}; ++row)\n", rows) +
         wrap_cpp(fmt::format("      {}({}workspace);\n", name, one), 6) + checks + "  }\n";
}

std::string arrays(const EmitFunction& function, const FunctionNames& names) {
  std::string text;
  for (size_t i = 0; i < function.inputs.size(); ++i)
    text +=
        array(function, function.inputs[i], fmt::format("{}input_{}", names.prefix, i), i, false);
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    const EmitValue& output = function.outputs[i];
    text += "\n" + c_comment("What the trained program answered.") +
            array(function, output, fmt::format("{}trained_{}", names.prefix, i), i, true) +
            fmt::format("static {} {}predicted_{}[{}];\n", c_type_of(output), names.prefix, i,
                        function.rows.size() * static_cast<size_t>(output.elements()));
  }
  return text;
}

}  // namespace

std::string emit_c_selftest(const EmitRequest& request, const std::string& link) {
  const EmitNames names = names_of(request);
  std::string text =
      c_comment(fmt::format("Checks {} with {} rows of data: returns 0 if every answer is within "
                            "the\ntolerance of the trained program's. Compile:\n{}",
                            names.header, request.functions[0].rows.size(), link)) +
      fmt::format("#include \"{}\"\n\n#include <math.h>\n#include <stdio.h>\n\n", names.header);
  std::string checks;
  for (size_t f = 0; f < request.functions.size(); ++f) {
    text += arrays(request.functions[f], names.functions[f]);
    checks += checks_of(request, names, f);
  }
  return text + fmt::format("static char workspace[{}_WORKSPACE_SIZE];\n", names.macro) +
         functions +
         "\nint main(void) {\n  size_t row, i;\n  int good = 1, batch;\n  double error;\n" +
         checks + "  return good ? 0 : 1;\n}\n";
}

}  // namespace nnc::codegen
