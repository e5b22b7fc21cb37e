// The names that the parts of emitted code share.
#include <fmt/format.h>

#include <cctype>
#include <set>

#include "compiler/codegen/cpp_names.h"
#include "compiler/codegen/cpp_words.h"
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
      "row",   "i"};
  return words;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
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
  std::set<std::string> taken = own_words();
  taken.insert(names.space);
  const auto unique = [&](const std::string& wish) {
    std::string name = cpp_identifier(wish);
    while (!taken.insert(name).second) name += name.back() == '_' ? "x" : "_";
    return name;
  };
  // `input_size` and `output_size` are taken where there is one of them.
  taken.insert("output");
  for (const EmitValue& value : request.inputs) names.inputs.push_back(unique(value.name));
  taken.erase("output");
  taken.insert("input");
  for (const EmitValue& value : request.outputs) names.outputs.push_back(unique(value.name));
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
