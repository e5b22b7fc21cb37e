#include "compiler/codegen/emit_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_facts.h"
#include "compiler/codegen/emit_weights.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

namespace {

std::string size_text(size_t bytes) {
  if (bytes < 10000) return fmt::format("{} bytes", bytes);
  if (bytes < (size_t{10} << 20)) return fmt::format("{} KiB", (bytes + 1023) >> 10);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / 0x1p20);
}

// Room to move a buffer's start to the next multiple of 64.
size_t with_slack(size_t bytes) { return bytes == 0 ? 0 : (bytes + 63) / 64 * 64 + 128; }

}  // namespace

const char* cpp_type_of(const EmitValue& value) {
  switch (value.dtype) {
    case abi::DType::f32: return "float";
    case abi::DType::f64: return "double";
    case abi::DType::i32: return "std::int32_t";
    case abi::DType::i64: return "std::int64_t";
    case abi::DType::bf16: throw InternalError("internal error: emitted values are never bf16");
    default: return "std::uint8_t";
  }
}

size_t row_scratch(const EmitFunction& function) {
  size_t bytes = 0;
  for (const EmitLevel& level : function.levels) bytes = std::max(bytes, level.row.arena_bytes);
  return with_slack(bytes);
}

size_t block_scratch(const EmitFunction& function) {
  size_t bytes = 0;
  for (const EmitLevel& level : function.levels) bytes = std::max(bytes, level.block.arena_bytes);
  return with_slack(bytes);
}

namespace {

std::string value_line(const char* role, const std::string& name, const EmitValue& value) {
  std::string line =
      fmt::format("  {:<7} {}: {}[{}]", role, name, cpp_type_of(value), value.elements());
  if (value.row_shape.size() > 1)
    line += fmt::format(", row-major [{}]", fmt::join(value.row_shape, ", "));
  if (!value.comment.empty()) line += ", " + value.comment;
  if (value.bytes) line += "; also as bytes (unsigned char)";
  const std::string meaning = meaning_of(value);
  if (!meaning.empty()) line += fmt::format("\n  {:<7} {}", "", plain_words(meaning));
  return cpp_comment(line);
}

std::string scratch_line(const EmitRequest& request) {
  size_t most = 0;
  for (const EmitFunction& function : request.functions)
    most = std::max({most, row_scratch(function), block_scratch(function)});
  if (most == 0) return "//   memory  no scratch, no heap, no state between calls\n";
  if (most <= max_stack_scratch) {
    return fmt::format("//   memory  at most {} of the stack; no heap, no state between calls\n",
                       size_text(most));
  }
  return fmt::format("//   memory  {} of workspace, given by the caller or thread-local; no heap\n",
                     size_text(most));
}

std::string value_lines(const EmitFunction& function, const FunctionNames& names) {
  std::string text;
  if (!names.is_predict()) text = cpp_comment("  function " + names.name);
  for (size_t i = 0; i < function.inputs.size(); ++i)
    text += value_line("input", names.inputs[i], function.inputs[i]);
  for (size_t i = 0; i < function.outputs.size(); ++i)
    text += value_line("output", names.outputs[i], function.outputs[i]);
  return text;
}

// "float x[m::x_size];  // fill it …", and the call.
std::string call_lines(const EmitRequest& request, const EmitNames& names, size_t f) {
  const EmitFunction& function = request.functions[f];
  const FunctionNames& own = names.functions[f];
  std::string declare, pass = request.weights == EmitWeights::file ? "weights.data()" : "";
  const auto add = [&](const EmitValue& value, const std::string& name, bool output) {
    declare += fmt::format("//     {} {}[{}::{}{}_size];{}\n", cpp_type_of(value), name,
                           names.space, own.prefix, name, output ? "" : "  // fill it");
    pass += (pass.empty() ? "" : ", ") + name;
  };
  for (size_t i = 0; i < function.inputs.size(); ++i) add(function.inputs[i], own.inputs[i], false);
  for (size_t i = 0; i < function.outputs.size(); ++i)
    add(function.outputs[i], own.outputs[i], true);
  return declare + fmt::format("//     {}::{}({});\n", names.space, own.name, pass);
}

std::string usage(const EmitRequest& request, const EmitNames& names) {
  std::string text =
      fmt::format("//\n// Use:\n//     #include \"{}\"\n", plain_words(names.header));
  if (request.weights == EmitWeights::file) {
    text += fmt::format(
        "//     std::vector<unsigned char> weights({0}::weights_size);\n"
        "//     if (!{0}::load_weights(\"{1}\", weights.data())) return 1;\n",
        names.space, names.weights);
  }
  for (size_t f = 0; f < request.functions.size(); ++f)
    text += (f == 0 ? "" : "//\n") + call_lines(request, names, f);
  return text;
}

}  // namespace

