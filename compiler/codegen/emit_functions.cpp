// The functions of an emitted header that its users call.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/emit_text.h"

namespace nnc::codegen {

namespace {

struct Signature {
  std::string parameters;  // "const float* image, float* probability"
  std::string row;         // the same as arguments of run_row
  std::string block;       // and of run_block, from row `first` on
  std::string one;         // of run_row, for row `row`
};

Signature signature_of(const EmitRequest& request, const EmitNames& names) {
  std::vector<std::string> parameters, row, block, one;
  const bool loaded = request.weights == EmitWeights::file;
  if (loaded) parameters.push_back("const void* weights");
  row.push_back(loaded                                   ? "weights"
                : request.weights == EmitWeights::object ? "data::" + names.symbol
                                                         : "&data::weights");
  block = one = row;
  const auto add = [&](const EmitValue& value, const std::string& name, const char* constant) {
    parameters.push_back(fmt::format("{}{}* {}", constant, cpp_type_of(value), name));
    row.push_back(name);
    block.push_back(fmt::format("{} + first * {}", name, value.elements()));
    one.push_back(fmt::format("{} + row * {}", name, value.elements()));
  };
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    add(request.inputs[i], names.inputs[i], "const ");
  }
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    add(request.outputs[i], names.outputs[i], "");
  }
  const auto list = [](const std::vector<std::string>& items) {
    return fmt::format("{}", fmt::join(items, ", "));
  };
  return {list(parameters), list(row), list(block), list(one)};
}

// The body of a prediction: `call` with scratch named `arena` in scope.
struct Scratch {
  size_t bytes = 0;
  bool on_stack() const { return bytes <= max_stack_scratch; }
  bool none() const { return bytes == 0; }
};

std::string function(const std::string& head, const std::string& body) {
  return wrap_cpp("inline void " + head + " noexcept {", 0) + "\n" + body + "}\n";
}

// One function with scratch on the stack, or two: with the caller's workspace, and for convenience
// with a thread-local one.
std::string with_scratch(const std::string& name, const std::string& parameters,
                         const std::string& arguments, const std::string& body,
                         const Scratch& scratch) {
  const std::string head = fmt::format("{}({}", name, parameters);
  if (scratch.none()) {
    return function(head + ")", "  unsigned char* const arena = nullptr;\n" + body);
  }
  if (scratch.on_stack()) {
    return function(head + ")",
                    fmt::format("  alignas(64) unsigned char arena[{}];\n", scratch.bytes) + body);
  }
  const std::string align =
      "  // The kernels' scratch begins at a multiple of 64.\n"
      "  const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(workspace);\n"
      "  unsigned char* const arena =\n"
      "      static_cast<unsigned char*>(workspace) + ((64 - start % 64) % 64);\n";
  return "// `workspace`: workspace_size bytes, of nobody else while this runs.\n" +
         function(head + ", void* workspace)", align + body) +
         "// The same with a workspace that each thread keeps.\n" +
         function(head + ")",
                  "  alignas(64) static thread_local unsigned char buffer[workspace_size];\n" +
                      wrap_cpp(fmt::format("  {}({}, buffer);\n", name, arguments), 2));
}

std::string argument_list(const EmitRequest& request, const EmitNames& names) {
  std::vector<std::string> list;
  if (request.weights == EmitWeights::file) list.push_back("weights");
  list.insert(list.end(), names.inputs.begin(), names.inputs.end());
  list.insert(list.end(), names.outputs.begin(), names.outputs.end());
  return fmt::format("{}", fmt::join(list, ", "));
}

// In the loop over blocks: what is left over goes row by row where that is faster.
std::string few_rows_text(const EmitRequest& request, const Signature& signature) {
  if (request.few_rows == 0) return "";
  return fmt::format(
      "    if (count < {}) {{\n      for (std::size_t row = first; row < rows; ++row)\n{}      "
      "return;\n    }}\n",
      request.few_rows,
      wrap_cpp(fmt::format("        kernels::run_row({}, 1, arena);\n", signature.one), 8));
}

}  // namespace

std::string emit_constants(const EmitRequest& request) {
  std::vector<std::string> order;
  for (int64_t i = 0; i < request.block_rows; ++i) order.push_back(fmt::format("{}", i));
  std::string text = "// Row r of a block is its r-th row.\n" +
                     wrap_cpp(fmt::format("inline constexpr std::int32_t row_order[{}] = {{{}}};",
                                          request.block_rows, fmt::join(order, ", ")),
                              0) +
                     "\n";
  if (!request.scalars.empty()) {
    std::vector<std::string> scalars;
    for (double value : request.scalars) scalars.push_back(cpp_float(kernel::Scalar::f64, value));
    text += wrap_cpp(fmt::format("inline constexpr double scalars[] = {{{}}};",
                                 fmt::join(scalars, ", ")),
                     0) +
            "\n";
  }
  return text;
}

std::string emit_functions(const EmitRequest& request, const EmitNames& names) {
  const Signature signature = signature_of(request, names);
  const std::string arguments = argument_list(request, names);
  std::string text = "// Predicts one row. May run in any number of threads at once.\n";
  text +=
      with_scratch("predict", signature.parameters, arguments,
                   wrap_cpp(fmt::format("  kernels::run_row({}, 1, arena);\n", signature.row), 2),
                   {row_scratch(request)});
  text +=
      "\n// Predicts `rows` rows, each after the other in memory. Gives each row the bits that\n"
      "// predict gives it.\n";
  const std::string body = fmt::format(
      "  for (std::size_t first = 0; first < rows; first += block_rows) {{\n"
      "    const std::size_t count = rows - first < block_rows ? rows - first : block_rows;\n{}{}  "
      "}}\n",
      few_rows_text(request, signature),
      wrap_cpp(fmt::format("    kernels::run_block({}, static_cast<std::int64_t>(count), arena);\n",
                           signature.block),
               4));
  const size_t scratch = request.few_rows > 0
                             ? std::max(row_scratch(request), block_scratch(request))
                             : block_scratch(request);
  text += with_scratch("predict_batch", signature.parameters + ", std::size_t rows",
                       arguments + ", rows", body, {scratch});
  return text;
}

}  // namespace nnc::codegen
