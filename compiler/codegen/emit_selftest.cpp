// The self-test of an emitted header: real rows and what the trained program said about them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_text.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

namespace {

std::string literal(abi::DType dtype, double number) {
  switch (dtype) {
    case abi::DType::f64: return cpp_float(kernel::Scalar::f64, number);
    case abi::DType::f32: return cpp_float(kernel::Scalar::f32, number);
    default: return cpp_integer(kernel::Scalar::i64, static_cast<int64_t>(number));
  }
}

std::string array(const std::string& model, const EmitValue& value, const std::string& name,
                  const std::vector<const std::vector<double>*>& rows) {
  std::string text = fmt::format("const {} {}[{}] = {{\n", cpp_type_of(value), name,
                                 rows.size() * static_cast<size_t>(value.elements()));
  for (const std::vector<double>* row : rows) {
    internal_check(row->size() == static_cast<size_t>(value.elements()),
                   "emit '" + model + "': a row of the self-test has the wrong size");
    text += initialiser_lines(*row, [&](double number) { return literal(value.dtype, number); });
  }
  return text + "};\n";
}

std::string arrays(const std::string& model, const EmitFunction& function,
                   const FunctionNames& names) {
  std::string text;
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    std::vector<const std::vector<double>*> rows;
    for (const EmitRow& row : function.rows) rows.push_back(&row.inputs.at(i));
    text += array(model, function.inputs[i], fmt::format("{}input_{}", names.prefix, i), rows);
  }
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    std::vector<const std::vector<double>*> rows;
    for (const EmitRow& row : function.rows) rows.push_back(&row.outputs.at(i));
    text += "\n// What the trained program answered.\n" +
            array(model, function.outputs[i], fmt::format("{}trained_{}", names.prefix, i), rows);
  }
  return text;
}

constexpr const char* check_function = R"(
// The largest error in units of max(1, |trained|); a NaN counts as infinite unless both have it.
template <class T>
double largest_error(const T* predicted, const T* trained, std::size_t count) {
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double p = static_cast<double>(predicted[i]), t = static_cast<double>(trained[i]);
    if ((std::isnan(p) && std::isnan(t)) || p == t) continue;
    const double size = std::fabs(t) > 1 ? std::fabs(t) : 1;
    const double error = std::isfinite(p) && std::isfinite(t)
                             ? std::fabs(p - t) / size
                             : std::numeric_limits<double>::infinity();
    if (error > largest) largest = error;
  }
  return largest;
}

bool report(const char* output, const char* function, double error, double tolerance) {
  const bool good = error <= tolerance;
  std::printf("%s (%s): largest error %.3g, tolerance %.3g: %s\n", output, function, error,
              tolerance, good ? "ok" : "WRONG");
  return good;
}
)";

// What main() says of one function.
struct Checks {
  std::string predicted;  // arrays for its answers
  std::string calls;      // both of its forms, compared
};

Checks checks_of(const EmitRequest& request, const EmitNames& names, size_t f) {
  const EmitFunction& function = request.functions[f];
  const FunctionNames& own = names.functions[f];
  const size_t rows = function.rows.size();
  std::string row_call = request.weights == EmitWeights::file ? "weights.data()" : "",
              batch_call = row_call, checks;
  const auto argument = [&](const std::string& name, const EmitValue& value) {
    row_call +=
        fmt::format("{}{} + row * {}", row_call.empty() ? "" : ", ", name, value.elements());
    batch_call += (batch_call.empty() ? "" : ", ") + name;
  };
  for (size_t i = 0; i < function.inputs.size(); ++i)
    argument(fmt::format("{}input_{}", own.prefix, i), function.inputs[i]);
  Checks result;
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    const EmitValue& output = function.outputs[i];
    const std::string name = fmt::format("{}predicted_{}", own.prefix, i);
    const size_t count = rows * static_cast<size_t>(output.elements());
    result.predicted += fmt::format("  static {} {}[{}];\n", cpp_type_of(output), name, count);
    argument(name, output);
    checks += fmt::format(
        "  good = report(\"{}\", function, largest_error({}, {}trained_{}, {}), "
        "{}::tolerance) && good;\n",
        own.outputs[i], name, own.prefix, i, count, names.space);
  }
  result.calls =
      fmt::format("  {}function = \"{}\";\n", f == 0 ? "const char* " : "", own.name) +
      fmt::format("  for (std::size_t row = 0; row < {}; ++row) {{\n{}\n  }}\n{}", rows,
                  wrap_cpp(fmt::format("    {}::{}({});", names.space, own.name, row_call), 4),
                  checks) +
      fmt::format("  function = \"{}\";\n", own.batch()) +
      wrap_cpp(fmt::format("  {}::{}({}, {});", names.space, own.batch(), batch_call, rows), 2) +
      "\n" + checks;
  return result;
}

std::string main_function(const EmitRequest& request, const EmitNames& names) {
  const bool loaded = request.weights == EmitWeights::file;
  std::string load;
  if (loaded) {
    load = fmt::format(
        "  std::vector<unsigned char> weights({0}::weights_size);\n"
        "  const char* path = argc > 1 ? argv[1] : \"{1}\";\n"
        "  if (!{0}::load_weights(path, weights.data())) {{\n"
        "    std::printf(\"cannot read the weights in %s\\n\", path);\n"
        "    return 1;\n  }}\n",
        names.space, names.weights);
  }
  std::string predicted, calls;
  for (size_t f = 0; f < request.functions.size(); ++f) {
    const Checks checks = checks_of(request, names, f);
    predicted += checks.predicted;
    calls += checks.calls;
  }
  return fmt::format("int main({}) {{\n{}{}  bool good = true;\n{}  return good ? 0 : 1;\n}}\n",
                     loaded ? "int argc, char** argv" : "", load, predicted, calls);
}

}  // namespace

std::string emit_selftest(const EmitRequest& request, const EmitNames& names) {
  const bool loaded = request.weights == EmitWeights::file;
  std::string tables;
  for (size_t f = 0; f < request.functions.size(); ++f)
    tables +=
        (f == 0 ? "" : "\n") + arrays(request.model, request.functions[f], names.functions[f]);
  return fmt::format(
             "// Checks {5} with {1} rows of data: returns 0 if every answer is within the\n"
             "// tolerance of the trained program's. Compile: c++ -std=c++17 -O2 "
             "{2}{4}\n"
             "#include \"{0}\"\n\n#include <cmath>\n#include <cstddef>\n#include "
             "<cstdint>\n#include <cstdio>\n#include <limits>\n{3}\n"
             "namespace {{\n\n",
             names.header, request.functions[0].rows.size(), names.self_test,
             loaded ? "#include <vector>\n" : "",
             request.weights == EmitWeights::object ? " " + names.object : "",
             plain_words(names.header)) +
         tables + check_function + "\n}  // namespace\n\n" + main_function(request, names);
}

}  // namespace nnc::codegen
