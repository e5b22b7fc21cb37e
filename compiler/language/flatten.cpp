#include "compiler/language/flatten.h"

#include <algorithm>

#include "compiler/support/text.h"

namespace nnc::language {

namespace {

// Of one model: repeats in repeats are short to write.
constexpr size_t most_layers = 20'000;

bool is_composite(const std::string& kind) {
  return kind == "block" || kind == "repeat" || kind == "residual";
}

Formula name_formula(const std::string& name, const SourceSpan& span) {
  Expression e;
  e.kind = Expression::Kind::name;
  e.text = name;
  e.span = span;
  return {name, span, std::make_shared<const Expression>(std::move(e))};
}

Layer formula_layer(const std::string& name, const Formula& formula, const SourceSpan& span) {
  Layer layer;
  layer.kind = {"expr", span};
  layer.name = name;
  layer.named = true;
  layer.span = span;
  layer.args.whole = span;
  Value value;
  value.data = formula;
  value.span = formula.span;
  layer.args.set("formula", value);
  return layer;
}

}  // namespace

// ---- lists of layers

std::vector<Flattener::Written> Flattener::read(const ListValue& layers) {
  std::vector<Written> result;
  for (const Value& value : layers) {
    if (!value.is_entry()) {
      draft_.layers_complete = false;
      continue;
    }
    const EntryValue& entry = value.entry();
    result.push_back({reader_.read(entry, draft_.layers_complete), &entry});
  }
  return result;
}

// Unnamed layers are counted by kind: dense_1, dense_2; uses of a block by its name.
void Flattener::give_names(std::vector<Written>& layers, LayerScope& scope) {
  std::set<std::string> given;
  for (const Written& written : layers)
    if (written.layer.named) given.insert(written.layer.name);
  std::map<std::string, int> counts;
  for (Written& written : layers) {
    Layer& layer = written.layer;
    if (!layer.named) {
      const Value* block = layer.kind.text == "block" ? layer.args.find("template") : nullptr;
      const std::string base = block && block->is_text() ? block->text() : layer.kind.text;
      do {
        layer.name = base + "_" + std::to_string(++counts[base]);
      } while (given.count(layer.name) > 0);
    }
    if (!layer.named) scope.unnamed.insert(layer.name);
    const auto [known, is_new] = scope.names.emplace(layer.name, scope.prefix + layer.name);
    if (is_new || known->second == scope.prefix + layer.name) continue;
    diagnostics_.error(
        layer.span, in_quotes(layer.name) + " is an input of the block " + in_quotes(scope.block),
        "a name of its own");
  }
}

Name Flattener::list(const ListValue& layers, LayerScope& scope) {
  std::vector<Written> all = read(layers);
  give_names(all, scope);
  Name above;
  for (size_t i = 0; i < all.size() && !too_many_; ++i) {
    Written& written = all[i];
    Layer& layer = written.layer;
    const std::string local = layer.name;
    layer.name = scope.prefix + layer.name;
    rename(layer.from, scope);
    if (layer.share) layer.share->text = full_name(*layer.share, scope);
    if (layer.predict) layer.predict = renamed(*layer.predict, scope);
    default_inputs(layer, above, i == 0, scope);
    if (is_composite(layer.kind.text)) {
      inherit(layer, local, scope);
      above = layer.kind.text == "block"    ? block(written, scope)
              : layer.kind.text == "repeat" ? repeat(written, scope)
                                            : residual(written, scope);
      continue;
    }
    Args args;
    args.whole = layer.args.whole;
    for (const auto& [key, value] : layer.args.values()) args.set(key, renamed(value, scope));
    layer.args = std::move(args);
    inherit(layer, local, scope);
    above = add(std::move(layer));
  }
  return above;
}

Name Flattener::add(Layer layer) {
  const Name name{layer.name, layer.kind.span};
  if (model_.layers.size() >= most_layers) {
    too_many_layers(layer.kind.span);
    return name;
  }
  // What has no name of its own is told apart by its composite's.
  layer.named = layer.named || layer.name.find('.') != std::string::npos;
  model_.layers.push_back(std::move(layer));
  return name;
}

void Flattener::too_many_layers(const SourceSpan& span) {
  diagnostics_.error(span, "the model has too many layers",
                     "at most " + std::to_string(most_layers) + ", those of repeats included");
  too_many_ = true;
  draft_.layers_complete = false;
}

// What stands beside a composite holds for its layers.
void Flattener::inherit(Layer& layer, const std::string& local, const LayerScope& scope) const {
  if (!scope.share.empty()) {
    std::string shared = layer.share ? layer.share->text : scope.prefix + local;
    if (shared.starts_with(scope.prefix)) shared = scope.share + shared.substr(scope.prefix.size());
    layer.share = Name{shared, scope.share_span};
  }
  if (scope.freeze.value && !layer.freeze.value) layer.freeze = scope.freeze;
  if (scope.penalty && !layer.penalty) layer.penalty = scope.penalty;
  if (scope.init && !layer.init_from) {
    layer.init_from = scope.init;
    layer.init_from->name += local;
  } else if (layer.init_from && layer.init_from->name.empty()) {
    layer.init_from->name = layer.name;
  }
}

// What it takes if it does not say so; nothing where that was reported.
void Flattener::default_inputs(Layer& layer, const Name& above, bool is_first,
                               const LayerScope& scope) {
  if (layer.from_given || reader_.names_its_inputs(layer)) return;
  if (!is_first) {
    if (!above.text.empty()) layer.from.push_back({above.text, layer.kind.span});
    return;
  }
  if (scope.first.size() == 1) {
    layer.from.push_back({scope.first[0].text, layer.kind.span});
    return;
  }
  // A block may take them all.
  if (scope.first.size() > 1 && layer.kind.text != "block") {
    const std::string owner =
        scope.block.empty() ? "the model" : "the block " + in_quotes(scope.block);
    diagnostics_.error(layer.kind.span,
                       "the first layer needs 'from', because " + owner + " has several inputs",
                       "from: " + join(scope.hints, "or"));
  }
}

// ---- composites

LayerScope Flattener::inner_scope(const Layer& layer, const LayerScope& scope, bool closed) const {
  LayerScope inner;
  inner.outer = closed ? nullptr : &scope;
  inner.block = scope.block;
  inner.prefix = layer.name + ".";
  if (layer.share) {
    inner.share = layer.share->text + ".";
    inner.share_span = layer.share->span;
  }
  inner.freeze = layer.freeze;
  inner.penalty = layer.penalty;
  if (layer.init_from) {
    inner.init = layer.init_from;
    inner.init->name += ".";
  }
  return inner;
}

void Flattener::refuse(const Written& written, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    const Value* value = get(written.entry->siblings->values(), key);
    if (value == nullptr || !value->given) continue;
    diagnostics_.error(
        value->span, in_quotes(key) + " cannot stand beside " + in_quotes(written.layer.kind.text),
        in_quotes(key) + " beside one of its layers");
  }
}

