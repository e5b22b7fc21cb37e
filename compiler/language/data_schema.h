// The tables of data sources, prepare steps and augment steps.
#pragma once

#include <string>
#include <vector>

#include "compiler/support/schema.h"

namespace nnc::language {

const std::vector<schema::Entry>& source_entries();
const std::vector<schema::Entry>& prepare_entries();
const std::vector<schema::Entry>& augment_entries();  // augment_schema.cpp

// Null if there is none.
const schema::Entry* find_entry(const std::vector<schema::Entry>& entries, const std::string& name);

}  // namespace nnc::language
