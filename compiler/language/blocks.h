// The `blocks` of a file: layers that a model uses more than once, each use with arguments of its
// own. Their layers stay text until they are used, because $name stands for something else in
// every use.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/language/description.h"
#include "compiler/language/settings.h"
#include "compiler/language/yaml.h"
#include "compiler/support/schema.h"

namespace nnc::language {

struct Block {
  Name name;
  std::vector<Setting> args;  // with their defaults
  std::vector<Name> inputs;
  std::vector<Name> outputs;           // layers of it; empty: the last, or `formulas`
  std::vector<NamedFormula> formulas;  // outputs that are formulas
  YamlNode layers;
};

class Blocks {
 public:
  // `section` is the value of `blocks`, or null. `folder` is where relative paths start.
  Blocks(const YamlNode* section, const Settings& settings, const schema::Catalogue& catalogue,
         std::string folder, Diagnostics& diagnostics);

  // Null if there is none of this name. One that could not be read is there, without layers.
  const Block* find(const std::string& name) const;
  std::vector<std::string> names() const;
  // The layers of a use; `with` are the arguments that it gives. Mistakes are reported.
  ListValue layers(const Block& block, const MapValue& with) const;

 private:
  void add(const YamlEntry& entry);
  void outputs(const Value& value, Block& block) const;

  const Settings& settings_;
  const schema::Catalogue& catalogue_;
  std::string folder_;
  Diagnostics& diagnostics_;
  std::map<std::string, Block> blocks_;
};

}  // namespace nnc::language