// A value of its own for what has a name, so that others can speak of it.
Name Flattener::pass_on(const Written& written, const std::string& value) {
  const Layer& layer = written.layer;
  if (value.empty()) return {};
  if (!layer.named) return {value, layer.kind.span};
  Layer result = formula_layer(layer.name, name_formula(value, layer.kind.span), layer.span);
  result.predict = layer.predict;
  return add(std::move(result));
}

Name Flattener::repeat(const Written& written, const LayerScope& scope) {
  const Layer& layer = written.layer;
  refuse(written, {"when", "with"});
  model_.composites.push_back({layer.name, "", {}, layer.span});
  const Value* times = layer.args.find("times");
  const Value* layers = layer.args.find("layers");
  if (times == nullptr || !times->is_integer() || layers == nullptr || !layers->is_list()) {
    draft_.layers_complete = false;
    return {};
  }
  std::vector<Name> input = layer.from;
  Name last;
  for (int64_t round = 1; round <= times->integer() && !too_many_; ++round) {
    LayerScope inner = inner_scope(layer, scope, false);
    const std::string number = std::to_string(round) + ".";
    inner.prefix += number;
    if (!inner.share.empty()) inner.share += number;
    if (inner.init) inner.init->name += number;
    inner.first = input;
    last = list(layers->list(), inner);
    if (last.text.empty()) return {};
    input = {last};
  }
  return pass_on(written, last.text);
}

