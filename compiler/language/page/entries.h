// The parts of the reference that come from the schema table, as Markdown.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "compiler/support/schema.h"

namespace nnc::language {

// The keys as a list, those of maps inside them below. Maps whose keys are in `shown` already are
// not spelled out again; new ones are added to it.
std::string key_list(const std::vector<schema::Key>& keys, const std::string& principal,
                     std::set<std::string>& shown);

// One layer, loss, source … with its keys, its example and its source.
std::string entry_text(schema::Group group, const schema::Entry& entry);

// The chapter of each group, by its anchor.
const std::vector<std::pair<schema::Group, std::string>>& group_chapters();

// Where links to it lead: "layer-dense".
std::string anchor_of(schema::Group group, const std::string& name);

}  // namespace nnc::language
