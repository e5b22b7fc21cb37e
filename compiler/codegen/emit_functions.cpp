// The functions of an emitted header that its users call.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_text.h"

namespace nnc::codegen {

namespace {

struct Signature {
  std::string parameters;  // "const float* image, float* probability"
  std::string row;         // the same as arguments of run_row
  std::string block;       // and of run_block, from row `first` on
  std::string one;         // of run_row, for row `row`
};

Signature signature_of(const EmitRequest& request, const EmitNames& names, size_t f) {
  const EmitFunction& function = request.functions[f];
  const FunctionNames& own = names.functions[f];
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
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    add(function.inputs[i], own.inputs[i], "const ");
  }
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    add(function.outputs[i], own.outputs[i], "");
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

std::string argument_list(const EmitRequest& request, const FunctionNames& names) {
  std::vector<std::string> list;
  if (request.weights == EmitWeights::file) list.push_back("weights");
  list.insert(list.end(), names.inputs.begin(), names.inputs.end());
  list.insert(list.end(), names.outputs.begin(), names.outputs.end());
  return fmt::format("{}", fmt::join(list, ", "));
}

// In the loop over blocks: what is left over goes row by row where that is faster.
std::string few_rows_text(const EmitFunction& function, const FunctionNames& own,
                          const Signature& signature) {
  if (function.few_rows == 0) return "";
  return fmt::format(
      "    if (count < {}) {{\n      for (std::size_t row = first; row < rows; ++row)\n{}      "
      "return;\n    }}\n",
      function.few_rows,
      wrap_cpp(fmt::format("        kernels::{}({}, 1, arena);\n", own.run_row(), signature.one),
               8));
}

}  // namespace

std::string emit_constants(const EmitRequest& request, const EmitNames& names) {
  int64_t block_rows = 1;
  for (const EmitFunction& function : request.functions)
    block_rows = std::max(block_rows, function.block_rows);
  std::vector<std::string> order;
  for (int64_t i = 0; i < block_rows; ++i) order.push_back(fmt::format("{}", i));
  std::string text = "// Row r of a block is its r-th row.\n" +
                     wrap_cpp(fmt::format("inline constexpr std::int32_t row_order[{}] = {{{}}};",
                                          block_rows, fmt::join(order, ", ")),
                              0) +
                     "\n";
  for (size_t f = 0; f < request.functions.size(); ++f) {
    if (request.functions[f].scalars.empty()) continue;
    std::vector<std::string> scalars;
    for (double value : request.functions[f].scalars)
      scalars.push_back(cpp_float(kernel::Scalar::f64, value));
    text += wrap_cpp(fmt::format("inline constexpr double {}[] = {{{}}};",
                                 names.functions[f].scalars(), fmt::join(scalars, ", ")),
                     0) +
            "\n";
  }
  return text;
}

namespace {

std::string emit_function(const EmitRequest& request, const EmitNames& names, size_t f) {
  const EmitFunction& function = request.functions[f];
  const FunctionNames& own = names.functions[f];
  const Signature signature = signature_of(request, names, f);
  const std::string arguments = argument_list(request, own);
  const std::string does = own.is_predict() ? "Predicts" : "Computes " + own.name + " for";
  std::string text = cpp_comment(does + " one row. May run in any number of threads at once.");
  text += with_scratch(
      own.name, signature.parameters, arguments,
      wrap_cpp(fmt::format("  kernels::{}({}, 1, arena);\n", own.run_row(), signature.row), 2),
      {row_scratch(function)});
  text +=
      "\n" + cpp_comment(fmt::format("{} `rows` rows, each after the other in memory. Gives each "
                                     "row the bits that\n{} gives it.",
                                     does, own.name));
  const std::string body = fmt::format(
      "  for (std::size_t first = 0; first < rows; first += {0}) {{\n"
      "    const std::size_t count = rows - first < {0} ? rows - first : {0};\n{1}{2}  "
      "}}\n",
      own.block_rows(), few_rows_text(function, own, signature),
      wrap_cpp(fmt::format("    kernels::{}({}, static_cast<std::int64_t>(count), arena);\n",
                           own.run_block(), signature.block),
               4));
  const size_t scratch = function.few_rows > 0
                             ? std::max(row_scratch(function), block_scratch(function))
                             : block_scratch(function);
  text += with_scratch(own.batch(), signature.parameters + ", std::size_t rows",
                       arguments + ", rows", body, {scratch});
  return text;
}

// The inputs of a byte overload: what is stored as bytes comes so, anything else as before.
struct ByteCall {
  std::string parameters;  // "const unsigned char* image, float* probability"
  std::string copies;      // statements: from bytes to numbers, `count` rows from row `first` on
  std::string arguments;   // of the function for numbers
  size_t row_bytes = 0;    // of the numbers of one row
};

bool takes_bytes(const EmitValue& value) { return value.bytes && value.elements() > 0; }

// For a batch, pointers move on with `first`.
ByteCall byte_call(const EmitRequest& request, const EmitNames& names, size_t f, int64_t rows,
                   const std::string& storage, bool batch) {
  const EmitFunction& function = request.functions[f];
  const FunctionNames& own = names.functions[f];
  std::vector<std::string> parameters, arguments;
  ByteCall call;
  if (request.weights == EmitWeights::file) {
    parameters.push_back("const void* weights");
    arguments.push_back("weights");
  }
  const std::string pad = batch ? "    " : "  ";
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    const EmitValue& value = function.inputs[i];
    const std::string& name = own.inputs[i];
    const std::string from = batch ? fmt::format("{} + first * {}", name, value.elements()) : name;
    if (!takes_bytes(value)) {
      parameters.push_back(fmt::format("const {}* {}", cpp_type_of(value), name));
      arguments.push_back(from);
      continue;
    }
    parameters.push_back("const unsigned char* " + name);
    arguments.push_back(name + "_numbers");
    const std::string bytes = batch ? fmt::format("first * {0} + i", value.elements()) : "i";
    const std::string count =
        batch ? fmt::format("count * {}", value.elements()) : std::to_string(value.elements());
    call.copies += fmt::format(
        "{0}{1}{2} {3}_numbers[{4}];\n{0}for (std::size_t i = 0; i < {5}; ++i)\n"
        "{0}  {3}_numbers[i] = static_cast<{2}>({3}[{6}]);\n",
        pad, storage, cpp_type_of(value), name, rows * value.elements(), count, bytes);
    call.row_bytes += static_cast<size_t>(value.elements()) * abi::size_of(value.dtype);
  }
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    const EmitValue& value = function.outputs[i];
    const std::string& name = own.outputs[i];
    parameters.push_back(fmt::format("{}* {}", cpp_type_of(value), name));
    arguments.push_back(batch ? fmt::format("{} + first * {}", name, value.elements()) : name);
  }
  call.parameters = fmt::format("{}", fmt::join(parameters, ", "));
  call.arguments = fmt::format("{}", fmt::join(arguments, ", "));
  return call;
}

