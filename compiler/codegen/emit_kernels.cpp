// The kernels of all levels in one header, and the choice of a level: by the compiler's flags, or,
// in a program that must run on any x86-64 processor, when it runs.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_types.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_entry.h"
#include "compiler/codegen/emit_text.h"

namespace nnc::codegen {

namespace {

std::vector<EmitLevel> best_first(const EmitRequest& request) {
  std::vector<EmitLevel> levels = request.levels;
  std::sort(levels.begin(), levels.end(),
            [](const EmitLevel& a, const EmitLevel& b) { return a.level > b.level; });
  return levels;
}

bool has_level(const EmitRequest& request, CppLevel level) {
  return std::any_of(request.levels.begin(), request.levels.end(),
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

RunSignature run_signature(const EmitRequest& request) {
  RunSignature run;
  const auto add = [&](const std::string& type, const std::string& name) {
    run.types.push_back(type);
    run.names.push_back(name);
  };
  add("const void*", "weights");
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    add(fmt::format("const {}*", cpp_type_of(request.inputs[i])), fmt::format("in_{}", i));
  }
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    add(fmt::format("{}*", cpp_type_of(request.outputs[i])), fmt::format("out_{}", i));
  }
  add("std::int64_t", "rows");
  add("unsigned char*", "arena");
  return run;
}

std::string run_function(const EmitRequest& request, const char* name, const std::string& body) {
  return wrap_cpp(fmt::format("inline void {}({}) noexcept {{", name,
                              run_signature(request).parameters(body)),
                  0) +
         "\n" + body + "\n}\n";
}

// Kernels of one level with run_row and run_block. That one row is one is known to the compiler,
// which leaves its loops out.
std::string level_text(const EmitRequest& request, const EmitLevel& level) {
  const CppText text = print_cpp(
      {{level.row.module, level.row.core}, {level.block.module, level.block.core}}, level.level);
  std::string result =
      text.helpers +
      "// Kernels address memory in bytes, and only read what is constant here.\n"
      "inline unsigned char* bytes_of(const void* memory) noexcept {\n"
      "  return const_cast<unsigned char*>(static_cast<const unsigned char*>(memory));\n}\n\n" +
      text.functions + "\n";
  const auto call = [&](const EmitKernels& kernels, size_t which, const char* rows) {
    return call_entry(*kernels.module->find(kernels.core), text.names[which].at(kernels.core), rows,
                      !request.scalars.empty());
  };
  return result + run_function(request, "run_row", call(level.row, 0, "1")) +
         run_function(request, "run_block", call(level.block, 1, "rows"));
}

// namespace kernels: the kernels of the best level that the processor has, asked at every call (a
// few instructions; what the compiler's run-time library found out when the program started).
std::string dispatcher(const EmitRequest& request) {
  std::string text = "namespace kernels {\n\n", run_row, run_block;
  for (const EmitLevel& level : best_first(request)) {
    if (level.level < CppLevel::generic) continue;
    const std::string arguments =
        fmt::format("({});", fmt::join(run_signature(request).names, ", "));
    const auto call = [&](const char* function, bool last) {
      const std::string target = space_of(level.level) + "::" + function + arguments;
      if (last) return wrap_cpp("  " + target, 2);
      return wrap_cpp(fmt::format("  if (has_{}()) return {}", name_of(level.level), target), 2) +
             "\n";
    };
    const bool last = level.level == CppLevel::generic;
    run_row += call("run_row", last);
    run_block += call("run_block", last);
    if (last) continue;
    std::vector<std::string> features;
    for (const std::string& feature : features_of(level.level)) {
      features.push_back(fmt::format("__builtin_cpu_supports(\"{}\")", feature));
    }
    text += fmt::format("inline bool has_{}() noexcept {{\n", name_of(level.level)) +
            wrap_cpp(fmt::format("  return {};", fmt::join(features, " && ")), 2) + "\n}\n";
  }
  return text + run_function(request, "run_row", run_row) +
         run_function(request, "run_block", run_block) + "\n}  // namespace kernels\n";
}

std::string number_of(CppLevel level) { return std::to_string(static_cast<int>(level)); }

}  // namespace

std::string emit_level_choice(const EmitRequest& request, const EmitNames& names) {
  const std::string macro = names.macro + "_LEVEL", dispatch = names.macro + "_DISPATCH";
  std::string choice, spaces, list, included;
  for (const EmitLevel& level : best_first(request)) {
    const std::string number = number_of(level.level);
    list += fmt::format("{}{}: {}", list.empty() ? "" : ", ", number, name_of(level.level));
    spaces += fmt::format("#elif {} == {}\n#define {}_SPACE {}\n", macro, number, names.macro,
                          name_of(level.level));
    if (level.level >= CppLevel::avx2) {
      included += fmt::format("{}{} == {}", included.empty() ? "" : " || ", macro, number);
    }
    if (!is_vector_text(level.level)) continue;
    choice += fmt::format("#{} {}\n#define {} {}\n", choice.empty() ? "if" : "elif",
                          condition_of(level.level), macro, number);
    if (level.level == CppLevel::generic && can_dispatch(request)) {
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
  for (const EmitLevel& level : best_first(request)) {
    const bool better = dispatches && level.level >= CppLevel::avx2;
    text += fmt::format("#if {}_LEVEL == {}{}\n", names.macro, number_of(level.level),
                        better ? " || " + dispatch : "");
    const std::string when = better ? dispatch : "";
    text += cpp_target_begin(level.level, when) +
            fmt::format(
                "namespace {} {{\ninline namespace {} {{\ninline namespace {}_SPACE {{\n"
                "namespace {} {{\n\n",
                names.space, build_space(), names.macro, space_of(level.level));
    text +=
        level_text(request, level) + fmt::format("\n}}  // namespace {}\n", space_of(level.level));
    const std::string alias = fmt::format("namespace kernels = {};\n", space_of(level.level));
    if (!dispatches || level.level == CppLevel::plain) {
      text += alias;
    } else if (better) {
      text += fmt::format("#if !{}\n{}#endif\n", dispatch, alias);
    } else {
      text += fmt::format("#if {}\n{}#else\n{}#endif\n", dispatch, dispatcher(request), alias);
    }
    text += "}\n}\n}\n" + cpp_target_end(when) + "#endif\n\n";
  }
  return text;
}

}  // namespace nnc::codegen
