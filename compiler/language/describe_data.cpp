#include <algorithm>

#include "compiler/language/data_schema.h"
#include "compiler/language/describe.h"
#include "compiler/layers/rows.h"
#include "compiler/support/text.h"
#include "runtime/shape.h"

namespace nnc::language {

namespace {

Choice choice_of(const Value& value) {
  const EntryValue& entry = value.entry();
  return Choice{entry.kind.text, *entry.args, entry.kind.span};
}

// The fields that a source gives, with the place of each. None if that cannot be known.
std::optional<std::vector<Name>> fields_of(const Choice& source) {
  const schema::Entry* entry = find_entry(source_entries(), source.kind);
  if (entry == nullptr) return std::nullopt;
  std::vector<Name> result;
  if (source.kind == "images")
    return std::vector<Name>{{"image", source.span}, {"label", source.span}};
  if (entry->other_keys == nullptr) {
    const std::string key = source.kind == "csv" ? "columns" : "arrays";
    const Value* map = get(source.args.values(), key);
    if (map == nullptr) return std::nullopt;
    for (const auto& [name, value] : map->map()) result.push_back(name);
    return result;
  }
  for (const auto& [name, value] : source.args.values()) {
    const bool own = std::any_of(entry->keys.begin(), entry->keys.end(),
                                 [&](const schema::Key& key) { return key.name == name.text; });
    if (!own) result.push_back(name);
  }
  return result;
}

class DataDescriber {
 public:
  DataDescriber(const MapValue& map, Draft& draft, Diagnostics& diagnostics)
      : map_(map), draft_(draft), data_(*draft.description.data), diagnostics_(diagnostics) {}

  void run() {
    for (const char* name : {"train", "valid", "test"}) {
      if (const Value* value = get(map_, name)) split(name, *value);
      if (stands(map_, name) && get(map_, name) == nullptr) draft_.fields_complete = false;
    }
    source_fields();
    const Value* fields = get(map_, "fields");
    if (stands(map_, "fields") && fields == nullptr) draft_.fields_complete = false;
    if (fields != nullptr) {
      for (const auto& [name, value] : fields->map()) field(name, value);
    }
    label_classes();
    check_mixup();
    for (const Split& split : data_.splits) check_split(split);
  }

 private:
  void split(const std::string& name, const Value& value) {
    Split split;
    for (const auto& [key, unused] : map_) {
      if (key.text == name) split.name = key;
    }
    if (value.is_entry()) {
      split.source = choice_of(value);
      const MapValue& beside = value.entry().siblings->values();
      if (const Value* where = get(beside, "where")) split.where = where->formula();
      if (const Value* words = get(beside, "missing")) missing(*words, split);
    } else {
      split.fraction = fraction(value);
      if (name == "train") {
        draft_.fields_complete = false;
        diagnostics_.error(value.span, "the train split needs a source of its own",
                           "a source, such as csv or idx");
      }
    }
    data_.splits.push_back(std::move(split));
  }

  void missing(const Value& words, Split& split) {
    for (const Value& word : words.list())
      if (word.is_text()) split.missing.push_back(word.text());
    if (split.source->kind != "images") return;
    diagnostics_.error(words.span, "pictures have no missing values", "no `missing` here");
  }

  static Fraction fraction(const Value& value) {
    Fraction result;
    result.share.span = value.span;
    if (const Value* share = get(value.map(), "fraction"))
      result.share = {share->number(), share->span};
    if (const Value* field = get(value.map(), "stratify")) result.stratify = field->reference();
    if (const Value* seed = get(value.map(), "seed")) result.seed = {seed->integer(), seed->span};
    return result;
  }

  // A share and a partner are chosen for the row as a whole.
  void check_mixup() {
    bool found = false;
    for (const Field& field : data_.fields) {
      for (const Choice& step : field.augment) {
        if (step.kind != "mixup") continue;
        if (found) {
          diagnostics_.error(step.span, "mixup stands twice", "once: it mixes whole rows");
        }
        found = true;
      }
    }
  }

  // The names of the folders are words, which become indices in their sorted order.
  void label_classes() {
    const Split* train = data_.split("train");
    if (train == nullptr || !train->source || train->source->kind != "images") return;
    for (Field& field : data_.fields) {
      if (field.name.text != "label" || has_category(field) || !field.class_names.empty()) continue;
      if (field.classes) {
        diagnostics_.error(field.classes->span, "the classes of 'label' are the sub-folders",
                           "no `classes`, or `names` to choose their order");
        field.classes.reset();
      }
      Choice category{"category", {}, train->source->span};
      category.args.whole = train->source->span;
      for (const char* key : {"unknown", "missing"})
        category.args.set(key, Value{std::string("error"), train->source->span, false});
      field.prepare.insert(field.prepare.begin(), std::move(category));
    }
  }

