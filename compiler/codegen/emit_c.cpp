#include "compiler/codegen/emit_c.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_facts.h"
#include "compiler/codegen/emit_identity.h"

namespace nnc::codegen {

namespace {

constexpr size_t alignment = 64;  // of the kernels' scratch

}  // namespace

const char* c_type_of(const EmitValue& value) {
  const std::string type = cpp_type_of(value);
  if (type == "float") return "float";
  if (type == "double") return "double";
  if (type == "std::int32_t") return "int32_t";
  return type == "std::int64_t" ? "int64_t" : "uint8_t";
}

std::string c_parameters(const EmitRequest& request, const EmitNames& names) {
  std::vector<std::string> list;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    list.push_back(fmt::format("const {}* {}", c_type_of(request.inputs[i]), names.inputs[i]));
  }
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    list.push_back(fmt::format("{}* {}", c_type_of(request.outputs[i]), names.outputs[i]));
  }
  return fmt::format("{}", fmt::join(list, ", "));
}

std::string c_arguments(const EmitNames& names) {
  std::vector<std::string> list = names.inputs;
  list.insert(list.end(), names.outputs.begin(), names.outputs.end());
  return fmt::format("{}", fmt::join(list, ", "));
}

namespace {

std::string value_lines(const EmitRequest& request, const EmitNames& names) {
  std::string text;
  const auto add = [&](const char* role, const EmitValue& value, const std::string& name) {
    text += fmt::format("\n{:<7} {}: {}[{}]", role, name, c_type_of(value), value.elements());
    if (!value.comment.empty()) text += ", " + plain_words(value.comment);
    const std::string meaning = meaning_of(value);
    if (!meaning.empty()) text += fmt::format("\n{:<7} {}", "", plain_words(meaning));
  };
  for (size_t i = 0; i < request.inputs.size(); ++i)
    add("input", request.inputs[i], names.inputs[i]);
  for (size_t i = 0; i < request.outputs.size(); ++i)
    add("output", request.outputs[i], names.outputs[i]);
  return text;
}

// Of inputs that come as bytes, as the numbers that kernels take; behind the kernels' scratch.
size_t numbers_bytes(const EmitRequest& request) {
  size_t bytes = 0;
  for (const EmitValue& value : request.inputs)
    if (value.bytes) bytes += static_cast<size_t>(value.elements()) * abi::size_of(value.dtype);
  return bytes == 0 ? 0 : bytes + alignment;
}

std::string limits(const EmitRequest& request, const EmitNames& names, size_t arena_bytes) {
  return c_comment("Rows that are computed at a time.") +
         fmt::format("#define {}_BLOCK_ROWS {}\n", names.macro, request.block_rows) +
         c_comment("Bytes of the workspace, which may begin anywhere.") +
         fmt::format("#define {}_WORKSPACE_SIZE {}\n", names.macro,
                     arena_bytes + alignment + numbers_bytes(request)) +
         c_comment("|predicted - trained| <= tolerance * max(1, |trained|).") +
         fmt::format("#define {}_TOLERANCE {:g}\n\n", names.macro, request.tolerance);
}

// One row whose pictures are bytes.
std::string byte_function(const EmitRequest& request, const EmitNames& names, size_t arena_bytes) {
  if (numbers_bytes(request) == 0) return "";
  std::vector<std::string> parameters;
  std::string copies, arguments;
  size_t offset = 0;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const EmitValue& value = request.inputs[i];
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
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    parameters.push_back(fmt::format("{}* {}", c_type_of(request.outputs[i]), names.outputs[i]));
    arguments += names.outputs[i] + ", ";
  }
  return "\n" + c_comment("One row with bytes 0 ... 255, as pictures are stored.") +
         wrap_cpp(fmt::format("static inline void {}_predict_bytes({}, void* workspace) {{",
                              names.space, fmt::join(parameters, ", ")),
                  0) +
         fmt::format(
             "\n  const uintptr_t end = (uintptr_t)workspace + {0};\n"
             "  unsigned char* const numbers = (unsigned char*)(end / {1} * {1});\n"
             "  size_t i;\n",
             arena_bytes + 2 * alignment, alignment) +
         copies + wrap_cpp(fmt::format("  {}_predict({}workspace);", names.space, arguments), 2) +
         "\n}\n";
}

}  // namespace

std::string c_header(const EmitRequest& request, const EmitNames& names, const CHeader& header) {
  const std::string guard = names.macro + "_H_INCLUDED";
  const EmitLanguage c99{
      "!defined(__cplusplus) && (!defined(__STDC_VERSION__) || "
      "__STDC_VERSION__ < 199901L)",
      "C99 or C++: compile with -std=c99"};
  std::string title = header.title + "\n" + request.summary + "\n" + value_lines(request, names);
  title += fmt::format(
      "\n\nUse:\n    #include \"{0}\"\n    static char workspace[{1}_WORKSPACE_SIZE];"
      "  // of one thread at a time\n    {2}_predict({3}, workspace);",
      plain_words(names.header), names.macro, names.space, c_arguments(names));
  return sealed(c_comment(title) + begin_header(request, names, c99, guard) +
                    "#include <stddef.h>\n#include <stdint.h>\n" + header.includes +
                    "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n" + c_facts(request, names) +
                    limits(request, names, header.arena_bytes) + header.body +
                    byte_function(request, names, header.arena_bytes) +
                    "\n#ifdef __cplusplus\n}\n#endif\n\n" + end_header(guard),
                request);
}

}  // namespace nnc::codegen
