// From a model file to its description. This is the front door of the compiler for YAML.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/language/description.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/schema.h"

namespace nnc::language {

struct Options {
  // What --set was given, in order: "rate=0.01", "train.optimizer.adam.rate=3e-4".
  std::vector<std::string> overrides;
};

// Reads and validates a model file against the catalogue. All mistakes found are in `diagnostics`;
// the description is there only if none of them is an error. Never throws for what a user wrote.
std::optional<Description> parse(const std::string& path, const Options& options,
                                 const schema::Catalogue& catalogue, Diagnostics& diagnostics);

// The same from a text in memory; `path` is what messages call it and where relative paths start.
std::optional<Description> parse_text(std::string text, const std::string& path,
                                      const Options& options, const schema::Catalogue& catalogue,
                                      Diagnostics& diagnostics);

}  // namespace nnc::language
