// `ramp: {from: 0, to: 1, epochs: 10}`: a number that changes while training.
#pragma once

#include <optional>

#include "compiler/language/description.h"
#include "compiler/language/yaml.h"
#include "compiler/support/schema.h"

namespace nnc::language {

// Where a term's weight may be one.
schema::Type ramp_type();
// Reports and returns none if it has no length, or two.
std::optional<Ramp> ramp_of(const MapValue& map, const SourceSpan& span, Diagnostics& diagnostics);

// {ramp: {…}} as the value of a setting; null for anything else.
const YamlNode* ramp_node(const YamlNode& node);

// As a call in a formula, all at one place, and as YAML.
ExpressionPtr ramp_call(const Ramp& ramp, const SourceSpan& span);
std::string ramp_text(const Ramp& ramp);

}  // namespace nnc::language
