// The schema table as documentation: JSON Schema for editors, text for `nnc help`, a page to read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/support/schema.h"

namespace nnc::language {

// JSON Schema (draft 7) of the model file, with two spaces of indentation and a final newline.
std::string json_schema(const schema::Catalogue& catalogue);

// Everything that a model file can say, one line each.
std::string help(const schema::Catalogue& catalogue);

// One layer, loss, optimizer, source, … or section of the file, explained. None if there is none.
std::optional<std::string> help(const schema::Catalogue& catalogue, const std::string& topic);

// The whole reference as one page of Markdown, with every example: docs/language.md.
std::string reference_page(const schema::Catalogue& catalogue);

// What help knows, for "did you mean".
std::vector<std::string> help_topics(const schema::Catalogue& catalogue);

// Every group with its entries, in the order of the reference.
std::vector<std::pair<schema::Group, std::vector<const schema::Entry*>>> all_entries(
    const schema::Catalogue& catalogue);

}  // namespace nnc::language