Name Flattener::residual(const Written& written, const LayerScope& scope) {
  const Layer& layer = written.layer;
  refuse(written, {"when", "with"});
  model_.composites.push_back({layer.name, "", {}, layer.span});
  const Value* layers = layer.args.find("layers");
  if (layers == nullptr || !layers->is_list() || layer.from.size() != 1) {
    if (layer.from.size() > 1) {
      diagnostics_.error(layer.kind.span, "a residual has one input", "from: one name",
                         std::to_string(layer.from.size()) + " names");
    }
    draft_.layers_complete = false;
    return {};
  }
  LayerScope inner = inner_scope(layer, scope, false);
  inner.first = layer.from;
  const Name last = list(layers->list(), inner);
  Name input = layer.from[0];
  if (const Value* shortcut = layer.args.find("shortcut"); shortcut && shortcut->is_list()) {
    LayerScope beside = inner_scope(layer, scope, false);
    beside.prefix += "shortcut.";
    if (!beside.share.empty()) beside.share += "shortcut.";
    if (beside.init) beside.init->name += "shortcut.";
    beside.first = layer.from;
    input = list(shortcut->list(), beside);
  }
  if (last.text.empty() || input.text.empty()) return {};
  Layer sum;
  sum.kind = {"add", layer.kind.span};
  sum.name = layer.name;
  sum.named = layer.named;
  sum.span = layer.span;
  sum.args.whole = layer.kind.span;
  sum.from = {{input.text, layer.kind.span}, {last.text, layer.kind.span}};
  sum.predict = layer.predict;
  return add(std::move(sum));
}

namespace {

// {a: …, b: …}
std::string one_each(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name + ": …";
  return "{" + text + "}";
}

}  // namespace

// The inputs of a use: by the names that the block has for them.
bool Flattener::block_inputs(const Written& written, const Block& block, const LayerScope& scope,
                             LayerScope& inner) {
  const Layer& layer = written.layer;
  std::vector<Name> given = layer.from;
  const Value* from = get(written.entry->siblings->values(), "from");
  std::vector<std::string> names;
  for (const Name& input : block.inputs) names.push_back(input.text);
  if (from != nullptr && from->is_map()) {
    given.assign(block.inputs.size(), Name{});
    for (const auto& [key, value] : from->map()) {
      const auto place = std::find(names.begin(), names.end(), key.text);
      if (place == names.end()) {
        diagnostics_.error(
            key.span,
            "the block " + in_quotes(block.name.text) + " has no input " + in_quotes(key.text),
            join(names, "or"));
        return false;
      }
      if (!value.is_reference()) continue;
      const Name& name = value.reference();
      given[static_cast<size_t>(place - names.begin())] = {full_name(name, scope), name.span};
    }
    for (size_t i = 0; i < given.size(); ++i) {
      if (!given[i].text.empty()) continue;
      diagnostics_.error(from->span, "the input " + in_quotes(names[i]) + " is missing",
                         "from: " + one_each(names));
      return false;
    }
  }
  if (given.size() != block.inputs.size()) {
    if (given.empty() && !layer.from_given && block.inputs.size() == 1) return false;  // reported
    diagnostics_.error(layer.kind.span,
                       "the block " + in_quotes(block.name.text) + " has " +
                           std::to_string(block.inputs.size()) +
                           (names.size() == 1 ? " input" : " inputs"),
                       "from: " + one_each(names),
                       std::to_string(given.size()) + (given.size() == 1 ? " name" : " names"));
    return false;
  }
  for (size_t i = 0; i < given.size(); ++i) inner.names.emplace(names[i], given[i].text);
  inner.first = given;
  inner.hints = names;
  return true;
}

Name Flattener::block_value(const Written& written, const Block& block, const LayerScope& inner,
                            const Name& last) {
  const Layer& layer = written.layer;
  std::vector<Name> values;
  for (const NamedFormula& output : block.formulas) {
    values.push_back(output.name);
    add(formula_layer(inner.prefix + output.name.text, renamed(output.formula, inner),
                      output.name.span));
  }
  for (const Name& output : block.outputs) {
    const bool known = inner.names.count(output.text.substr(0, output.text.find('.'))) > 0;
    if (!known) full_name(output, inner);  // reports it
    values.push_back(output);
  }
  if (values.size() <= 1) {
    const std::string value = values.empty() ? last.text : inner.prefix + values[0].text;
    model_.composites.push_back({layer.name, block.name.text, {}, layer.span});
    return pass_on(written, value);
  }
  Composite several{layer.name, block.name.text, {}, layer.span};
  for (const Name& value : values) several.outputs.push_back(inner.prefix + value.text);
  model_.composites.push_back(std::move(several));
  return {};
}

