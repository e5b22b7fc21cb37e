// From the YAML tree to typed values, as the schema describes them. Every mistake is reported where
// it stands; what could not be read has no data (std::monostate), so that the rest can go on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/language/settings.h"
#include "compiler/language/yaml.h"
#include "compiler/support/args.h"
#include "compiler/support/schema.h"

namespace nnc::language {

// What messages call the file as a whole.
inline const std::string whole_file = "the file";

class Decoder {
 public:
  // `folder` is where relative paths start.
  Decoder(const schema::Catalogue& catalogue, const Settings& settings, std::string folder,
          Diagnostics& diagnostics)
      : catalogue_(catalogue),
        settings_(settings),
        folder_(std::move(folder)),
        diagnostics_(diagnostics) {}

  // `what` is what the value is called in messages: "'units' of dense".
  Value decode(const YamlNode& node, const schema::Type& type, const std::string& what);

 private:
  Value scalar(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value number(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value boolean(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value choice(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value name(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value formula(const YamlNode& node);
  Value path(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value duration(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value array(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value list(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value map(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value record(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value entry(const YamlNode& node, const schema::Type& type, const std::string& what);
  Value one_of(const YamlNode& node, const schema::Type& type, const std::string& what);

  // decode_entry.cpp
  struct Form;
  Form entry_form(const YamlNode& node, const schema::Type& type, const std::string& what);
  void unknown_entry(const YamlNode& key, const schema::Type& type);
  std::shared_ptr<const Args> entry_arguments(const schema::Entry& entry, const YamlNode& key,
                                              const YamlNode* value, bool report_missing);
  // Returns whether an argument stands there that belongs inside.
  bool keys_beside(const YamlNode& node, const YamlEntry& chosen, const schema::Entry* entry,
                   const schema::Type& type, const std::vector<YamlEntry>& taken, Args& siblings);
  std::vector<YamlEntry> take_out(YamlNode& arguments, const schema::Entry& entry,
                                  const schema::Type& type);
  bool belongs_inside(const YamlEntry& beside, const YamlEntry& chosen, const schema::Entry* entry);

  // The keys of a map: known ones decoded, unknown ones reported, missing ones defaulted.
  void keys(const YamlNode& node, const std::vector<schema::Key>& keys,
            const schema::Type* other_keys, const std::string& owner, Args& result);
  void defaults(const std::vector<schema::Key>& keys, const SourceSpan& whole,
                const std::string& owner, bool report_missing, Args& result);
  // How well what is written fits a type: 0 not at all, 1 by its form, more by its words.
  int fit(const YamlNode& node, const schema::Type& type) const;
  const schema::Entry* find(schema::Group group, const std::string& name) const;
  std::vector<std::string> names_of(schema::Group group) const;
  bool in_range(double number, const schema::Type& type) const;

  Value wrong_kind(const YamlNode& node, const schema::Type& type, const std::string& what);
  // The key that was surely meant then counts as written but not read.
  void report_unknown_key(const YamlNode& key, const std::string& owner,
                          const std::vector<schema::Key>& known, Args& result);

  const schema::Catalogue& catalogue_;
  const Settings& settings_;
  std::string folder_;
  Diagnostics& diagnostics_;
};

// Whether there was a value and it could be read.
inline bool is_read(const Value* value) {
  return value != nullptr && !std::holds_alternative<std::monostate>(value->data);
}

}  // namespace nnc::language
