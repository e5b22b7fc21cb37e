// What the phases of training change: blocks, layers and parameters as layers with weights.
#include <algorithm>
#include <functional>

#include "compiler/language/describe.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

class PhaseNames {
 public:
  PhaseNames(Draft& draft, Diagnostics& diagnostics)
      : draft_(draft), description_(draft.description), diagnostics_(diagnostics) {}

  void run() {
    for (Phase& phase : description_.train->phases) resolve(phase);
    if (draft_.layers_complete && draft_.params_complete && !unknown_) check_all_updated();
    check_terms();
  }

 private:
  // Weights belong to the layer that made them, not to those that share them.
  const std::string& owner(const Layer& layer) const {
    const Layer* at = &layer;
    while (at->share) {
      const Layer* next = description_.model.layer(at->share->text);
      if (next == nullptr || next == at) break;
      at = next;
    }
    return at->name;
  }

  bool adds(Phase& phase, const std::function<bool(const Layer&)>& belongs) const {
    bool any = false;
    for (const Layer& layer : description_.model.layers) {
      if (!belongs(layer)) continue;
      any = true;
      add(phase, owner(layer));
    }
    return any;
  }

  static void add(Phase& phase, const std::string& name) {
    const bool known =
        std::find(phase.layers.begin(), phase.layers.end(), name) != phase.layers.end();
    if (!known) phase.layers.push_back(name);
  }

  void resolve(Phase& phase) {
    const Model& model = description_.model;
    if (phase.update.empty()) {
      adds(phase, [](const Layer& layer) { return !layer.freeze.value; });
      for (const Parameter& parameter : model.params) add(phase, parameter.name.text);
      return;
    }
    for (const Name& name : phase.update) {
      if (!resolve(phase, name)) unknown(name);
    }
  }

  bool resolve(Phase& phase, const Name& name) const {
    const Model& model = description_.model;
    bool found = false;
    for (const Composite& composite : model.composites) {
      if (composite.block != name.text && composite.name != name.text) continue;
      found = true;
      adds(phase, [&](const Layer& layer) { return layer.name.starts_with(composite.name + "."); });
    }
    found = adds(phase, [&](const Layer& layer) { return layer.name == name.text; }) || found;
    for (const Parameter& parameter : model.params) {
      if (parameter.name.text != name.text) continue;
      add(phase, name.text);
      found = true;
    }
    return found;
  }

  void unknown(const Name& name) {
    unknown_ = true;
    if (!draft_.layers_complete || !draft_.params_complete) return;
    std::vector<std::string> known;
    const auto note = [&](const std::string& word) {
      if (!word.empty() && std::find(known.begin(), known.end(), word) == known.end())
        known.push_back(word);
    };
    for (const Composite& composite : description_.model.composites) {
      note(composite.block);
      note(composite.name);
    }
    for (const Layer& layer : description_.model.layers)
      if (layer.named && layer.name.find('.') == std::string::npos) note(layer.name);
    for (const Parameter& parameter : description_.model.params) note(parameter.name.text);
    const auto near = nearest(name.text, known);
    diagnostics_.error(name.span,
                       "there is no block, layer or parameter " + in_quotes(name.text) +
                           (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                       join(known, "or"));
  }

  // Everything that could learn learns in some phase, or says that it does not.
  void check_all_updated() const {
    const std::vector<Phase>& phases = description_.train->phases;
    const auto updated = [&](const std::string& name) {
      return std::any_of(phases.begin(), phases.end(), [&](const Phase& phase) {
        return std::find(phase.layers.begin(), phase.layers.end(), name) != phase.layers.end();
      });
    };
    for (const Layer& layer : description_.model.layers) {
      if (layer.freeze.value || layer.share || updated(layer.name) || !learns(layer)) continue;
      diagnostics_.error(layer.span,
                         "no phase updates " + layer.kind.text + " " + in_quotes(layer.name),
                         "its name, or its block, under 'update' of a phase; or freeze: true");
    }
    for (const Parameter& parameter : description_.model.params) {
      if (updated(parameter.name.text)) continue;
      diagnostics_.error(parameter.name.span,
                         "no phase updates the parameter " + in_quotes(parameter.name.text),
                         "its name under 'update' of a phase");
    }
  }

  // Layers with an `init` have weights; so do those that normalise.
  static bool learns(const Layer& layer) {
    return layer.args.has("init") || layer.kind.text.find("norm") != std::string::npos ||
           layer.kind.text == "prelu";
  }

  void check_terms() const {
    if (!description_.loss || !draft_.terms_complete) return;
    std::vector<std::string> terms;
    for (const Term& term : description_.loss->terms) terms.push_back(term.name.text);
    for (const Phase& phase : description_.train->phases) {
      const std::vector<Name> names = names_in(*phase.minimize.root);
      if (names.empty()) {
        diagnostics_.error(phase.minimize.span, "a phase minimises a loss term",
                           join(terms, "or") + ", or a formula of them", phase.minimize.text);
      }
      check_terms_named(names, terms, diagnostics_);
    }
  }

  Draft& draft_;
  Description& description_;
  Diagnostics& diagnostics_;
  bool unknown_ = false;  // a name that leads nowhere
};

}  // namespace

void describe_phases(Draft& draft, Diagnostics& diagnostics) {
  const auto& train = draft.description.train;
  if (train && !train->phases.empty()) PhaseNames(draft, diagnostics).run();
}

}  // namespace nnc::language