// Weights can be shared by uses of one block.
bool Flattener::shares_rightly(const Layer& layer, const Block& block) const {
  if (!layer.share) return true;
  for (const Composite& composite : model_.composites) {
    if (composite.name != layer.share->text) continue;
    if (composite.block == block.name.text) return true;
    diagnostics_.error(layer.share->span, "only uses of one block can share weights",
                       "another use of " + in_quotes(block.name.text),
                       composite.block.empty() ? "layers that are no block"
                                               : "a use of " + in_quotes(composite.block));
    return false;
  }
  diagnostics_.error(layer.share->span,
                     in_quotes(layer.share->text) + " is no use of a block that stands above",
                     "another use of " + in_quotes(block.name.text));
  return false;
}

Name Flattener::block(const Written& written, const LayerScope& scope) {
  Written use = written;
  Layer& layer = use.layer;
  refuse(use, {"when"});
  const Value* word = layer.args.find("template");
  if (word == nullptr || !word->is_text()) {
    draft_.layers_complete = false;
    return {};
  }
  const Block* block = blocks_.find(word->text());
  if (block == nullptr) {
    const auto near = nearest(word->text(), blocks_.names());
    diagnostics_.error(word->span,
                       "there is no block " + in_quotes(word->text()) +
                           (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                       blocks_.names().empty()
                           ? "blocks: {" + word->text() + ": {inputs: …, layers: …}}"
                           : join(blocks_.names(), "or"));
    draft_.layers_complete = false;
    return {};
  }
  used_.insert(block->name.text);
  if (++uses_ > most_layers) too_many_layers(word->span);
  if (too_many_) return {};
  if (std::find(open_.begin(), open_.end(), block->name.text) != open_.end()) {
    diagnostics_.error(word->span, "the block " + in_quotes(block->name.text) + " contains itself",
                       "blocks of other blocks");
    draft_.layers_complete = false;
    return {};
  }
  if (block->inputs.empty() || block->layers.is_null() || !shares_rightly(layer, *block)) {
    draft_.layers_complete = false;
    return {};
  }
  if (layer.from.empty() && !layer.from_given) layer.from = scope.first;
  LayerScope inner = inner_scope(layer, scope, true);
  inner.block = block->name.text;
  if (!block_inputs(use, *block, scope, inner)) {
    draft_.layers_complete = false;
    return {};
  }
  const Value* with = get(use.entry->siblings->values(), "with");
  const ListValue layers = blocks_.layers(*block, with ? with->map() : MapValue{});
  open_.push_back(block->name.text);
  const Name last = list(layers, inner);
  open_.pop_back();
  if (last.text.empty() && block->outputs.empty() && block->formulas.empty()) {
    draft_.layers_complete = false;
    return {};
  }
  return block_value(use, *block, inner, last);
}

// ---- the whole

void Flattener::run(const ListValue& layers) {
  LayerScope scope;
  scope.first = model_.inputs;
  for (const Name& input : model_.inputs) scope.hints.push_back(input.text);
  list(layers, scope);
  for (const std::string& name : blocks_.names()) {
    if (used_.count(name) > 0) continue;
    const Block& block = *blocks_.find(name);
    diagnostics_.warning(block.name.span, "the block " + in_quotes(name) + " is not used");
    blocks_.layers(block, {});  // for its mistakes
  }
}

bool LayerReader::names_its_inputs(const Layer& layer) const {
  const schema::Entry* entry = catalogue_.find(schema::Group::layers, layer.kind.text);
  if (entry == nullptr) return true;
  for (const schema::Key& key : entry->keys) {
    if (key.name == entry->principal) return key.type.kind == schema::Kind::formula;
  }
  return false;
}

void describe_layers(const ListValue& layers, const schema::Catalogue& catalogue,
                     const Blocks& blocks, Draft& draft, Diagnostics& diagnostics) {
  Flattener(catalogue, blocks, draft, diagnostics).run(layers);
}

}  // namespace nnc::language
