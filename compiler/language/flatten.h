// The layers of a model as one list: blocks, repeats and residuals become the layers that they
// stand for, whose names begin with theirs (d_real.conv, body.2.norm). This is the one place where
// such names are made; everywhere else they are names like others.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/language/blocks.h"
#include "compiler/language/describe.h"

namespace nnc::language {

class LayerReader {
 public:
  LayerReader(const schema::Catalogue& catalogue, Diagnostics& diagnostics)
      : catalogue_(catalogue), diagnostics_(diagnostics) {}

  // `complete` becomes false where the layer's name could not be read.
  Layer read(const EntryValue& entry, bool& complete);
  // Whether it takes its inputs from its formula, not from the layer above.
  bool names_its_inputs(const Layer& layer) const;

 private:
  When modes(const Value& value, const std::string& kind);
  void arguments(const Args& args, Layer& layer);
  void only_of_blocks(const MapValue& beside, const Layer& layer);

  const schema::Catalogue& catalogue_;
  Diagnostics& diagnostics_;
};

// The names that the layers of one list see.
struct LayerScope {
  const LayerScope* outer = nullptr;         // of a repeat or residual; null: a block, the model
  std::string prefix;                        // of full names: "fake."
  std::map<std::string, std::string> names;  // own ones, to full names
  std::set<std::string> unnamed;             // those of them that nobody gave
  std::string block;                         // whose layers they are; empty: the model's
  std::vector<Name> first;                   // what the first layer takes by default
  std::vector<std::string> hints;            // the inputs, for messages
  // What a composite hands on to its layers.
  std::string share;  // prefix of the layers whose weights they use; empty: they have their own
  SourceSpan share_span;
  Located<bool> freeze;
  std::optional<InitFrom> init;  // its name is a prefix
  std::optional<Penalty> penalty;
};

class Flattener {
 public:
  Flattener(const schema::Catalogue& catalogue, const Blocks& blocks, Draft& draft,
            Diagnostics& diagnostics)
      : reader_(catalogue, diagnostics),
        blocks_(blocks),
        draft_(draft),
        model_(draft.description.model),
        diagnostics_(diagnostics) {}

  void run(const ListValue& layers);

 private:
  struct Written {
    Layer layer;
    const EntryValue* entry = nullptr;
  };
  // The layers of a list, one after the other; the value of the last.
  Name list(const ListValue& layers, LayerScope& scope);
  std::vector<Written> read(const ListValue& layers);
  void give_names(std::vector<Written>& layers, LayerScope& scope);
  void inherit(Layer& layer, const std::string& local, const LayerScope& scope) const;
  void default_inputs(Layer& layer, const Name& above, bool is_first, const LayerScope& scope);
  Name add(Layer layer);

  Name block(const Written& written, const LayerScope& scope);
  bool block_inputs(const Written& written, const Block& block, const LayerScope& scope,
                    LayerScope& inner);
  bool shares_rightly(const Layer& layer, const Block& block) const;
  Name block_value(const Written& written, const Block& block, const LayerScope& inner,
                   const Name& last);
  Name repeat(const Written& written, const LayerScope& scope);
  Name residual(const Written& written, const LayerScope& scope);
  LayerScope inner_scope(const Layer& layer, const LayerScope& scope, bool closed) const;
  Name pass_on(const Written& written, const std::string& value);
  void too_many_layers(const SourceSpan& span);
  void refuse(const Written& written, const std::vector<std::string>& keys);

  std::string full_name(const Name& name, const LayerScope& scope);
  void rename(std::vector<Name>& names, const LayerScope& scope);
  Formula renamed(const Formula& formula, const LayerScope& scope);
  ExpressionPtr renamed(const ExpressionPtr& expression, const LayerScope& scope);
  Value renamed(const Value& value, const LayerScope& scope);

  LayerReader reader_;
  const Blocks& blocks_;
  Draft& draft_;
  Model& model_;
  Diagnostics& diagnostics_;
  std::vector<std::string> open_;  // blocks whose layers are being read
  std::set<std::string> used_;
  size_t uses_ = 0;  // of blocks: those without a layer of their own cost time as well
  bool too_many_ = false;
};

}  // namespace nnc::language
