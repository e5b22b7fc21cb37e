#include "compiler/codegen/cpp_printer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "compiler/codegen/cpp_function.h"
#include "compiler/codegen/cpp_helpers.h"
#include "compiler/kernel/kernel.h"

namespace nnc::codegen {

namespace {

void add_callees(const kernel::Block& block, std::set<std::string>& names) {
  for (const kernel::Instruction& instruction : block.instructions) {
    if (instruction.op == kernel::Op::call) names.insert(instruction.callee);
    if (instruction.body) add_callees(*instruction.body, names);
    if (instruction.other) add_callees(*instruction.other, names);
  }
}

// Function texts by name, over all modules.
class CppModulePrinter {
 public:
  explicit CppModulePrinter(CppLevel level) : helpers_(level) {}

  void print(const CppPart& part) {
    std::map<std::string, std::string> names;
    std::set<std::string> called = {part.root};
    const auto& functions = part.module->functions;
    for (auto it = functions.rbegin(); it != functions.rend(); ++it) {  // callers come last
      if (called.count((*it)->name)) add_callees((*it)->body, called);
    }
    for (const auto& function : functions) {
      if (!part.root.empty() && !called.count(function->name)) continue;
      const std::string wish = cpp_identifier(function->name);
      std::string name = wish, body;
      for (int copy = 2;; ++copy) {
        names[function->name] = name;
        body = CppFunctionPrinter(helpers_, *part.module, *function, names).print();
        const auto [known, fresh] = bodies_.emplace(name, body);
        if (fresh) text_.functions += (text_.functions.empty() ? "" : "\n") + body;
        if (fresh || known->second == body) break;
        name = wish + "_" + std::to_string(copy);
      }
    }
    text_.names.push_back(names);
  }

  CppText text() {
    text_.helpers = helpers_.text();
    return text_;
  }

 private:
  CppHelpers helpers_;
  std::map<std::string, std::string> bodies_;
  CppText text_;
};

}  // namespace

CppText print_cpp(const std::vector<CppPart>& parts, CppLevel level) {
  CppModulePrinter printer(level);
  for (const CppPart& part : parts) printer.print(part);
  return printer.text();
}

CppText print_cpp(const kernel::Module& module, CppLevel level) {
  return print_cpp({{&module, ""}}, level);
}

namespace {

// The scheduler of clang for unnamed processors would load ahead until registers run out.
constexpr const char* tune = "tune=skylake-avx512";
constexpr const char* if_clang =
    "#if defined(__clang__)\n#if defined(__x86_64__) && __clang_major__ >= 14\n";

std::string clang_push(const std::string& target) {
  return fmt::format(
      "#pragma clang attribute push( \\\n"
      "    __attribute__((target(\"{}\"))), apply_to = function)\n",
      target);
}

}  // namespace

std::string cpp_target_begin(CppLevel level, const std::string& dispatch) {
  if (dispatch.empty()) return if_clang + clang_push(tune) + "#endif\n#endif\n";
  const std::string features = fmt::format("{}", fmt::join(features_of(level), ","));
  return fmt::format("{0}#if {1}\n{2}#else\n{3}#endif\n#endif\n#elif {1}\n{4}#endif\n", if_clang,
                     dispatch, clang_push(features + "," + tune), clang_push(tune),
                     "#pragma GCC push_options\n#pragma GCC target(\"" + features + "\")\n");
}

std::string cpp_target_end(const std::string& dispatch) {
  std::string text = if_clang + std::string("#pragma clang attribute pop\n#endif\n");
  if (!dispatch.empty()) text += "#elif " + dispatch + "\n#pragma GCC pop_options\n";
  return text + "#endif\n";
}

// Predictive commoning would keep elements of neighbouring steps in registers of integers, and
// these on the stack, rather than read them again: convolutions then take a sixth longer. GCC 12
// takes a Zen 5 for a Zen 3, whose tuning makes a dense network a quarter slower there.
std::string cpp_contraction_off() {
  return "// Products and sums stay apart: the only fused multiply-adds are those that say "
         "muladd.\n"
         "#if defined(__clang__)\n"
         "#pragma float_control(push)\n"
         "#pragma clang fp contract(off)\n"
         "#elif defined(__GNUC__)\n"
         "#pragma GCC diagnostic push\n"
         "#pragma GCC diagnostic ignored \"-Wuninitialized\"  // inside GCC 12's own intrinsics\n"
         "#pragma GCC diagnostic ignored \"-Wmaybe-uninitialized\"\n"
         "#pragma GCC push_options\n"
         "#pragma GCC optimize(\"fp-contract=off\", \"no-math-errno\")\n"
         "#pragma GCC optimize(\"no-predictive-commoning\")  // it keeps floats in integer "
         "registers\n"
         "#if defined(__x86_64__)\n"
         "#pragma GCC target(\"tune=generic\")  // -march=native means Zen 3's on newer ones\n"
         "#endif\n"
         "#elif defined(_MSC_VER)\n"
         "#pragma float_control(push)\n"
         "#pragma fp_contract(off)\n"
         "#endif\n";
}

std::string cpp_contraction_back() {
  return "#if defined(__clang__)\n"
         "#pragma float_control(pop)\n"
         "#elif defined(__GNUC__)\n"
         "#pragma GCC pop_options\n"
         "#pragma GCC diagnostic pop\n"
         "#elif defined(_MSC_VER)\n"
         "#pragma float_control(pop)\n"
         "#endif\n";
}

std::string cpp_prologue() { return cpp_contraction_off() + cpp_target_begin(CppLevel::plain, ""); }

std::string cpp_epilogue() { return cpp_target_end("") + cpp_contraction_back(); }

std::string cpp_includes(CppLevel level) {
  std::string text =
      "#include <cmath>\n#include <cstddef>\n#include <cstdint>\n#include <cstring>\n"
      "#include <limits>\n";
  if (level == CppLevel::avx512 || level == CppLevel::avx2) text += "#include <immintrin.h>\n";
  return text;
}

}  // namespace nnc::codegen