// Both again, for inputs as bytes; empty if no input is stored so.
std::string emit_byte_functions(const EmitRequest& request, const EmitNames& names, size_t f) {
  const EmitFunction& called = request.functions[f];
  const FunctionNames& own = names.functions[f];
  if (std::none_of(called.inputs.begin(), called.inputs.end(), takes_bytes)) return "";
  const size_t row = byte_call(request, names, f, 1, "", false).row_bytes;
  const bool on_stack = row <= max_stack_scratch;
  const std::string storage = on_stack ? "" : "static thread_local ";
  const int64_t rows = std::clamp<int64_t>(
      static_cast<int64_t>(max_stack_scratch / std::max<size_t>(row, 1)), 1, called.block_rows);
  const ByteCall one = byte_call(request, names, f, 1, storage, false);
  const ByteCall batch = byte_call(request, names, f, rows, storage, true);
  std::string text = "\n// The same with bytes 0 … 255, as pictures are stored.\n";
  text += function(fmt::format("{}({})", own.name, one.parameters),
                   one.copies + wrap_cpp(fmt::format("  {}({});\n", own.name, one.arguments), 2));
  text += function(
      fmt::format("{}({}, std::size_t rows)", own.batch(), batch.parameters),
      fmt::format("  for (std::size_t first = 0; first < rows; first += {0}) {{\n"
                  "    const std::size_t count = rows - first < {0} ? rows - first : {0};\n{1}{2}"
                  "  }}\n",
                  rows, batch.copies,
                  wrap_cpp(fmt::format("    {}({}, count);\n", own.batch(), batch.arguments), 4)));
  return text;
}

}  // namespace

std::string emit_functions(const EmitRequest& request, const EmitNames& names) {
  std::string text;
  for (size_t f = 0; f < request.functions.size(); ++f)
    text += (f == 0 ? "" : "\n") + emit_function(request, names, f) +
            emit_byte_functions(request, names, f);
  return text;
}

std::string emit_exports(const EmitRequest& request, const EmitNames& names) {
  const auto exported = [&](size_t f, const std::string& name, const std::string& rest,
                            const std::string& parameters) {
    const std::string arguments = argument_list(request, names.functions[f]);
    return wrap_cpp(fmt::format("void {}_{}({}{}) {{", names.space, name,
                                signature_of(request, names, f).parameters, parameters),
                    0) +
           "\n" + wrap_cpp(fmt::format("  {}::{}({}{});", names.space, name, arguments, rest), 2) +
           "\n}\n";
  };
  std::string text = fmt::format("\n#if defined({}_EXPORT)\nextern \"C\" {{\n", names.macro);
  if (request.weights == EmitWeights::file) {
    text += fmt::format(
        "std::size_t {0}_weights_size() {{ return {0}::weights_size; }}\n"
        "bool {0}_load_weights(const char* path, void* memory) {{\n"
        "  return {0}::load_weights(path, memory);\n}}\n",
        names.space);
  }
  for (size_t f = 0; f < request.functions.size(); ++f)
    text += exported(f, names.functions[f].name, "", "") +
            exported(f, names.functions[f].batch(), ", rows", ", std::size_t rows");
  return text + "}\n#endif\n";
}

}  // namespace nnc::codegen
