#include "compiler/language/help_keys.h"

#include <algorithm>

#include "compiler/language/file_schema.h"

namespace nnc::language {

namespace {

void collect(const schema::Type& written, const std::string& place, std::vector<PlacedKey>& list) {
  const schema::Type& type = with_siblings(written);
  const bool siblings = type.kind == schema::Kind::entry;
  for (const schema::Key& key : type.keys) {
    const bool known = std::any_of(list.begin(), list.end(), [&](const PlacedKey& other) {
      return other.key->name == key.name && other.key->doc == key.doc;
    });
    if (known) continue;
    list.push_back({siblings ? "beside a " + schema::noun(type.group) : "under " + place, &key});
    collect(key.type, place + "." + key.name, list);
  }
  if (type.element) collect(*type.element, place, list);
  for (const schema::Type& form : type.alternatives) collect(form, place, list);
}

}  // namespace

std::vector<PlacedKey> keys_below_sections() {
  std::vector<PlacedKey> list;
  for (const schema::Key& section : file_type().keys) collect(section.type, section.name, list);
  return list;
}

}  // namespace nnc::language
