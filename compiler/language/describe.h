// From the decoded values of a file to its Description: names are made, references followed,
// sections checked against each other.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "compiler/language/blocks.h"
#include "compiler/language/description.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/schema.h"

namespace nnc::language {

// The value of a key that was written (or has a default) and could be read; null otherwise.
const Value* get(const MapValue& map, const std::string& key);
// Whether the key stands there, read or not.
bool stands(const MapValue& map, const std::string& key);
// The place of a key's value, or `otherwise`.
SourceSpan span_of(const MapValue& map, const std::string& key, const SourceSpan& otherwise);

// A description and how much of it can be trusted after mistakes: where names are missing because
// their section could not be read, nobody should be told that a name is unknown.
struct Draft {
  Description description;
  bool fields_complete = true;
  bool layers_complete = true;
  bool params_complete = true;
  bool outputs_complete = true;
  bool terms_complete = true;
  bool has_errors = false;  // found before references were checked: warnings would be noise
};

void describe_data(const MapValue& data, Draft& draft, Diagnostics& diagnostics);
void describe_model(const MapValue& model, const schema::Catalogue& catalogue, const Blocks& blocks,
                    Draft& draft, Diagnostics& diagnostics);
// The layers of the model, with blocks, repeats and residuals flattened.
void describe_layers(const ListValue& layers, const schema::Catalogue& catalogue,
                     const Blocks& blocks, Draft& draft, Diagnostics& diagnostics);
void describe_functions(const MapValue& functions, Draft& draft, Diagnostics& diagnostics);
void describe_loss(const Value& loss, Draft& draft, Diagnostics& diagnostics);
void describe_metrics(const ListValue& metrics, Draft& draft, Diagnostics& diagnostics);
void describe_train(const MapValue& train, Draft& draft, Diagnostics& diagnostics);

// Which layers and parameters the phases of training change; none without phases.
void describe_phases(Draft& draft, Diagnostics& diagnostics);

// Reports names that are no loss term.
void check_terms_named(const std::vector<Name>& names, const std::vector<std::string>& terms,
                       Diagnostics& diagnostics);

// The penalty in a record {l1, l2}.
Penalty penalty_of(const Value& value);

// Every name that stands twice, every reference that leads nowhere or downwards, every layer that
// nothing needs.
void check_references(const Draft& draft, Diagnostics& diagnostics);

// Warns of probabilities that a loss takes for logits.
void warn_of_losses(const Draft& draft, Diagnostics& diagnostics);

// ---- walking over references

// A name in a formula or an argument, with its place.
std::vector<Name> names_in(const Expression& expression);
std::vector<Name> names_in(const Args& args);

}  // namespace nnc::language
