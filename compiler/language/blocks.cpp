#include "compiler/language/blocks.h"

#include <algorithm>

#include "compiler/language/decode.h"
#include "compiler/language/describe.h"
#include "compiler/language/file_schema.h"
#include "compiler/language/synonyms.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

const schema::Key& key_of(const schema::Type& record, const std::string& name) {
  const auto found = std::find_if(record.keys.begin(), record.keys.end(),
                                  [&](const schema::Key& key) { return key.name == name; });
  internal_check(found != record.keys.end(), "a block has no key " + name);
  return *found;
}

// All keys but the layers.
schema::Type head_type() {
  schema::Type type = block_type();
  std::erase_if(type.keys, [](const schema::Key& key) { return key.name == "layers"; });
  return type;
}

}  // namespace

Blocks::Blocks(const YamlNode* section, const Settings& settings,
               const schema::Catalogue& catalogue, std::string folder, Diagnostics& diagnostics)
    : settings_(settings),
      catalogue_(catalogue),
      folder_(std::move(folder)),
      diagnostics_(diagnostics) {
  if (section == nullptr) return;
  if (!section->is_map()) {
    diagnostics_.error(section->span, "'blocks' has the wrong kind of value",
                       "a map of names to {inputs: …, layers: …}", describe(*section));
    return;
  }
  for (const YamlEntry& entry : section->entries) add(entry);
}

void Blocks::add(const YamlEntry& entry) {
  Block block;
  block.name = {entry.key.text, entry.key.span};
  if (!is_identifier(block.name.text)) {
    diagnostics_.error(block.name.span,
                       in_quotes(block.name.text) +
                           " is not a name: letters, digits and _, not starting with a digit");
    return;
  }
  YamlNode head = entry.value;
  if (const YamlNode* layers = entry.value.find("layers"); layers != nullptr) {
    block.layers = *layers;
    std::erase_if(head.entries, [](const YamlEntry& key) { return key.key.text == "layers"; });
  } else if (entry.value.is_map()) {
    diagnostics_.error(block.name.span,
                       "the block " + in_quotes(block.name.text) + " needs 'layers'",
                       "layers: a list of layers");
  }
  static const schema::Type type = head_type();
  Decoder decoder(catalogue_, settings_, folder_, diagnostics_);
  const Value value = decoder.decode(head, type, "'" + block.name.text + "'");
  if (value.is_map()) {
    const MapValue& map = value.map();
    if (const Value* args = get(map, "args")) {
      for (const auto& [name, text] : args->map())
        if (text.is_text()) block.args.push_back(settings_.setting(name, text.text()));
    }
    if (const Value* inputs = get(map, "inputs")) {
      for (const Value& input : inputs->list())
        if (input.is_text()) block.inputs.push_back({input.text(), input.span});
      for (const Name& input : block.inputs) {
        if (is_identifier(input.text)) continue;
        diagnostics_.error(input.span, "an input of a block has a plain name",
                           "letters, digits and _", input.text);
      }
    }
    if (const Value* value_of_outputs = get(map, "outputs")) outputs(*value_of_outputs, block);
  }
  blocks_.emplace(block.name.text, std::move(block));
}

void Blocks::outputs(const Value& value, Block& block) const {
  if (value.is_map()) {
    for (const auto& [name, formula] : value.map())
      if (formula.is_formula()) block.formulas.push_back({name, formula.formula()});
    return;
  }
  for (const Value& item : value.list())
    if (item.is_reference()) block.outputs.push_back(item.reference());
}

const Block* Blocks::find(const std::string& name) const {
  const auto found = blocks_.find(name);
  return found == blocks_.end() ? nullptr : &found->second;
}

std::vector<std::string> Blocks::names() const {
  std::vector<std::string> names;
  for (const auto& [name, block] : blocks_) names.push_back(name);
  return names;
}

ListValue Blocks::layers(const Block& block, const MapValue& with) const {
  if (block.layers.is_null()) return {};
  std::vector<Setting> args = block.args;
  for (const auto& [name, value] : with) {
    const auto arg = std::find_if(args.begin(), args.end(), [&, &key = name](const Setting& known) {
      return known.name.text == key.text;
    });
    if (arg != args.end() && value.is_text()) {
      *arg = settings_.setting(name, value.text());
    } else if (arg == args.end()) {
      std::vector<std::string> known;
      for (const Setting& known_arg : args) known.push_back(known_arg.name.text);
      const auto near = nearest(name.text, known);
      diagnostics_.error(
          name.span,
          "the block " + in_quotes(block.name.text) + " has no argument " + in_quotes(name.text) +
              (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
          known.empty() ? "args: of the block, with their defaults" : join(known, "or"));
    }
  }
  const Settings settings = settings_.with(args);
  Decoder decoder(catalogue_, settings, folder_, diagnostics_);
  const Value value = decoder.decode(block.layers, key_of(block_type(), "layers").type,
                                     "'layers' of " + block.name.text);
  return value.is_list() ? value.list() : ListValue{};
}

}  // namespace nnc::language
