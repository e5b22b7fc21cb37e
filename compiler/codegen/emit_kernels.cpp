// The kernels of all levels in one header, and the choice of a level: by the compiler's flags, or,
// in a program that must run on any x86-64 processor, when it runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_types.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_entry.h"
#include "compiler/codegen/emit_text.h"

namespace nnc::codegen {

namespace {

// All functions have the same levels.
std::vector<CppLevel> best_first(const EmitRequest& request) {
  std::vector<CppLevel> levels;
  for (const EmitLevel& level : request.functions[0].levels) levels.push_back(level.level);
  std::sort(levels.begin(), levels.end(), std::greater<>());
  return levels;
}

const EmitLevel& level_of(const EmitFunction& function, CppLevel level) {
  return *std::find_if(function.levels.begin(), function.levels.end(),
                       [&](const EmitLevel& known) { return known.level == level; });
}

bool has_level(const EmitRequest& request, CppLevel level) {
  const auto& levels = request.functions[0].levels;
  return std::any_of(levels.begin(), levels.end(),
                     [&](const EmitLevel& known) { return known.level == level; });
}

// Whether the header can hold kernels for better processors than it is compiled for.
bool can_dispatch(const EmitRequest& request) {
  return has_level(request, CppLevel::generic) &&
         (has_level(request, CppLevel::avx2) || has_level(request, CppLevel::avx512));
}

// "avx512_kernels"
std::string space_of(CppLevel level) { return std::string(name_of(level)) + "_kernels"; }

// The parameters and arguments of run_row and run_block.
struct RunSignature {
  std::vector<std::string> types, names;

  // Names only those parameters that `body` mentions.
  std::string parameters(const std::string& body) const {
    std::vector<std::string> list;
    for (size_t i = 0; i < types.size(); ++i) {
      const bool used = body.find(names[i] + ")") != std::string::npos ||
                        body.find(names[i] + ",") != std::string::npos;
      list.push_back(used ? types[i] + " " + names[i] : types[i]);
    }
    return fmt::format("{}", fmt::join(list, ", "));
  }
};

RunSignature run_signature(const EmitFunction& function) {
  RunSignature run;
  const auto add = [&](const std::string& type, const std::string& name) {
    run.types.push_back(type);
    run.names.push_back(name);
  };
  add("const void*", "weights");
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    add(fmt::format("const {}*", cpp_type_of(function.inputs[i])), fmt::format("in_{}", i));
  }
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    add(fmt::format("{}*", cpp_type_of(function.outputs[i])), fmt::format("out_{}", i));
  }
  add("std::int64_t", "rows");
  add("unsigned char*", "arena");
  return run;
}

std::string run_function(const EmitFunction& function, const std::string& name,
                         const std::string& body) {
  return wrap_cpp(fmt::format("inline void {}({}) noexcept {{", name,
                              run_signature(function).parameters(body)),
                  0) +
         "\n" + body + "\n}\n";
}

// Kernels of one level with run_row and run_block of each function. That one row is one is known to
// the compiler, which leaves its loops out.
std::string level_text(const EmitRequest& request, const EmitNames& names, CppLevel which) {
  std::vector<CppPart> parts;
  for (const EmitFunction& function : request.functions) {
    const EmitLevel& level = level_of(function, which);
    parts.push_back({level.row.module, level.row.core});
    parts.push_back({level.block.module, level.block.core});
  }
  const CppText text = print_cpp(parts, which);
  std::string result =
      text.helpers +
      "// Kernels address memory in bytes, and only read what is constant here.\n"
      "inline unsigned char* bytes_of(const void* memory) noexcept {\n"
      "  return const_cast<unsigned char*>(static_cast<const unsigned char*>(memory));\n}\n\n" +
      text.functions + "\n";
  for (size_t f = 0; f < request.functions.size(); ++f) {
    const EmitFunction& function = request.functions[f];
    const FunctionNames& own = names.functions[f];
    const auto call = [&](size_t part, const char* rows) {
      const auto& [module, root] = parts[part];
      return call_entry(*module->find(root), text.names[part].at(root), rows,
                        function.scalars.empty() ? "" : own.scalars());
    };
    result += run_function(function, own.run_row(), call(2 * f, "1")) +
              run_function(function, own.run_block(), call(2 * f + 1, "rows"));
  }
  return result;
}

// A function of the dispatcher that calls that of the best level.
std::string dispatched(const EmitRequest& request, const EmitFunction& function,
                       const std::string& name) {
  std::string body;
  for (CppLevel level : best_first(request)) {
    if (level < CppLevel::generic) continue;
    const std::string target = fmt::format("{}::{}({});", space_of(level), name,
                                           fmt::join(run_signature(function).names, ", "));
    body +=
        level == CppLevel::generic
            ? wrap_cpp("  " + target, 2)
            : wrap_cpp(fmt::format("  if (has_{}()) return {}", name_of(level), target), 2) + "\n";
  }
  return run_function(function, name, body);
}

