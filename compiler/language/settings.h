// The `settings` of a file, and what $name stands for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/language/description.h"
#include "compiler/language/formula.h"
#include "compiler/language/yaml.h"

namespace nnc::language {

class Settings {
 public:
  // `node` is the value of `settings`, or null if the file has none. A setting may use those above
  // it.
  Settings(const YamlNode* node, Diagnostics& diagnostics);

  const std::vector<Setting>& all() const { return settings_; }

  // One that is written without quotes.
  Setting setting(const Name& name, const std::string& text) const;
  // These and others, which stand before those of the same name.
  Settings with(const std::vector<Setting>& others) const;

  // The scalar with its settings filled in. What is only `$name` becomes exactly that setting, a
  // plain one if the setting was plain. None if a setting is unknown (which is reported).
  std::optional<YamlNode> fill(const YamlNode& scalar) const;

  // For formulas: the number behind $name.
  SettingNumber numbers() const;
  // For formulas: what stands for $name if it is a ramp.
  SettingFormula ramps() const;

 private:
  const Setting* find(const std::string& name, const SourceSpan& span) const;
  void add(const YamlEntry& entry);
  void add_ramp(const Name& name, const YamlNode& node);
  std::optional<std::string> substituted(const YamlNode& scalar) const;

  std::vector<Setting> settings_;
  std::vector<std::string> failed_;  // known, but their value was refused
  Diagnostics& diagnostics_;
};

// The text of a scalar as a formula, with the column it starts at.
FormulaText formula_text(const YamlNode& scalar);

}  // namespace nnc::language
