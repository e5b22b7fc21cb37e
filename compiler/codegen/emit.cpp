#include "compiler/codegen/emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/codegen/emit_facts.h"
#include "compiler/codegen/emit_identity.h"
#include "compiler/codegen/emit_text.h"
#include "compiler/codegen/emit_weights.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

namespace {

// The levels that it has.
std::set<CppLevel> check_function(const EmitFunction& function) {
  internal_check(!function.outputs.empty(), "emit: no output");
  internal_check(function.block_rows >= 1, "emit: no rows in a block");
  std::set<CppLevel> levels;
  for (const EmitLevel& level : function.levels) {
    internal_check(levels.insert(level.level).second, "emit: a level is given twice");
    internal_check(level.row.module && level.row.module->find(level.row.core) &&
                       level.block.module && level.block.module->find(level.block.core),
                   "emit: an entry is missing");
  }
  return levels;
}

void check_request(const EmitRequest& request) {
  internal_check(!request.functions.empty(), "emit: no function");
  const std::set<CppLevel> levels = check_function(request.functions[0]);
  internal_check(levels.count(CppLevel::plain) == 1, "emit: level plain is missing");
  for (const EmitFunction& function : request.functions)
    internal_check(check_function(function) == levels, "emit: functions have different levels");
  if (request.weights == EmitWeights::header && request.state.size() > max_header_weights) {
    throw UserError(
        {}, fmt::format("the weights of '{}' are too large for a header", request.model),
        fmt::format("at most {} MB inside a header; use --weights object or --weights file",
                    max_header_weights >> 20),
        fmt::format("{:.1f} MB", static_cast<double>(request.state.size()) / 0x1p20));
  }
}

std::string headers(const EmitRequest& request) {
  std::string text = "#include <cmath>\n#include <cstddef>\n#include <cstdint>\n";
  if (request.weights == EmitWeights::file) text += "#include <cstdio>\n";
  return text + "#include <cstring>\n#include <limits>\n";
}

// What stands for the weights inside the header.
std::string weights_text(const EmitRequest& request, const EmitNames& names) {
  switch (request.weights) {
    case EmitWeights::header: return "\n" + weights_struct(request);
    case EmitWeights::object: return "\n" + weights_symbol(request, names);
    case EmitWeights::file: break;
  }
  return "";
}

const EmitLanguage& cpp17() {
  static const EmitLanguage language = {
      "!defined(__cplusplus) || (__cplusplus < 201703L && !(defined(_MSVC_LANG) && "
      "_MSVC_LANG >= 201703L))",
      "C++17: compile with -std=c++17; for C: nnc emit --language c"};
  return language;
}

std::string header_text(const EmitRequest& request, const EmitNames& names) {
  const std::string guard = names.macro + "_HPP_INCLUDED";
  const std::string open =
      fmt::format("namespace {} {{\ninline namespace {} {{\n", names.space, build_space());
  const std::string close = fmt::format("}}\n}}  // namespace {}\n", names.space);
  std::string text = emit_comment(request, names) + begin_header(request, names, cpp17(), guard);
  text += headers(request) + "\n" + emit_level_choice(request, names) + "\n";
  text += open + "\n" + cpp_facts(request, names) + emit_limits(request, names) + "\n";
  if (request.weights == EmitWeights::file) text += weights_loader(request, names.weights) + "\n";
  text += fmt::format("namespace data {{\n\n{}{}\n}}  // namespace data\n\n",
                      emit_constants(request, names), weights_text(request, names));
  text += close + "\n" + cpp_contraction_off();
  text += emit_kernels(request, names) + cpp_contraction_back() + "\n";
  text += open + fmt::format("inline namespace {}_SPACE {{\n\n", names.macro) +
          emit_functions(request, names) + "\n}\n" + close;
  text += emit_exports(request, names) + fmt::format("\n#undef {}_SPACE\n", names.macro) +
          end_header(guard);
  return sealed(text, request);
}

bool has_rows(const EmitRequest& request) {
  return std::any_of(request.functions.begin(), request.functions.end(),
                     [](const EmitFunction& function) { return !function.rows.empty(); });
}

}  // namespace

EmittedFile weights_object(const EmitRequest& request, ObjectMachine machine) {
  const EmitNames names = names_of(request);
  return {names.object,
          elf_object({names.symbol, names.any_symbol}, request.state, weights_slack, machine)};
}

std::vector<EmittedFile> emit(const EmitRequest& request) {
  check_request(request);
  const EmitNames names = names_of(request);
  std::vector<EmittedFile> files = {{names.header, header_text(request, names)}};
  if (request.weights == EmitWeights::file) {
    files.push_back({names.weights, weights_file(request)});
  }
  if (request.weights == EmitWeights::object) {
    files.push_back(weights_object(request, request.machine));
  }
  if (has_rows(request)) {
    files.push_back({names.self_test, emit_selftest(request, names)});
  }
  return files;
}

}  // namespace nnc::codegen