std::string emit_comment(const EmitRequest& request, const EmitNames& names) {
  std::string text = cpp_comment(fmt::format("{}: the model '{}' as standalone C++17.\n{}",
                                             names.header, request.model, request.summary));
  text += "//\n";
  std::vector<std::string> exported;
  for (size_t f = 0; f < request.functions.size(); ++f) {
    text += value_lines(request.functions[f], names.functions[f]);
    exported.push_back(names.space + "_" + names.functions[f].name);
  }
  const std::string place = request.weights == EmitWeights::file     ? "read from " + names.weights
                            : request.weights == EmitWeights::object ? "linked from " + names.object
                                                                     : "inside this file";
  text += fmt::format("//   weights {}, {}\n", size_text(request.state.size()), place);
  text += scratch_line(request);
  text += fmt::format(
      "//   answers within {} * max(1, |answer|) of those of the trained program; the same bits "
      "on\n"
      "//           processors with FMA, unless compiled for lesser ones (without -ffast-math, "
      "and\n"
      "//           without clang's -ffp-contract=fast)\n",
      request.tolerance);
  return text + usage(request, names) +
         cpp_comment(
             fmt::format("As a shared library with functions of C linkage ({4}):\n"
                         "    c++ -std=c++17 -O2 -fPIC -shared -D{1}_EXPORT -x c++ {2}{3} -o "
                         "lib{0}.so",
                         names.space, names.macro, plain_words(names.header),
                         request.weights == EmitWeights::object ? " -x none " + names.object : "",
                         fmt::join(exported, ", "))) +
         "//\n";
}

std::string emit_limits(const EmitRequest& request, const EmitNames& names) {
  size_t workspace = 0;
  std::string text;
  for (size_t f = 0; f < request.functions.size(); ++f) {
    const EmitFunction& function = request.functions[f];
    for (const size_t bytes : {row_scratch(function), block_scratch(function)})
      if (bytes > max_stack_scratch) workspace = std::max(workspace, bytes);
    text += fmt::format(
        "// Rows that {} computes at a time.\ninline constexpr std::size_t {} = {};\n",
        names.functions[f].batch(), names.functions[f].block_rows(), function.block_rows);
  }
  return text + fmt::format(
                    "// Bytes of workspace that a prediction takes from its caller; 0: none.\n"
                    "inline constexpr std::size_t workspace_size = {};\n"
                    "// |predicted - trained| <= tolerance * max(1, |trained|).\n"
                    "inline constexpr double tolerance = {:a};\n",
                    workspace, request.tolerance);
}

std::string initialiser_lines(const std::vector<double>& numbers,
                              const std::function<std::string(double)>& literal) {
  std::string text, line = "   ";
  for (double number : numbers) {
    const std::string item = literal(number);
    if (line.size() + item.size() + 2 > 100) {
      text += line + "\n";
      line = "   ";
    }
    line += " " + item + ",";
  }
  return text + line + "\n";
}

}  // namespace nnc::codegen
