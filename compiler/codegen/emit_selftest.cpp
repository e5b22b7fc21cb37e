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

std::string array(const EmitRequest& request, const EmitValue& value, const std::string& name,
                  const std::vector<const std::vector<double>*>& rows) {
  std::string text = fmt::format("const {} {}[{}] = {{\n", cpp_type_of(value), name,
                                 rows.size() * static_cast<size_t>(value.elements()));
  for (const std::vector<double>* row : rows) {
    internal_check(row->size() == static_cast<size_t>(value.elements()),
                   "emit '" + request.model + "': a row of the self-test has the wrong size");
    text += initialiser_lines(*row, [&](double number) { return literal(value.dtype, number); });
  }
  return text + "};\n";
}

std::string arrays(const EmitRequest& request) {
  std::string text;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    std::vector<const std::vector<double>*> rows;
    for (const EmitRow& row : request.rows) rows.push_back(&row.inputs.at(i));
    text += array(request, request.inputs[i], fmt::format("input_{}", i), rows);
  }
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    std::vector<const std::vector<double>*> rows;
    for (const EmitRow& row : request.rows) rows.push_back(&row.outputs.at(i));
    text += "\n// What the trained program answered.\n" +
            array(request, request.outputs[i], fmt::format("trained_{}", i), rows);
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

std::string main_function(const EmitRequest& request, const EmitNames& names) {
  const bool loaded = request.weights == EmitWeights::file;
  const size_t rows = request.rows.size();
  std::string predicted, row_call = loaded ? "weights.data()" : "", batch_call = row_call, checks;
  const auto argument = [&](const std::string& name, const EmitValue& value) {
    row_call +=
        fmt::format("{}{} + row * {}", row_call.empty() ? "" : ", ", name, value.elements());
    batch_call += (batch_call.empty() ? "" : ", ") + name;
  };
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    argument(fmt::format("input_{}", i), request.inputs[i]);
  }
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    const EmitValue& output = request.outputs[i];
    const std::string name = fmt::format("predicted_{}", i);
    const size_t count = rows * static_cast<size_t>(output.elements());
    predicted += fmt::format("  static {} {}[{}];\n", cpp_type_of(output), name, count);
    argument(name, output);
    checks += fmt::format(
        "  good = report(\"{}\", function, largest_error({}, trained_{}, {}), "
        "{}::tolerance) && good;\n",
        names.outputs[i], name, i, count, names.space);
  }
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
  std::string text = fmt::format("int main({}) {{\n{}{}  bool good = true;\n",
                                 loaded ? "int argc, char** argv" : "", load, predicted);
  text += "  const char* function = \"predict\";\n";
  text +=
      fmt::format("  for (std::size_t row = 0; row < {}; ++row) {{\n{}\n  }}\n{}", rows,
                  wrap_cpp(fmt::format("    {}::predict({});", names.space, row_call), 4), checks);
  text += "  function = \"predict_batch\";\n";
  text += wrap_cpp(fmt::format("  {}::predict_batch({}, {});", names.space, batch_call, rows), 2);
  text += "\n" + checks + "  return good ? 0 : 1;\n}\n";
  return text;
}

}  // namespace

std::string emit_selftest(const EmitRequest& request, const EmitNames& names) {
  const bool loaded = request.weights == EmitWeights::file;
  return fmt::format(
             "// Checks {5} with {1} rows of data: returns 0 if every answer is within the\n"
             "// tolerance of the trained program's. Compile: c++ -std=c++17 -O2 "
             "{2}{4}\n"
             "#include \"{0}\"\n\n#include <cmath>\n#include <cstddef>\n#include "
             "<cstdint>\n#include <cstdio>\n#include <limits>\n{3}\n"
             "namespace {{\n\n",
             names.header, request.rows.size(), names.self_test,
             loaded ? "#include <vector>\n" : "",
             request.weights == EmitWeights::object ? " " + names.object : "",
             plain_words(names.header)) +
         arrays(request) + check_function + "\n}  // namespace\n\n" + main_function(request, names);
}

}  // namespace nnc::codegen
