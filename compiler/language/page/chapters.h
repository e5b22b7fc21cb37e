// What is written by hand in the reference: the introductions of its chapters, as Markdown. Models
// in them that begin with `nnc: 1` are checked by a test, like all of docs/language.md.
#pragma once

namespace nnc::language::chapters {

// chapters_file.cpp
extern const char* const opening;
extern const char* const shape;
extern const char* const rules;
extern const char* const settings;
extern const char* const formulas;
// chapters_data.cpp
extern const char* const data;
extern const char* const sources;
extern const char* const prepare;
extern const char* const augment;
// chapters_model.cpp
extern const char* const model;
extern const char* const layers;
extern const char* const blocks;
extern const char* const activations;
extern const char* const initialisers;
extern const char* const functions;
// chapters_train.cpp
extern const char* const loss;
extern const char* const losses;
extern const char* const metrics;
extern const char* const train;
extern const char* const phases;
extern const char* const optimizers;
extern const char* const schedules;

}  // namespace nnc::language::chapters
