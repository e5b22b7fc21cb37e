// Mistakes in the YAML itself, explained in the words of the model file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/language/yaml.h"
#include "compiler/language/yaml_places.h"

namespace nnc::language {

// Tabs in indentation. Returns whether there were any.
bool report_tabs(const Places& places, Diagnostics& diagnostics);

// A scalar in quotes, and the byte of the file that it starts at.
struct Quoted {
  SourceSpan span;
  size_t offset = 0;
};

// A quote that is never closed swallows the rest of the file silently, so it can only be the last
// scalar. Returns whether it is.
bool report_unclosed_quote(const Places& places, const std::optional<Quoted>& last_quoted,
                           Diagnostics& diagnostics);

// What yaml-cpp could not read at line and column (from 0), explained by the slip that most likely
// caused it. `open` are the lists and maps in brackets that were still open there.
void report_syntax(const Places& places, int line, int column, const std::string& problem,
                   const std::vector<SourceSpan>& open, Diagnostics& diagnostics);

}  // namespace nnc::language
