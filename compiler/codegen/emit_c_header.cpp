#include "compiler/codegen/emit_c_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

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

std::string functions(const EmitRequest& request, const EmitNames& names, size_t f) {
  const CNames symbols = c_names_of(request, f);
  const FunctionNames& own = names.functions[f];
  const auto both = [&](const std::string& comment, const std::string& name,
                        const std::string& symbol, const std::string& rest,
                        const std::string& rest_names) {
    const std::string list = c_parameters(request.functions[f], own) + rest + ", void* workspace";
    return c_comment(comment) + wrap_cpp(fmt::format("void {}({});", symbol, list), 0) + "\n" +
           wrap_cpp(fmt::format("static inline void {}({}) {{", name, list), 0) + "\n" +
           wrap_cpp(fmt::format("  {}({}{}, workspace);", symbol, c_arguments(own), rest_names),
                    2) +
           "\n}\n";
  };
  const std::string does = own.is_predict() ? "Predicts" : "Computes " + own.name + " for";
  return both(does + " one row. `workspace`: of nobody else while this runs.", symbols.plain_row,
              symbols.row, "", "") +
         "\n" +
         both(does + " rows that lie one after the other in memory.", symbols.plain_batch,
              symbols.batch, ", size_t rows", ", rows") +
         "\n";
}

// "m_row_HASH" of predict, "m_decode_row_HASH" of another function.
std::string symbol_of(const EmitRequest& request, size_t f, const std::string& what) {
  const EmitNames names = names_of(request);
  return names.space + "_" + names.functions[f].prefix + what + "_" + weights_hash(request);
}

// Functions that are not exported, and calls of them, get `suffix` behind their names.
void rename_all(kernel::Module& module, const std::string& exported, const std::string& suffix) {
  for (auto& function : module.functions) {
    drop_barriers(function->body);
    rename_calls(function->body, suffix);
    function->name = function->exported ? exported : function->name + suffix;
  }
}

}  // namespace

std::string c_row_symbol(const EmitRequest& request, size_t function) {
  return symbol_of(request, function, "row");
}

std::string c_block_symbol(const EmitRequest& request, size_t function) {
  return symbol_of(request, function, "block");
}

CNames c_names_of(const EmitRequest& request, size_t function) {
  const EmitNames names = names_of(request);
  const FunctionNames& own = names.functions[function];
  const std::string space = names.space + "_", hash = "_" + weights_hash(request);
  return {space + own.name + hash, space + own.batch() + hash, space + own.name,
          space + own.batch()};
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

kernel::Module join_for_object(const EmitRequest& request, std::vector<RowAndBlock> functions) {
  const EmitNames names = names_of(request);
  kernel::Module result;
  for (size_t f = 0; f < functions.size(); ++f) {
    auto& [row, block] = functions[f];
    const FunctionNames& own = names.functions[f];
    const std::string of = own.is_predict() ? "" : "_of_" + own.name;
    rename_all(block, c_block_symbol(request, f), of);
    rename_all(row, c_row_symbol(request, f), "_of_one_row" + of);
    if (f == 0) {
      result = std::move(block);
    } else {
      std::move(block.functions.begin(), block.functions.end(),
                std::back_inserter(result.functions));
    }
    std::move(row.functions.begin(), row.functions.end(), std::back_inserter(result.functions));
  }
  return result;
}

std::string emit_c_header(const EmitRequest& request, size_t arena_bytes, kernel::Isa isa,
                          const std::string& link) {
  const EmitNames names = names_of(request);
  CHeader header;
  header.title = fmt::format("{}: the model '{}' for C99 and C++. Link {}.\nRuns on {}.",
                             names.header, request.model, link, processors_of(isa));
  header.arena_bytes = arena_bytes;
  for (size_t f = 0; f < request.functions.size(); ++f) header.body += functions(request, names, f);
  header.body += runs_here(names, isa);
  return c_header(request, names, header);
}

}  // namespace nnc::codegen
