// The names that the parts of emitted code share.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
#include "compiler/codegen/emit_facts.h"
#include "compiler/codegen/emit_identity.h"
#include "compiler/codegen/emit_text.h"

namespace nnc::codegen {

namespace {

// Words that emitted functions use themselves, and constants that stand beside them.
const std::set<std::string>& own_words() {
  static const std::set<std::string> words = {
      "arena", "block_rows", "buffer",    "count",         "data",         "file_hash",
      "first", "kernels",    "memory",    "path",          "predict",      "row_order",
      "rows",  "scalars",    "tolerance", "weights",       "workspace",    "start",
      "block", "model",      "run",       "predict_batch", "load_weights", "workspace_size",
      "row",   "i",          "size_t",    "int32_t",       "int64_t",      "uint8_t"};
  return words;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// The first of NAME, NAME_, NAME_x … for which `taken` is false.
template <class Taken>
std::string free_name(std::string name, const Taken& taken) {
  while (taken(name)) name += name.back() == '_' ? "x" : "_";
  return name;
}

// Of inputs and outputs of one function, which are parameters.
void name_values(const EmitFunction& function, std::set<std::string> taken, FunctionNames& names) {
  const auto unique = [&](const EmitValue& value) {
    return free_name(cpp_identifier(value.name),
                     [&](const std::string& name) { return !taken.insert(name).second; });
  };
  // `input_size` and `output_size` are taken where there is one of them.
  taken.insert("output");
  for (const EmitValue& value : function.inputs) names.inputs.push_back(unique(value));
  taken.erase("output");
  taken.insert("input");
  for (const EmitValue& value : function.outputs) names.outputs.push_back(unique(value));
}

// What is taken at the level of the namespace, in capitals: in C, some of it are macros.
class OuterNames {
 public:
  explicit OuterNames(const std::string& macro) {
    for (const std::string& word : own_words()) add(word);
    for (const char* word : {"weights_size", "predict_bytes", "runs_here", "step", "evaluate"})
      add(word);
    for (const char* word : {"_LEVEL", "_DISPATCH", "_SPACE", "_EXPORT", "_HPP_INCLUDED"})
      add(macro + word);
    add(macro);
  }
  void add(const std::string& name) { names_.insert(upper(name)); }
  bool has(const std::string& name) const { return names_.count(upper(name)) > 0; }

  std::string function(const std::string& wish) {
    const std::string name = free_name(cpp_identifier(wish), [&](const std::string& candidate) {
      // Two underscores in a row are the compiler's own.
      return candidate.back() == '_' || has(candidate) || has(candidate + "_batch") ||
             has(candidate + "_bytes");
    });
    for (const char* ending : {"", "_batch", "_bytes"}) add(name + ending);
    return name;
  }

  // Before `endings`, so that nothing is called like another thing.
  std::string prefix(const std::string& function, const std::vector<std::string>& endings) {
    std::string prefix = free_name(function + "_", [&](const std::string& candidate) {
      return candidate.back() != '_' ||
             std::any_of(endings.begin(), endings.end(),
                         [&](const std::string& ending) { return has(candidate + ending); });
    });
    for (const std::string& ending : endings) add(prefix + ending);
    return prefix;
  }

 private:
  std::set<std::string> names_;
};

std::vector<FunctionNames> name_functions(const EmitRequest& request, const EmitNames& names) {
  std::vector<FunctionNames> result(request.functions.size());
  OuterNames outer(names.macro);
  std::set<std::string> taken = own_words();
  taken.insert(names.space);
  for (size_t f = 0; f < result.size(); ++f) {
    const EmitFunction& function = request.functions[f];
    if (function.name != "predict") continue;
    result[f].name = function.name;
    name_values(function, taken, result[f]);
    for (const std::string& fact : fact_names(function, result[f])) outer.add(fact);
  }
  const auto others = [&](const auto& work) {
    for (size_t f = 0; f < result.size(); ++f)
      if (request.functions[f].name != "predict") work(request.functions[f], result[f]);
  };
  others([&](const EmitFunction& function, FunctionNames& own) {
    own.name = outer.function(function.name);
  });
  others([&](const EmitFunction& function, FunctionNames& own) {
    std::set<std::string> own_taken = taken;
    own_taken.insert({own.name, own.batch()});
    name_values(function, own_taken, own);
    std::vector<std::string> endings = fact_names(function, own);
    for (const char* ending : {"block_rows", "scalars", "run_row", "run_block"})
      endings.push_back(ending);
    own.prefix = outer.prefix(own.name, endings);
  });
  return result;
}

}  // namespace

EmitNames names_of(const EmitRequest& request) {
  EmitNames names;
  names.space = cpp_namespace(request.name.empty() ? request.model : request.name);
  names.macro = upper(names.space);
  names.header = request.header_name.empty() ? names.space + ".hpp" : request.header_name;
  std::string stem = names.header.substr(0, names.header.rfind('.'));
  for (char& c : stem)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  names.weights = stem + ".weights";
  names.symbol = names.space + "_weights_" + weights_hash(request);
  names.any_symbol = names.space + "_weights_like_" + layout_hash(request);
  names.object = stem + "_weights.o";
  names.self_test = stem + "_selftest.cpp";
  names.functions = name_functions(request, names);
  return names;
}

std::string build_space() { return std::string("build_") + own_hash; }

std::string begin_header(const EmitRequest& request, const EmitNames& names,
                         const EmitLanguage& language, const std::string& guard) {
  const std::string hash = std::string("0x") + own_hash + "u";
  std::string other =
      fmt::format("two different headers called '{}' in one source file", names.space);
  if (names.space != request.model)
    other += fmt::format(" (this one is of the model '{}')", request.model);
  other += ": give one another name with nnc emit --name NAME";
  return fmt::format(
      "#if {0}\n#error {1}\n#elif defined({2}) && {2} != {3}\n#error {4}\n#elif !defined({2})\n"
      "#define {2} {3}\n\n",
      language.refused, error_words(names.header + " needs " + language.needs), guard, hash,
      error_words(other));
}

std::string end_header(const std::string& guard) {
  return fmt::format("#endif  /* {} */\n", guard);
}

}  // namespace nnc::codegen
