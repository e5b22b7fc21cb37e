#include "compiler/codegen/emit_c.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_facts.h"
#include "compiler/codegen/emit_identity.h"

namespace nnc::codegen {

namespace {

constexpr size_t alignment = 64;  // of the kernels' scratch

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

const char* c_type_of(const EmitValue& value) {
  const std::string type = cpp_type_of(value);
  if (type == "float") return "float";
  if (type == "double") return "double";
  if (type == "std::int32_t") return "int32_t";
  return type == "std::int64_t" ? "int64_t" : "uint8_t";
}

std::string c_parameters(const EmitFunction& function, const FunctionNames& names) {
  std::vector<std::string> list;
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    list.push_back(fmt::format("const {}* {}", c_type_of(function.inputs[i]), names.inputs[i]));
  }
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    list.push_back(fmt::format("{}* {}", c_type_of(function.outputs[i]), names.outputs[i]));
  }
  return fmt::format("{}", fmt::join(list, ", "));
}

std::string c_arguments(const FunctionNames& names) {
  std::vector<std::string> list = names.inputs;
  list.insert(list.end(), names.outputs.begin(), names.outputs.end());
  return fmt::format("{}", fmt::join(list, ", "));
}

namespace {

std::string value_lines(const EmitFunction& function, const FunctionNames& names) {
  std::string text = names.is_predict() ? "" : "\nfunction " + names.name;
  const auto add = [&](const char* role, const EmitValue& value, const std::string& name) {
    text += fmt::format("\n{:<7} {}: {}[{}]", role, name, c_type_of(value), value.elements());
    if (!value.comment.empty()) text += ", " + plain_words(value.comment);
    const std::string meaning = meaning_of(value);
    if (!meaning.empty()) text += fmt::format("\n{:<7} {}", "", plain_words(meaning));
  };
  for (size_t i = 0; i < function.inputs.size(); ++i)
    add("input", function.inputs[i], names.inputs[i]);
  for (size_t i = 0; i < function.outputs.size(); ++i)
    add("output", function.outputs[i], names.outputs[i]);
  return text;
}

// Of inputs that come as bytes, as the numbers that kernels take; behind the kernels' scratch.
size_t numbers_bytes(const EmitFunction& function) {
  size_t bytes = 0;
  for (const EmitValue& value : function.inputs)
    if (value.bytes) bytes += static_cast<size_t>(value.elements()) * abi::size_of(value.dtype);
  return bytes == 0 ? 0 : bytes + alignment;
}

std::string limits(const EmitRequest& request, const EmitNames& names, size_t arena_bytes) {
  std::string rows;
  size_t numbers = 0;
  for (size_t f = 0; f < request.functions.size(); ++f) {
    const EmitFunction& function = request.functions[f];
    rows += fmt::format("#define {}_{} {}\n", names.macro, upper(names.functions[f].block_rows()),
                        function.block_rows);
    numbers = std::max(numbers, numbers_bytes(function));
  }
  return c_comment("Rows that are computed at a time.") + rows +
         c_comment("Bytes of the workspace, which may begin anywhere.") +
         fmt::format("#define {}_WORKSPACE_SIZE {}\n", names.macro,
                     arena_bytes + alignment + numbers) +
         c_comment("|predicted - trained| <= tolerance * max(1, |trained|).") +
         fmt::format("#define {}_TOLERANCE {:g}\n\n", names.macro, request.tolerance);
}

// One row whose pictures are bytes.
std::string byte_function(const std::string& space, const EmitFunction& function,
                          const FunctionNames& names, size_t arena_bytes) {
  if (numbers_bytes(function) == 0) return "";
  std::vector<std::string> parameters;
  std::string copies, arguments;
  size_t offset = 0;
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    const EmitValue& value = function.inputs[i];
    const std::string& name = names.inputs[i];
    const char* type = c_type_of(value);
    parameters.push_back(fmt::format("const {}* {}", value.bytes ? "unsigned char" : type, name));
    arguments += (value.bytes ? name + "_numbers" : name) + ", ";
    if (!value.bytes) continue;
    copies +=
        fmt::format("  {0}* const {1}_numbers = ({0}*)(numbers + {2});\n", type, name, offset) +
        fmt::format("  for (i = 0; i < {2}; ++i) {1}_numbers[i] = ({0}){1}[i];\n", type, name,
                    value.elements());
    offset += static_cast<size_t>(value.elements()) * abi::size_of(value.dtype);
  }
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    parameters.push_back(fmt::format("{}* {}", c_type_of(function.outputs[i]), names.outputs[i]));
    arguments += names.outputs[i] + ", ";
  }
  return "\n" + c_comment("One row with bytes 0 ... 255, as pictures are stored.") +
         wrap_cpp(fmt::format("static inline void {}_{}_bytes({}, void* workspace) {{", space,
                              names.name, fmt::join(parameters, ", ")),
                  0) +
         fmt::format(
             "\n  const uintptr_t end = (uintptr_t)workspace + {0};\n"
             "  unsigned char* const numbers = (unsigned char*)(end / {1} * {1});\n"
             "  size_t i;\n",
             arena_bytes + 2 * alignment, alignment) +
         copies + wrap_cpp(fmt::format("  {}_{}({}workspace);", space, names.name, arguments), 2) +
         "\n}\n";
}

}  // namespace

std::string c_header(const EmitRequest& request, const EmitNames& names, const CHeader& header) {
  const std::string guard = names.macro + "_H_INCLUDED";
  const EmitLanguage c99{
      "!defined(__cplusplus) && (!defined(__STDC_VERSION__) || "
      "__STDC_VERSION__ < 199901L)",
      "C99 or C++: compile with -std=c99"};
  std::string title = header.title + "\n" + request.summary + "\n", calls, bytes;
  for (size_t f = 0; f < request.functions.size(); ++f) {
    const EmitFunction& function = request.functions[f];
    const FunctionNames& own = names.functions[f];
    title += value_lines(function, own);
    calls += fmt::format("\n    {}_{}({}, workspace);", names.space, own.name, c_arguments(own));
    bytes += byte_function(names.space, function, own, header.arena_bytes);
  }
  title += fmt::format(
      "\n\nUse:\n    #include \"{0}\"\n    static char workspace[{1}_WORKSPACE_SIZE];"
      "  // of one thread at a time{2}",
      plain_words(names.header), names.macro, calls);
  return sealed(c_comment(title) + begin_header(request, names, c99, guard) +
                    "#include <stddef.h>\n#include <stdint.h>\n" + header.includes +
                    "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n" + c_facts(request, names) +
                    limits(request, names, header.arena_bytes) + header.body + bytes +
                    "\n#ifdef __cplusplus\n}\n#endif\n\n" + end_header(guard),
                request);
}

}  // namespace nnc::codegen