  static bool has_category(const Field& field) {
    return std::any_of(field.prepare.begin(), field.prepare.end(),
                       [](const Choice& step) { return step.kind == "category"; });
  }

  // The fields of train's source (of the first one there is, where nothing is trained); the sources
  // of other splits must give the same.
  void source_fields() {
    const Split* train = data_.split("train");
    if (train == nullptr && !stands(map_, "train")) {
      const auto first = std::find_if(data_.splits.begin(), data_.splits.end(),
                                      [](const Split& split) { return split.source.has_value(); });
      if (first != data_.splits.end()) train = &*first;
    }
    if (train == nullptr || !train->source) return;
    const auto names = fields_of(*train->source);
    if (!names) {
      draft_.fields_complete = false;
      return;
    }
    if (names->empty()) {
      diagnostics_.error(train->source->span, "the " + train->name.text + " source gives no fields",
                         "at least one name and what it is read from");
      draft_.fields_complete = false;
    }
    for (const Name& name : *names) {
      Field field;
      field.name = name;
      data_.fields.push_back(std::move(field));
    }
    for (const Split& split : data_.splits) {
      if (&split != train) compare_fields(split, *names, train->name.text);
    }
  }

  void compare_fields(const Split& split, const std::vector<Name>& train,
                      const std::string& first) {
    if (!split.source) return;
    const auto own = fields_of(*split.source);
    if (!own) return;
    const auto has = [](const std::vector<Name>& names, const std::string& wanted) {
      return std::any_of(names.begin(), names.end(),
                         [&](const Name& n) { return n.text == wanted; });
    };
    for (const Name& name : train) {
      if (has(*own, name.text)) continue;
      diagnostics_.error(split.source->span, "the " + split.name.text + " source lacks the field " +
                                                 in_quotes(name.text) + " of the " + first +
                                                 " source");
    }
    for (const Name& name : *own) {
      if (has(train, name.text)) continue;
      diagnostics_.error(name.span, "the " + first + " source has no field " + in_quotes(name.text),
                         "the fields of the " + first + " source");
    }
  }

