// One layer as it was written: its word, its arguments and the keys beside it.
#include "compiler/language/flatten.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

void add_inputs(const Value& value, Layer& layer) {
  if (value.is_reference()) layer.from.push_back(value.reference());
  if (!value.is_list()) return;
  for (const Value& item : value.list()) {
    if (item.is_reference()) layer.from.push_back(item.reference());
  }
}

}  // namespace

When LayerReader::modes(const Value& value, const std::string& kind) {
  When when{.span = value.span};
  const ListValue one{value};
  for (const Value& mode : value.is_list() ? value.list() : one) {
    if (!mode.is_text()) continue;
    (mode.text() == "train" ? when.train : when.eval) = true;
  }
  const schema::Entry* layer = catalogue_.find(schema::Group::layers, kind);
  if (layer == nullptr || layer->random) return when;
  std::vector<std::string> random;
  for (const schema::Entry* entry : catalogue_.entries(schema::Group::layers)) {
    if (entry->random) random.push_back(entry->name);
  }
  diagnostics_.error(value.span,
                     "'when' says when random numbers are drawn, and " + kind + " draws none",
                     "no 'when', or a layer that draws: " + join(random, "or"));
  return when;
}

// The inputs of a merge layer move to `from`.
void LayerReader::arguments(const Args& args, Layer& layer) {
  const schema::Entry* entry = catalogue_.find(schema::Group::layers, layer.kind.text);
  const bool merges = entry != nullptr && entry->merges;
  for (const auto& [key, value] : args.values()) {
    if (!merges || key.text != "inputs") {
      layer.args.set(key, value);
      continue;
    }
    if (layer.from_given) {
      diagnostics_.error(key.span, "the inputs of " + layer.kind.text + " are given twice",
                         "either " + layer.kind.text + ": [a, b] or 'from'");
    }
    layer.from_given = true;
    add_inputs(value, layer);
  }
  if (merges && !layer.from_given) {
    diagnostics_.error(layer.kind.span, layer.kind.text + " needs its inputs",
                       layer.kind.text + ": [a, b]");
    layer.from_given = true;
  }
}

// What only a use of a block understands.
void LayerReader::only_of_blocks(const MapValue& beside, const Layer& layer) {
  if (layer.kind.text == "block") return;
  if (const Value* with = get(beside, "with")) {
    diagnostics_.error(with->span, "'with' gives the arguments of a block",
                       "the arguments of " + layer.kind.text + " themselves");
  }
  if (const Value* from = get(beside, "from"); from != nullptr && from->is_map()) {
    diagnostics_.error(from->span, "only the inputs of a block have names",
                       "from: a name, or a list of names");
  }
}

Layer LayerReader::read(const EntryValue& entry, bool& complete) {
  Layer layer;
  layer.kind = entry.kind;
  layer.span = entry.kind.span;
  layer.args.whole = entry.args->whole;
  const MapValue& beside = entry.siblings->values();
  if (const Value* name = get(beside, "name")) {
    layer.name = name->text();
    layer.named = true;
    layer.span = name->span;
  }
  if (stands(beside, "name") && !layer.named) complete = false;
  if (const Value* from = get(beside, "from")) add_inputs(*from, layer);
  layer.from_given = stands(beside, "from");
  if (const Value* share = get(beside, "share")) layer.share = share->reference();
  if (const Value* freeze = get(beside, "freeze")) layer.freeze = {freeze->boolean(), freeze->span};
  if (const Value* penalty = get(beside, "penalty")) layer.penalty = penalty_of(*penalty);
  if (const Value* predict = get(beside, "predict")) layer.predict = predict->formula();
  if (const Value* when = get(beside, "when")) layer.when = modes(*when, layer.kind.text);
  if (const Value* init = get(beside, "init"); init != nullptr && init->is_map()) {
    InitFrom from;
    if (const Value* run = get(init->map(), "from")) from.folder = {run->text(), run->span};
    if (const Value* name = get(init->map(), "name")) from.name = name->text();
    if (!from.folder.value.empty()) layer.init_from = from;
  }
  only_of_blocks(beside, layer);
  arguments(*entry.args, layer);
  return layer;
}

}  // namespace nnc::language
