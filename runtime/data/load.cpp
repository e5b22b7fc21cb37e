#include "runtime/data/load.h"

#include <fmt/format.h>

#include <future>

#include "runtime/data/error.h"
#include "runtime/data/fields.h"
#include "runtime/data/prepare.h"
#include "runtime/data/source.h"
#include "runtime/data/split.h"
#include "runtime/memory_limit.h"
#include "runtime/threads.h"

namespace nnc::runtime {
namespace {

// The source of a split while it is being read: its table, and the rows that `where` keeps.
struct Loaded {
  std::string split;
  std::shared_ptr<Table> table = nullptr;
  std::vector<int32_t> rows = {};
};

Loaded load_source(const std::string& split, const Source& source, const DataSpec& spec) {
  return within_memory(name_of(source), "the rows do", [&] {
    Loaded result{split};
    result.table = std::make_shared<Table>(read_source(source, spec));
    with_indices(*result.table, spec,
                 [&] { result.rows = kept_rows(source, *result.table, spec); });
    for (Column& column : result.table->columns) store_field(*result.table, column, spec);
    return result;
  });
}

void check_memory(const DataSpec& spec, const std::vector<const Source*>& sources) {
  uint64_t total = 0;
  for (const Source* source : sources) {
    const SourceInfo info = probe_source(*source, spec);
    total += known_bytes(info);
    check_memory(info.file, total, spec);
  }
}

// The splits while they are made; `train` keeps a non-const table until all is converted.
struct Loading {
  Loaded train{"train"}, valid{"valid"}, test{"test"};
};

Loading read_all_sources(const DataSpec& spec, const LoadOptions& wanted) {
  const bool fractions =
      (wanted.valid && spec.valid_fraction) || (wanted.test && spec.test_fraction);
  // Categories are learned from the training rows, whatever is asked for.
  bool learns = false;
  for (const FieldSpec& field : spec.fields) {
    learns = learns || (field.category() != nullptr && field.vocabulary.empty());
  }
  std::vector<const Source*> sources;
  std::vector<Loaded*> targets;
  Loading loading;
  const auto want = [&](bool needed, const std::optional<Source>& source, Loaded& target) {
    if (!needed || !source) return;
    sources.push_back(&*source);
    targets.push_back(&target);
  };
  want(wanted.train || fractions || learns, spec.train, loading.train);
  want(wanted.valid, spec.valid, loading.valid);
  want(wanted.test, spec.test, loading.test);
  check_memory(spec, sources);
  std::vector<std::future<Loaded>> jobs;
  for (size_t i = 0; i < sources.size(); ++i) {
    // The first source, the largest as a rule, is read by this thread.
    const auto read = [&spec, &source = *sources[i], split = targets[i]->split] {
      return load_source(split, source, spec);
    };
    jobs.push_back(i == 0 ? std::async(std::launch::deferred, read) : in_background(read));
  }
  for (size_t i = 0; i < jobs.size(); ++i)
    *targets[i] = reading_split(targets[i]->split, [&] { return jobs[i].get(); });
  return loading;
}

void convert_categories(const DataSpec& spec, Loading& loading, Dataset& data) {
  for (const FieldSpec& field : spec.fields) {
    if (field.category() == nullptr) continue;
    std::vector<std::string> vocabulary = field.vocabulary;
    const Column* column = loading.train.table ? loading.train.table->find(field.name) : nullptr;
    if (vocabulary.empty() && column != nullptr) {
      vocabulary = learn_vocabulary(*column, data.train.rows);
    }
    for (Loaded* loaded : {&loading.train, &loading.valid, &loading.test}) {
      Column* target = loaded->table ? loaded->table->find(field.name) : nullptr;
      if (target == nullptr) continue;
      reading_split(loaded->split, [&] {
        apply_vocabulary(*loaded->table, *target, field, vocabulary, loaded->rows);
      });
    }
    for (FieldInfo& info : data.fields) {
      if (info.name != field.name) continue;
      info.classes = category_classes(field, vocabulary);
      info.vocabulary = vocabulary;
    }
  }
}

// Learns what `prepare` needs, if nobody has learned it before, and prepares all rows of the fields
// whose program takes prepared numbers.
void prepare_numbers(const DataSpec& spec, const std::vector<FittedStep>* fitted, Loading& loading,
                     Dataset& data) {
  if (fitted != nullptr) {
    data.fitted = *fitted;
  } else if (!data.train.empty()) {
    data.fitted = reading_split("train", [&] { return fit(spec, data.train); });
  }
  for (FieldInfo& info : data.fields) {
    if (fitted == nullptr && info.prepared != Prepared::in_program)
      info.wide = needs_f64(data.fitted, info.name);
    if (info.prepared != Prepared::while_loading) continue;
    const FieldSpec& field = *spec.field(info.name);
    // A run has learned nothing of fields that its model does not read: they are left out.
    const bool unread = fitted != nullptr && !is_fitted(field, *fitted);
    for (Loaded* loaded : {&loading.train, &loading.valid, &loading.test}) {
      Column* column = loaded->table ? loaded->table->find(info.name) : nullptr;
      if (column == nullptr) continue;
      if (unread) {
        std::erase_if(loaded->table->columns, [&](const Column& c) { return &c == column; });
      } else {
        prepare_column(*column, field, data.fitted);
      }
    }
  }
}

void drop_words(Table& table) {
  for (Column& column : table.columns) {
    column.words = {};
    column.is_text = false;
  }
}

}  // namespace

const FieldInfo* Dataset::find(const std::string& name) const {
  for (const FieldInfo& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

Dataset load(const DataSpec& spec, const LoadOptions& options) {
  Loading loading = read_all_sources(spec, options);
  Dataset data;
  data.train = {loading.train.table, loading.train.rows};
  data.valid = {loading.valid.table, loading.valid.rows};
  data.test = {loading.test.table, loading.test.rows};
  // The test rows are taken first, whether they are wanted or not: the others depend on it.
  const auto take = [&](const std::optional<Fraction>& fraction, const std::string& name,
                        Split& split) {
    if (!fraction || !loading.train.table) return;
    const auto take_rows = [&] {
      return take_fraction(*loading.train.table, data.train.rows, *fraction, name);
    };
    split = {loading.train.table, reading_split(name, take_rows)};
  };
  take(spec.test_fraction, "test", data.test);
  take(spec.valid_fraction, "valid", data.valid);
  for (Loaded* loaded : {&loading.train, &loading.test, &loading.valid}) {
    if (!loaded->table || !data.fields.empty()) continue;
    for (const Column& column : loaded->table->columns) {
      data.fields.push_back(
          describe_field(loaded->table->file, column.name, column.dtype, column.row_shape, spec));
    }
  }
  convert_categories(spec, loading, data);
  for (Loaded* loaded : {&loading.train, &loading.valid, &loading.test}) {
    if (loaded->table) drop_words(*loaded->table);
  }
  if (!options.raw) prepare_numbers(spec, options.fitted, loading, data);
  return data;
}

std::shared_ptr<const Table> load_table(const Source& source, const DataSpec& spec) {
  Loaded loaded = load_source("", source, spec);
  for (const FieldSpec& field : spec.fields) {
    Column* column = loaded.table->find(field.name);
    if (field.category() == nullptr || column == nullptr) continue;
    apply_vocabulary(*loaded.table, *column, field, field.vocabulary, loaded.rows);
  }
  drop_words(*loaded.table);
  return loaded.table;
}

}  // namespace nnc::runtime
