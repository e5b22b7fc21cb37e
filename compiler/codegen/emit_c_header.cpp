#include "compiler/codegen/emit_c_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_facts.h"
#include "compiler/codegen/emit_identity.h"
#include "compiler/codegen/emit_text.h"
#include "compiler/codegen/emit_weights.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

namespace {

const char* c_type_of(const EmitValue& value) {
  const std::string type = cpp_type_of(value);
  if (type == "float") return "float";
  if (type == "double") return "double";
  if (type == "std::int32_t") return "int32_t";
  return type == "std::int64_t" ? "int64_t" : "uint8_t";
}

void rename_calls(kernel::Block& block, const std::string& suffix) {
  for (kernel::Instruction& item : block.instructions) {
    if (item.op == kernel::Op::call) item.callee += suffix;
    if (item.body) rename_calls(*item.body, suffix);
    if (item.other) rename_calls(*item.other, suffix);
  }
}

// One function body for a block of rows: fills the context and calls `symbol`.
std::string call_text(const EmitRequest& request, const EmitNames& names, const std::string& symbol,
                      const std::string& first, const std::string& rows) {
  std::vector<std::string> inputs, orders, outputs, order, scalars;
  const auto at = [&](const EmitValue& value, const std::string& name) {
    return first.empty() ? name : fmt::format("{} + {} * {}", name, first, value.elements());
  };
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    inputs.push_back(at(request.inputs[i], names.inputs[i]));
    orders.push_back("row_order");
  }
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    outputs.push_back(at(request.outputs[i], names.outputs[i]));
  }
  const int64_t most = first.empty() ? 1 : request.block_rows;
  for (int64_t i = 0; i < most; ++i) order.push_back(std::to_string(i));
  for (double value : request.scalars) {
    scalars.push_back(cpp_float(kernel::Scalar::f64, value));
  }
  const std::string pad = first.empty() ? "  " : "    ";
  const auto line = [&](const std::string& text) {
    return wrap_cpp(pad + text, static_cast<int>(pad.size())) + "\n";
  };
  std::string text = line(
      fmt::format("static const int32_t row_order[{}] = {{{}}};", most, fmt::join(order, ", ")));
  if (!scalars.empty()) {
    text += line(fmt::format("static const double scalars[] = {{{}}};", fmt::join(scalars, ", ")));
  }
  const auto assign = [&](const char* what, const char* type,
                          const std::vector<std::string>& list) {
    text += line(fmt::format("{} {}[{}];", type, what, std::max<size_t>(list.size(), 1)));
    for (size_t i = 0; i < list.size(); ++i) {
      text += line(fmt::format("{}[{}] = {};", what, i, list[i]));
    }
  };
  text += line(fmt::format("struct {}_context context;", names.space));
  assign("inputs", "const void*", inputs);
  assign("orders", "const int32_t*", orders);
  assign("outputs", "void*", outputs);
  text += line("context.inputs = inputs;") + line("context.row_order = orders;") +
          line("context.outputs = outputs;") +
          line(fmt::format("context.weights = (void*)(uintptr_t){};", names.symbol)) +
          line("context.workspace = (void*)(((uintptr_t)workspace + 63) / 64 * 64);") +
          line(fmt::format("context.scalars = {};", scalars.empty() ? "0" : "scalars")) +
          line(fmt::format("context.rows = {};", rows)) + line("context.threads = 1;") +
          line("context.barrier = 0;") + line("context.barrier_state = 0;") +
          line(fmt::format("{}(&context, 0);", symbol));
  return text;
}

std::string parameters(const EmitRequest& request, const EmitNames& names) {
  std::vector<std::string> list;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    list.push_back(fmt::format("const {}* {}", c_type_of(request.inputs[i]), names.inputs[i]));
  }
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    list.push_back(fmt::format("{}* {}", c_type_of(request.outputs[i]), names.outputs[i]));
  }
  return fmt::format("{}", fmt::join(list, ", "));
}

std::string sizes(const EmitRequest& request, const EmitNames& names, size_t arena_bytes) {
  return c_facts(request, names) + c_comment("Rows that are computed at a time.") +
         fmt::format("#define {}_BLOCK_ROWS {}\n", names.macro, request.block_rows) +
         c_comment("Bytes of the workspace, which may begin anywhere.") +
         fmt::format("#define {}_WORKSPACE_SIZE {}\n\n", names.macro, arena_bytes + 64);
}

