#include "compiler/codegen/emit_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "compiler/codegen/cpp_words.h"

namespace nnc::codegen {

namespace {

struct Fact {
  enum class Kind { size, text, texts };
  Kind kind = Kind::size;
  std::string name;
  std::string comment = {};  // may be empty
  int64_t size = 0;
  std::vector<std::string> texts = {};
};

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// Names are given once, whatever inputs and outputs are called: those of sizes first.
class Facts {
 public:
  void size(const std::string& name, int64_t size, const std::string& comment = "") {
    add({Fact::Kind::size, name, comment, size});
  }
  void text(const std::string& name, const std::string& text, const std::string& comment) {
    if (!text.empty()) add({Fact::Kind::text, name, comment, 0, {text}});
  }
  void texts(const std::string& name, const std::vector<std::string>& texts,
             const std::string& comment) {
    if (!texts.empty()) add({Fact::Kind::texts, name, comment, 0, texts});
  }
  std::vector<Fact> take() { return std::move(facts_); }

 private:
  // A macro of C is in capitals.
  void add(Fact fact) {
    if (names_.insert(upper(fact.name)).second) facts_.push_back(std::move(fact));
  }

  std::vector<Fact> facts_;
  std::set<std::string> names_;
};

void add_sizes(Facts& facts, const EmitFunction& function, const FunctionNames& names) {
  const auto& [inputs, outputs] = std::tie(function.inputs, function.outputs);
  if (inputs.size() == 1) facts.size("input_size", inputs[0].elements());
  if (outputs.size() == 1) facts.size("output_size", outputs[0].elements());
  for (size_t i = 0; i < inputs.size(); ++i)
    facts.size(names.inputs[i] + "_size", inputs[i].elements());
  for (size_t i = 0; i < outputs.size(); ++i)
    facts.size(names.outputs[i] + "_size", outputs[i].elements());
}

void add_meaning(Facts& facts, const EmitValue& value, const std::string& name) {
  facts.texts(name + "_words", value.words, fmt::format("What the indices of {} stand for.", name));
  facts.texts(name + "_columns", value.columns,
              fmt::format("The columns that the numbers of {} come from, in their order.", name));
  facts.texts(name + "_classes", value.classes,
              fmt::format("What the numbers of {} are scores of.", name));
  if (value.channels.empty()) return;
  facts.size(name + "_height", value.row_shape[0],
             fmt::format("{} is a picture: rows from the top, each from the left, each pixel with "
                         "its channels; 0 is dark, 255 is bright.",
                         name));
  facts.size(name + "_width", value.row_shape[1]);
  facts.size(name + "_channels", value.row_shape[2]);
  facts.text(name + "_channel_order", value.channels, "");
}

void add_function(Facts& facts, const EmitFunction& function, const FunctionNames& names) {
  add_sizes(facts, function, names);
  for (size_t i = 0; i < function.inputs.size(); ++i)
    add_meaning(facts, function.inputs[i], names.inputs[i]);
  for (size_t i = 0; i < function.outputs.size(); ++i)
    add_meaning(facts, function.outputs[i], names.outputs[i]);
}

// Those of a function with its prefix; `names_of` keeps them apart.
std::vector<Fact> facts_of(const EmitRequest& request, const EmitNames& names) {
  Facts first;
  std::vector<Fact> others;
  for (size_t f = 0; f < request.functions.size(); ++f) {
    const FunctionNames& own = names.functions[f];
    Facts facts;
    add_function(own.is_predict() ? first : facts, request.functions[f], own);
    for (Fact& fact : facts.take()) {
      fact.name = own.prefix + fact.name;
      others.push_back(std::move(fact));
    }
  }
  first.text("model", request.model,
             "Where this comes from: the model, its run, and a hash of its file.");
  first.text("run", request.run, "");
  first.text("file_hash", request.file_hash, "");
  std::vector<Fact> result = first.take();
  std::move(others.begin(), others.end(), std::back_inserter(result));
  return result;
}

std::string list_text(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += "    " + cpp_string(text) + ",\n";
  return "{\n" + list + "}";
}

}  // namespace

std::string cpp_facts(const EmitRequest& request, const EmitNames& names) {
  std::string text = "// Values in one row.\n";
  for (const Fact& fact : facts_of(request, names)) {
    if (!fact.comment.empty()) text += cpp_comment(fact.comment);
    switch (fact.kind) {
      case Fact::Kind::size:
        text += fmt::format("inline constexpr std::size_t {} = {};\n", fact.name, fact.size);
        break;
      case Fact::Kind::text:
        text += fmt::format("inline constexpr const char* {} = {};\n", fact.name,
                            cpp_string(fact.texts[0]));
        break;
      case Fact::Kind::texts:
        text += fmt::format("inline constexpr const char* {}[] = {};\n", fact.name,
                            list_text(fact.texts));
    }
  }
  return text;
}

std::string c_facts(const EmitRequest& request, const EmitNames& names) {
  std::string text = c_comment("Values in one row.");
  for (const Fact& fact : facts_of(request, names)) {
    if (!fact.comment.empty()) text += c_comment(fact.comment);
    const std::string macro = names.macro + "_" + upper(fact.name);
    switch (fact.kind) {
      case Fact::Kind::size: text += fmt::format("#define {} {}\n", macro, fact.size); break;
      case Fact::Kind::text:
        text += fmt::format("#define {} {}\n", macro, cpp_string(fact.texts[0]));
        break;
      case Fact::Kind::texts:
        text += fmt::format("static const char* const {}_{}[] = {};\n", names.space, fact.name,
                            list_text(fact.texts));
    }
  }
  return text;
}

std::vector<std::string> fact_names(const EmitFunction& function, const FunctionNames& names) {
  Facts facts;
  add_function(facts, function, names);
  std::vector<std::string> result;
  for (const Fact& fact : facts.take()) result.push_back(fact.name);
  return result;
}

std::string meaning_of(const EmitValue& value) {
  constexpr size_t most_shown = 12;
  const auto numbered = [&](const std::vector<std::string>& words) {
    std::string list;
    for (size_t i = 0; i < std::min(most_shown, words.size()); ++i)
      list += fmt::format("{}{} {}", i == 0 ? "" : ", ", i, words[i]);
    return words.size() > most_shown ? list + ", …" : list;
  };
  if (!value.columns.empty()) return "columns: " + numbered(value.columns);
  if (!value.classes.empty()) return "classes: " + numbered(value.classes);
  if (!value.channels.empty())
    return fmt::format("a picture of {} rows and {} columns, {}, 0 … 255", value.row_shape[0],
                       value.row_shape[1], value.channels);
  return "";
}

}  // namespace nnc::codegen
