#include "compiler/language/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_map>

#include "compiler/language/yaml_places.h"
#include "compiler/language/yaml_slips.h"
#include "compiler/support/text.h"

namespace nnc::language {

namespace {

// Builds the tree; open collections are on a stack of our own.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const Places& places, Diagnostics& diagnostics)
      : places_(places), diagnostics_(diagnostics) {}

  YamlNode take_root() { return std::move(root_); }
  bool has_document() const { return documents_ > 0; }
  // The last scalar, if it is in quotes.
  const std::optional<Quoted>& last_quoted() const { return last_quoted_; }
  // Where the collections that are still open began; innermost last.
  std::vector<SourceSpan> open_flow() const {
    std::vector<SourceSpan> result;
    for (const Open& open : stack_) {
      if (open.node.flow) result.push_back(open.node.span);
    }
    return result;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) {
      throw UserError(places_.token(mark.line, mark.column),
                      "a second document starts here; a model file is one document");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    YamlNode node;
    node.span = check_properties(mark);
    const std::string token = places_.token_text(node.span);
    node.absent = !(token == "~" || token == "null" || token == "Null" || token == "NULL");
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    check_properties(mark);
    YamlNode node;
    node.span = places_.token(mark.line, mark.column);
    node.refused = true;
    add(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.text = value;
    check_properties(mark);
    const char first = places_.at(mark.line, mark.column);
    if (tag == "!") {
      const bool is_block = first == '|' || first == '>';
      node.style = is_block ? YamlNode::Style::block : YamlNode::Style::quoted;
    }
    node.span = node.style == YamlNode::Style::quoted
                    ? places_.in_quotes(mark.line, mark.column)
                    : places_.plain(mark.line, mark.column, value);
    node.offset = places_.offset(mark.line, mark.column);
    last_quoted_.reset();
    if (node.style == YamlNode::Style::quoted) last_quoted_ = Quoted{node.span, node.offset};
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value style) override {
    open(YamlNode::Kind::list, mark, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value style) override {
    open(YamlNode::Kind::map, mark, style);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    std::optional<YamlNode> key;                 // a key that waits for its value
    std::unordered_map<std::string, int> lines;  // where each key of a map was first written
    bool repeated = false;                       // whether `key` stood there before
  };

  // Anchors, aliases and tags are refused; the rest of the file is still read.
  SourceSpan check_properties(const YAML::Mark& mark) {
    const SourceSpan span = places_.token(mark.line, mark.column);
    const char first = places_.at(mark.line, mark.column);
    if (first == '&' || first == '*') {
      diagnostics_.error(span, "anchors and aliases (& and *) are not part of the model language",
                         "a setting, used as $name: it shows where a value stands");
    } else if (first == '!') {
      diagnostics_.error(span, "tags (!) are not part of the model language",
                         "the value alone; quotes make it a text");
    }
    return span;
  }

  void count(const SourceSpan& span) {
    if (++nodes_ > YamlLimits::nodes) {
      throw UserError(span, "the file has too many values",
                      "at most " + std::to_string(YamlLimits::nodes) +
                          "; larger data belongs in a file of its own (csv, npy, npz)");
    }
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::EmitterStyle::value style) {
    Open open;
    open.node.kind = kind;
    open.node.span = check_properties(mark);
    open.node.flow = style == YAML::EmitterStyle::Flow;
    count(open.node.span);
    if (stack_.size() >= YamlLimits::depth) {
      throw UserError(open.node.span, "the file is nested too deeply",
                      "at most " + std::to_string(YamlLimits::depth) + " levels");
    }
    stack_.push_back(std::move(open));
  }

  void close() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    count(node.span);
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      add_key(parent, std::move(node));
    } else {
      if (node.is_null() && node.absent) node.span = parent.key->span;
      // Of keys that stand twice the first one counts, so that one mistake is one error.
      if (!parent.repeated)
        parent.node.entries.push_back({std::move(*parent.key), std::move(node)});
      parent.key.reset();
      parent.repeated = false;
    }
  }

  void add_key(Open& parent, YamlNode key) {
    if (parent.node.entries.size() >= YamlLimits::keys) {
      throw UserError(key.span, "the map has too many keys",
                      "at most " + std::to_string(YamlLimits::keys));
    }
    if (!key.is_scalar()) {
      diagnostics_.error(key.span, "a key must be a word", "", describe(key));
      key.kind = YamlNode::Kind::scalar;
    } else if (key.text == "<<" && key.style == YamlNode::Style::plain) {
      diagnostics_.error(key.span, "merge keys (<<) are not part of the model language",
                         "the keys written out, with settings for values that repeat");
    } else if (const auto [first, is_new] = parent.lines.emplace(key.text, key.span.line);
               !is_new) {
      diagnostics_.error(key.span, "the key " + in_quotes(key.text) + " stands twice",
                         "each key once; the first is on line " + std::to_string(first->second));
      parent.repeated = true;
    }
    parent.key = std::move(key);
  }

  const Places& places_;
  Diagnostics& diagnostics_;
  std::vector<Open> stack_;
  YamlNode root_;
  std::optional<Quoted> last_quoted_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

}  // namespace

const YamlNode* YamlNode::find(const std::string& key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key.text == key) return &entry.value;
  }
  return nullptr;
}

YamlNode* YamlNode::find(const std::string& key) {
  return const_cast<YamlNode*>(std::as_const(*this).find(key));
}

std::optional<YamlNode> parse_yaml(const std::shared_ptr<const SourceFile>& file,
                                   Diagnostics& diagnostics) {
  const Places places(file);
  if (report_tabs(places, diagnostics)) return std::nullopt;
  TreeBuilder builder(places, diagnostics);
  try {
    std::istringstream stream(file->text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& problem) {
    if (report_unclosed_quote(places, builder.last_quoted(), diagnostics)) return std::nullopt;
    report_syntax(places, problem.mark.line, problem.mark.column, problem.msg, builder.open_flow(),
                  diagnostics);
    return std::nullopt;
  } catch (const UserError& problem) {
    const Diagnostic& d = problem.diagnostic;
    diagnostics.error(d.span, d.message, d.expected, d.got);
    return std::nullopt;
  }
  if (!builder.has_document()) {
    diagnostics.error(places.start(), "the file is empty", "a model file, starting with 'nnc: 1'");
    return std::nullopt;
  }
  if (report_unclosed_quote(places, builder.last_quoted(), diagnostics)) return std::nullopt;
  return builder.take_root();
}

}  // namespace nnc::language
