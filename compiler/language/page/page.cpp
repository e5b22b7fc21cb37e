// The whole reference as one page: docs/language.md.
#include <fmt/format.h>

#include <set>

#include "compiler/language/data_schema.h"
#include "compiler/language/file_schema.h"
#include "compiler/language/page/chapters.h"
#include "compiler/language/page/entries.h"
#include "compiler/language/page/markdown.h"
#include "compiler/language/reference.h"
#include "compiler/layers/formula_function.h"

namespace nnc::language {

namespace {

using schema::Group;

struct Chapter {
  std::string title, anchor, text;
  std::vector<std::pair<std::string, std::string>> contents = {};  // what is in it: name, anchor
};

// What may stand in a section: its keys, or those of each of its items.
std::string section_keys(const std::string& name) {
  for (const schema::Key& section : file_type().keys) {
    if (section.name != name) continue;
    const schema::Type& type = section.type;
    const std::vector<schema::Key>* keys = type.element ? &type.element->keys : &type.keys;
    std::set<std::string> shown;
    if (!keys->empty()) return "\n" + key_list(*keys, "", shown);
    // A loss alone, with what stands beside it, or a map of terms.
    std::string result;
    for (const schema::Type& form : type.alternatives) {
      const bool alone = form.kind == schema::Kind::entry;
      result += alone ? "\nBeside a loss that stands alone:\n\n" : "\nOr with terms:\n\n";
      result += key_list(form.keys, "", shown);
    }
    return result;
  }
  return "";
}

std::string sections() {
  std::string result = "\n";
  for (const schema::Key& key : file_type().keys) {
    std::string note = key.is_required ? " (required)" : "";
    if (key.default_yaml) note = " (default `" + *key.default_yaml + "`)";
    result += wrapped("`" + key.name + "`" + note + ": " + escaped(key.doc), "- ", "  ");
  }
  return result;
}

std::string beside_layers() {
  std::set<std::string> shown;
  return heading(3, "Beside a layer", "beside-a-layer") +
         "\nThese may stand beside a layer's word, wherever a layer stands:\n\n" +
         key_list(layer_siblings(), "", shown);
}

std::string functions_of_formulas() {
  std::string result = heading(3, "Functions of formulas", "functions-of-formulas") + "\n";
  for (const layers::FormulaFunction& function : layers::formula_function_table()) {
    result += wrapped(
        fmt::format("`{}({})`: {}", function.name, function.operands, escaped(function.doc)), "- ",
        "  ");
  }
  return result;
}

// A chapter of all entries of a group; activations have one of their own.
Chapter entries_chapter(const schema::Catalogue& catalogue, Group group, const std::string& title,
                        const std::string& text) {
  Chapter chapter{title, "", text};
  for (const auto& [found, anchor] : group_chapters())
    if (found == group) chapter.anchor = anchor;
  for (const auto& [found, entries] : all_entries(catalogue)) {
    if (found != group) continue;
    for (const schema::Entry* entry : entries) {
      if (group == Group::layers && catalogue.find(Group::activations, entry->name) == entry)
        continue;
      chapter.text += entry_text(group, *entry);
      chapter.contents.emplace_back(entry->name, anchor_of(group, entry->name));
    }
  }
  return chapter;
}

std::vector<Chapter> chapters_of(const schema::Catalogue& c) {
  namespace text = chapters;
  const std::string model = text::model + section_keys("model") + beside_layers();
  return {
      {"The shape of a file", "shape", text::shape + sections()},
      {"Rules that hold everywhere", "rules", text::rules},
      {"Settings and ramps", "settings", text::settings},
      {"Data", "data", text::data + section_keys("data")},
      entries_chapter(c, Group::sources, "Sources", text::sources),
      entries_chapter(c, Group::prepare_steps, "Prepare steps", text::prepare),
      entries_chapter(c, Group::augment_steps, "Augment steps", text::augment),
      {"The model", "model", model, {{"beside a layer", "beside-a-layer"}}},
      entries_chapter(c, Group::layers, "Layers", text::layers),
      entries_chapter(c, Group::activations, "Activations", text::activations),
      entries_chapter(c, Group::initialisers, "Initialisers", text::initialisers),
      {"Blocks, repeat, residual", "blocks", text::blocks + section_keys("blocks")},
      {"Functions", "functions", text::functions + section_keys("functions")},
      {"Formulas",
       "formulas",
       text::formulas + functions_of_formulas(),
       {{"functions of formulas", "functions-of-formulas"}}},
      {"Loss", "loss", text::loss + section_keys("loss")},
      entries_chapter(c, Group::losses, "Losses", text::losses),
      entries_chapter(c, Group::metrics, "Metrics", text::metrics),
      {"Training", "train", text::train + section_keys("train")},
      {"Phases", "phases", text::phases},
      entries_chapter(c, Group::optimizers, "Optimizers", text::optimizers),
      entries_chapter(c, Group::schedules, "Schedules", text::schedules),
  };
}

std::string contents_of(const std::vector<Chapter>& chapters) {
  std::string result = "\n## Contents\n\n";
  for (const Chapter& chapter : chapters) {
    std::string line = fmt::format("[{}](#{})", chapter.title, chapter.anchor);
    std::string separator = ": ";
    for (const auto& [name, anchor] : chapter.contents) {
      line += fmt::format("{}[{}](#{})", separator, name, anchor);
      separator = ", ";
    }
    result += wrapped(line, "- ", "  ");
  }
  return result;
}

}  // namespace

std::string reference_page(const schema::Catalogue& catalogue) {
  const std::vector<Chapter> chapters = chapters_of(catalogue);
  std::string result = chapters::opening + contents_of(chapters);
  for (const Chapter& chapter : chapters)
    result += heading(2, chapter.title, chapter.anchor) + chapter.text;
  return result;
}

}  // namespace nnc::language