std::string declarations(const EmitRequest& request, const EmitNames& names) {
  return c_comment(fmt::format("In {}, at a multiple of 64.", names.object)) +
         fmt::format("extern const unsigned char {}[{}];\n\n", names.symbol,
                     request.state.size() + weights_slack) +
         c_comment("What the functions of the object are called with: use those below.") +
         fmt::format(
             "struct {0}_context {{\n  const void* const* inputs;\n"
             "  const int32_t* const* row_order;\n  void* const* outputs;\n  void* weights;\n"
             "  void* workspace;\n  const double* scalars;\n  int64_t rows;\n  int64_t threads;\n"
             "  void (*barrier)(void*, int64_t);\n  void* barrier_state;\n}};\n"
             "void {1}(const struct {0}_context* context, int64_t thread);\n"
             "void {2}(const struct {0}_context* context, int64_t thread);\n\n",
             names.space, c_row_symbol(request), c_block_symbol(request));
}

// In the loop over blocks: what is left over goes row by row where that is faster.
std::string few_rows_text(const EmitRequest& request, const EmitNames& names) {
  if (request.few_rows == 0) return "";
  std::string arguments;
  const auto add = [&](const EmitValue& value, const std::string& name) {
    arguments += fmt::format("{} + first * {}, ", name, value.elements());
  };
  for (size_t i = 0; i < request.inputs.size(); ++i) add(request.inputs[i], names.inputs[i]);
  for (size_t i = 0; i < request.outputs.size(); ++i) add(request.outputs[i], names.outputs[i]);
  return fmt::format(
             "    if (count < {}) {{\n      for (; first < rows; ++first)\n{}", request.few_rows,
             wrap_cpp(fmt::format("        {}_predict({}workspace);\n", names.space, arguments),
                      8)) +
         "      return;\n    }\n";
}

std::string functions(const EmitRequest& request, const EmitNames& names) {
  const std::string list = parameters(request, names);
  const auto head = [&](const std::string& name, const std::string& rest) {
    return wrap_cpp(fmt::format("static inline void {}_{}({}{}) {{", names.space, name, list, rest),
                    0) +
           "\n";
  };
  return c_comment("Predicts one row. `workspace`: of nobody else while this runs.") +
         head("predict", ", void* workspace") +
         call_text(request, names, c_row_symbol(request), "", "1") + "}\n\n" +
         c_comment("Predicts rows that lie one after the other in memory.") +
         head("predict_batch", ", size_t rows, void* workspace") +
         fmt::format(
             "  size_t first;\n  for (first = 0; first < rows; first += {0}) {{\n"
             "    const size_t count = rows - first < {0} ? rows - first : {0};\n",
             request.block_rows) +
         few_rows_text(request, names) +
         call_text(request, names, c_block_symbol(request), "first", "(int64_t)count") + "  }\n}\n";
}

}  // namespace

std::string c_row_symbol(const EmitRequest& request) {
  return names_of(request).space + "_row_" + weights_hash(request);
}

std::string c_block_symbol(const EmitRequest& request) {
  return names_of(request).space + "_block_" + weights_hash(request);
}

namespace {

// One thread waits for nobody, and the header has no barrier to call.
void drop_barriers(kernel::Block& block) {
  std::erase_if(block.instructions, [](const kernel::Instruction& instruction) {
    return instruction.op == kernel::Op::barrier;
  });
  for (kernel::Instruction& instruction : block.instructions) {
    if (instruction.body) drop_barriers(*instruction.body);
    if (instruction.other) drop_barriers(*instruction.other);
  }
}

}  // namespace

kernel::Module join_for_object(const EmitRequest& request, kernel::Module row,
                               kernel::Module block) {
  for (const kernel::Module* module : {&row, &block}) {
    for (const auto& function : module->functions) drop_barriers(function->body);
  }
  for (auto& function : block.functions) {
    if (function->exported) function->name = c_block_symbol(request);
  }
  for (auto& function : row.functions) {
    const std::string suffix = "_of_one_row";
    rename_calls(function->body, suffix);
    function->name = function->exported ? c_row_symbol(request) : function->name + suffix;
    block.functions.push_back(std::move(function));
  }
  return block;
}

std::string emit_c_header(const EmitRequest& request, size_t arena_bytes,
                          const std::string& header_name, const std::string& object_name) {
  const EmitNames names = names_of(request);
  const std::string guard = names.macro + "_H_INCLUDED";
  const EmitLanguage c99{
      "!defined(__cplusplus) && (!defined(__STDC_VERSION__) || "
      "__STDC_VERSION__ < 199901L)",
      "C99 or C++: compile with -std=c99"};
  return sealed(
      c_comment(fmt::format("{}: the model '{}' for C99 and C++. Link {} and {}.\n{}", header_name,
                            request.model, object_name, names.object, request.summary)) +
          begin_header(request, names, c99, guard) +
          "#include <stddef.h>\n#include <stdint.h>\n\n"
          "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n" +
          sizes(request, names, arena_bytes) + declarations(request, names) +
          functions(request, names) + "\n#ifdef __cplusplus\n}\n#endif\n\n" + end_header(guard),
      request);
}

}  // namespace nnc::codegen
