#include "compiler/codegen/emit_c_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_c.h"
#include "compiler/codegen/emit_identity.h"

namespace nnc::codegen {

namespace {

void rename_calls(kernel::Block& block, const std::string& suffix) {
  for (kernel::Instruction& item : block.instructions) {
    if (item.op == kernel::Op::call) item.callee += suffix;
    if (item.body) rename_calls(*item.body, suffix);
    if (item.other) rename_calls(*item.other, suffix);
  }
}

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

// What the code generator may use of a processor, as far as compilers can ask for it.
std::vector<std::string> features(kernel::Isa isa) {
  switch (isa) {
    case kernel::Isa::avx512:
      return {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx2", "fma", "bmi2"};
    case kernel::Isa::avx2: return {"avx2", "fma", "bmi", "bmi2"};
    default: return {};
  }
}

std::string runs_here(const EmitNames& names, kernel::Isa isa) {
  std::vector<std::string> asked;
  for (const std::string& feature : features(isa))
    asked.push_back(fmt::format("__builtin_cpu_supports(\"{}\")", feature));
  const char* machine = isa == kernel::Isa::neon ? "__aarch64__" : "__x86_64__";
  std::string answer = asked.empty() ? "1" : fmt::format("{}", fmt::join(asked, " && "));
  return c_comment(fmt::format("Whether this processor has what the code needs: {}.",
                               processors_of(isa))) +
         fmt::format(
             "static inline int {}_runs_here(void) {{\n#if defined({}){}\n{}\n#else\n"
             "  return 0;\n#endif\n}}\n",
             names.space, machine, asked.empty() ? "" : " && defined(__GNUC__)",
             wrap_cpp(fmt::format("  return {};", answer), 2));
}

std::string functions(const EmitRequest& request, const EmitNames& names) {
  const CNames symbols = c_names_of(request);
  const auto both = [&](const std::string& comment, const std::string& name,
                        const std::string& symbol, const std::string& rest,
                        const std::string& rest_names) {
    const std::string list = c_parameters(request, names) + rest + ", void* workspace";
    return c_comment(comment) + wrap_cpp(fmt::format("void {}({});", symbol, list), 0) + "\n" +
           wrap_cpp(fmt::format("static inline void {}({}) {{", name, list), 0) + "\n" +
           wrap_cpp(fmt::format("  {}({}{}, workspace);", symbol, c_arguments(names), rest_names),
                    2) +
           "\n}\n";
  };
  return both("Predicts one row. `workspace`: of nobody else while this runs.",
              symbols.plain_predict, symbols.predict, "", "") +
         "\n" +
         both("Predicts rows that lie one after the other in memory.", symbols.plain_predict_batch,
              symbols.predict_batch, ", size_t rows", ", rows");
}

}  // namespace

std::string c_row_symbol(const EmitRequest& request) {
  return names_of(request).space + "_row_" + weights_hash(request);
}

std::string c_block_symbol(const EmitRequest& request) {
  return names_of(request).space + "_block_" + weights_hash(request);
}

CNames c_names_of(const EmitRequest& request) {
  const std::string space = names_of(request).space, hash = weights_hash(request);
  return {space + "_predict_" + hash, space + "_predict_batch_" + hash, space + "_predict",
          space + "_predict_batch"};
}

std::string processors_of(kernel::Isa isa) {
  switch (isa) {
    case kernel::Isa::avx512: return "x86-64 with AVX-512 F, BW, CD, DQ and VL (x86-64-v4)";
    case kernel::Isa::avx2: return "x86-64 with AVX2 and FMA (x86-64-v3)";
    case kernel::Isa::sse2: return "any x86-64";
    case kernel::Isa::neon: return "any aarch64";
  }
  return "";
}

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

std::string emit_c_header(const EmitRequest& request, size_t arena_bytes, kernel::Isa isa,
                          const std::string& link) {
  const EmitNames names = names_of(request);
  CHeader header;
  header.title = fmt::format("{}: the model '{}' for C99 and C++. Link {}.\nRuns on {}.",
                             names.header, request.model, link, processors_of(isa));
  header.arena_bytes = arena_bytes;
  header.body = functions(request, names) + "\n" + runs_here(names, isa);
  return c_header(request, names, header);
}

}  // namespace nnc::codegen