  Field* find_field(const Name& name) {
    for (Field& field : data_.fields) {
      if (field.name.text == name.text) return &field;
    }
    if (data_.split("train") == nullptr && !stands(map_, "train")) {
      // No rows here: the fields are described for checking and for prediction.
      data_.fields.push_back({});
      data_.fields.back().name = name;
      return &data_.fields.back();
    }
    if (!draft_.fields_complete) return nullptr;
    std::vector<std::string> known;
    for (const Field& field : data_.fields) known.push_back(field.name.text);
    const auto near = nearest(name.text, known);
    diagnostics_.error(name.span,
                       "the train source has no field " + in_quotes(name.text) +
                           (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                       join(known, "or"));
    return nullptr;
  }

  void field(const Name& name, const Value& value) {
    Field* field = find_field(name);
    if (field == nullptr || !value.is_map()) return;
    const MapValue& map = value.map();
    if (const Value* shape = get(map, "shape")) field->shape = row_shape(*shape);
    if (const Value* classes = get(map, "classes"))
      field->classes = {classes->integer(), classes->span};
    if (const Value* names = get(map, "names")) class_names(*names, *field);
    if (const Value* steps = get(map, "prepare")) {
      for (const Value& step : steps->list()) {
        if (!step.is_entry()) continue;
        field->prepare.push_back(choice_of(step));
        if (field->prepare.back().kind == "clip") check_clip(field->prepare.back());
      }
    }
    if (const Value* steps = get(map, "augment")) {
      for (const Value& step : steps->list()) {
        if (step.is_entry()) field->augment.push_back(choice_of(step));
      }
    }
  }

  Located<std::vector<int64_t>> row_shape(const Value& value) {
    Located<std::vector<int64_t>> shape{{}, value.span};
    for (const Value& extent : value.list()) {
      if (extent.is_integer()) shape.value.push_back(extent.integer());
    }
    if (elements_of(shape.value) > most_elements) {
      diagnostics_.error(value.span, "a row of this shape is too large",
                         "at most " + std::to_string(most_elements) + " numbers",
                         layers::shape_text(shape.value));
    }
    return shape;
  }

  void class_names(const Value& names, Field& field) {
    std::set<std::string> seen;
    for (const Value& name : names.list()) {
      if (!name.is_text()) continue;
      field.class_names.push_back(name.text());
      if (seen.insert(name.text()).second) continue;
      diagnostics_.error(name.span, "the class " + in_quotes(name.text()) + " stands twice");
    }
    const auto count = static_cast<int64_t>(field.class_names.size());
    if (field.classes && field.classes->value != count) {
      diagnostics_.error(names.span, "'names' and 'classes' do not agree",
                         std::to_string(field.classes->value) + " names", std::to_string(count));
    }
    field.classes = {count, names.span};
  }

  void check_channels(const Choice& images) {
    const Value* channels = images.args.find("channels");
    if (channels == nullptr || !channels->is_integer() || channels->integer() != 2) return;
    diagnostics_.error(channels->span, "pictures are read in grey or in colours",
                       "channels: 1 or channels: 3", "2");
  }

  // A clip without a bound, or with nothing between them.
  void check_clip(const Choice& step) {
    const Value* low = step.args.find("low");
    const Value* high = step.args.find("high");
    if (low == nullptr && high == nullptr) {
      diagnostics_.error(step.span, "clip needs a bound", "low, high or both");
    } else if (low != nullptr && high != nullptr && low->is_number() && high->is_number() &&
               low->number() > high->number()) {
      diagnostics_.error(high->span, "clip: high lies below low",
                         number_text(low->number()) + " or more", number_text(high->number()));
    }
  }

  void check_split(const Split& split) {
    if (split.source && split.source->kind == "images") check_channels(*split.source);
    if (split.where) check_fields(names_in(*split.where->root), all_fields());
    if (split.source && split.source->kind == "generate") check_generated(*split.source);
    if (split.source && split.source->kind == "inline") check_rows(*split.source);
    if (!split.fraction) return;
    if (data_.split("train") == nullptr && !stands(map_, "train")) {
      diagnostics_.error(split.name.span,
                         "a fraction is taken from the train split, and there is none",
                         "train: a source");
    }
    if (!split.fraction->stratify) return;
    const Name& by = *split.fraction->stratify;
    check_fields({by}, all_fields());
    const Field* field = data_.field(by.text);
    if (field == nullptr || field->classes) return;
    if (has_category(*field)) return;
    diagnostics_.error(by.span, "cannot stratify by " + in_quotes(by.text) + ": it has no classes",
                       "a field with 'classes', 'names' or 'category'");
  }

  std::vector<std::string> all_fields() const {
    std::vector<std::string> result;
    for (const Field& field : data_.fields) result.push_back(field.name.text);
    return result;
  }

  // All fields of inline rows have the same number of rows.
  void check_rows(const Choice& source) {
    const Name* first = nullptr;
    size_t first_rows = 0;
    for (const auto& [name, value] : source.args.values()) {
      const bool is_single = value.is_array() && value.array().shape.empty();
      if (is_single) {
        diagnostics_.error(value.span, "the rows of " + in_quotes(name.text) + " are a list",
                           "[1, 2, 3], one item for each row", "a single number");
      }
      if (is_single || (!value.is_array() && !value.is_list())) continue;
      const size_t rows =
          value.is_list() ? value.list().size() : static_cast<size_t>(value.array().shape[0]);
      if (first == nullptr) {
        first = &name;
        first_rows = rows;
      } else if (rows != first_rows) {
        diagnostics_.error(value.span,
                           in_quotes(name.text) + " and " + in_quotes(first->text) +
                               " have different numbers of rows",
                           std::to_string(first_rows), std::to_string(rows));
      }
    }
  }

  // A generated field may use those above it.
  void check_generated(const Choice& source) {
    std::vector<std::string> above;
    for (const auto& [name, value] : source.args.values()) {
      if (!value.is_formula()) continue;
      check_fields(names_in(*value.formula().root), above);
      above.push_back(name.text);
    }
  }

  void check_fields(const std::vector<Name>& names, const std::vector<std::string>& known) {
    if (!draft_.fields_complete) return;
    for (const Name& name : names) {
      if (std::find(known.begin(), known.end(), name.text) != known.end()) continue;
      const auto near = nearest(name.text, known);
      diagnostics_.error(name.span,
                         "there is no field " + in_quotes(name.text) + " here" +
                             (near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                         known.empty() ? "no field: none stands above" : join(known, "or"));
    }
  }

  const MapValue& map_;
  Draft& draft_;
  Data& data_;
  Diagnostics& diagnostics_;
};

}  // namespace

void describe_data(const MapValue& data, Draft& draft, Diagnostics& diagnostics) {
  draft.description.data.emplace();
  DataDescriber(data, draft, diagnostics).run();
}

}  // namespace nnc::language