// namespace kernels: the kernels of the best level that the processor has, asked at every call (a
// few instructions; what the compiler's run-time library found out when the program started).
std::string dispatcher(const EmitRequest& request, const EmitNames& names) {
  std::string text = "namespace kernels {\n\n";
  for (CppLevel level : best_first(request)) {
    if (level <= CppLevel::generic) continue;
    std::vector<std::string> features;
    for (const std::string& feature : features_of(level)) {
      features.push_back(fmt::format("__builtin_cpu_supports(\"{}\")", feature));
    }
    text += fmt::format("inline bool has_{}() noexcept {{\n", name_of(level)) +
            wrap_cpp(fmt::format("  return {};", fmt::join(features, " && ")), 2) + "\n}\n";
  }
  for (size_t f = 0; f < request.functions.size(); ++f)
    text += dispatched(request, request.functions[f], names.functions[f].run_row()) +
            dispatched(request, request.functions[f], names.functions[f].run_block());
  return text + "\n}  // namespace kernels\n";
}

std::string number_of(CppLevel level) { return std::to_string(static_cast<int>(level)); }

}  // namespace

std::string emit_level_choice(const EmitRequest& request, const EmitNames& names) {
  const std::string macro = names.macro + "_LEVEL", dispatch = names.macro + "_DISPATCH";
  std::string choice, spaces, list, included;
  for (CppLevel level : best_first(request)) {
    const std::string number = number_of(level);
    list += fmt::format("{}{}: {}", list.empty() ? "" : ", ", number, name_of(level));
    spaces += fmt::format("#elif {} == {}\n#define {}_SPACE {}\n", macro, number, names.macro,
                          name_of(level));
    if (level >= CppLevel::avx2) {
      included += fmt::format("{}{} == {}", included.empty() ? "" : " || ", macro, number);
    }
    if (!is_vector_text(level)) continue;
    choice += fmt::format("#{} {}\n#define {} {}\n", choice.empty() ? "if" : "elif",
                          condition_of(level), macro, number);
    if (level == CppLevel::generic && can_dispatch(request)) {
      choice +=
          fmt::format("#if !defined({0}) && {1}\n#define {0} 1\n#endif\n", dispatch,
                      "defined(__x86_64__) && (!defined(__clang__) || __clang_major__ >= 14)");
    }
  }
  if (!choice.empty()) {
    choice = "#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 9)\n" + choice +
             "#endif\n#endif\n";
  }
  if (!included.empty()) {
    included = fmt::format("#if {} || {}\n#include <immintrin.h>\n#endif\n", included, dispatch);
  }
  return cpp_comment(fmt::format(
             "The vector level ({}), chosen by the compiler's flags unless defined before. Where "
             "these ask for no more than any x86-64 processor has, all levels are compiled, and "
             "the processor is asked which to take; {} 0 leaves that out.",
             list, dispatch)) +
         fmt::format("#if !defined({0})\n{1}#endif\n#if !defined({0})\n#define {0} 0\n#endif\n",
                     macro, choice) +
         fmt::format(
             "#if !defined({0})\n#define {0} 0\n#endif\n{1}#if {0}\n#define {2}_SPACE any\n",
             dispatch, included, names.macro) +
         spaces +
         fmt::format("#else\n#error \"{} is not a level of this header\"\n#endif\n", macro);
}

std::string emit_kernels(const EmitRequest& request, const EmitNames& names) {
  const std::string dispatch = names.macro + "_DISPATCH";
  const bool dispatches = can_dispatch(request);
  std::string text;
  for (CppLevel level : best_first(request)) {
    const bool better = dispatches && level >= CppLevel::avx2;
    text += fmt::format("#if {}_LEVEL == {}{}\n", names.macro, number_of(level),
                        better ? " || " + dispatch : "");
    const std::string when = better ? dispatch : "";
    text += cpp_target_begin(level, when) +
            fmt::format(
                "namespace {} {{\ninline namespace {} {{\ninline namespace {}_SPACE {{\n"
                "namespace {} {{\n\n",
                names.space, build_space(), names.macro, space_of(level));
    text +=
        level_text(request, names, level) + fmt::format("\n}}  // namespace {}\n", space_of(level));
    const std::string alias = fmt::format("namespace kernels = {};\n", space_of(level));
    if (!dispatches || level == CppLevel::plain) {
      text += alias;
    } else if (better) {
      text += fmt::format("#if !{}\n{}#endif\n", dispatch, alias);
    } else {
      text +=
          fmt::format("#if {}\n{}#else\n{}#endif\n", dispatch, dispatcher(request, names), alias);
    }
    text += "}\n}\n}\n" + cpp_target_end(when) + "#endif\n\n";
  }
  return text;
}

}  // namespace nnc::codegen
