#include "compiler/language/reference.h"
#include "compiler/language/help_keys.h"

#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "compiler/language/parse.h"
#include "compiler/layers/catalogue.h"

using namespace nnc;

TEST_CASE("everything that a file can name is in the reference and in the schema") {
  const schema::Catalogue& catalogue = layers::catalogue();
  const std::string overview = language::help(catalogue);
  const auto json = nlohmann::json::parse(language::json_schema(catalogue));
  CHECK(json["$schema"] == "http://json-schema.org/draft-07/schema#");
  CHECK(json["required"] == nlohmann::json({"nnc", "model"}));
  CHECK(json["additionalProperties"] == false);
  for (const auto& [group, entries] : language::all_entries(catalogue)) {
    CHECK(entries.size() > 0);
    for (const schema::Entry* entry : entries) {
      CAPTURE(entry->name);
      CHECK(overview.find("  " + entry->name) != std::string::npos);
      const auto text = language::help(catalogue, entry->name);
      REQUIRE(text.has_value());
      for (const schema::Key& key : entry->keys) {
        CHECK(text->find("  " + key.name + ": ") != std::string::npos);
      }
    }
  }
  for (const char* section : {"data", "model", "loss", "train"}) {
    REQUIRE(language::help(catalogue, section).has_value());
    CHECK(json["properties"].contains(section));
  }
  for (const language::PlacedKey& placed : language::keys_below_sections()) {
    CAPTURE(placed.key->name);
    const auto text = language::help(catalogue, placed.key->name);
    REQUIRE(text.has_value());
    CHECK(text->find("(" + placed.place + ")") != std::string::npos);
  }
  CHECK_FALSE(language::help(catalogue, "conv4d").has_value());
}

TEST_CASE("every entry is documented, and its arguments too") {
  for (const auto& [group, entries] : language::all_entries(layers::catalogue())) {
    for (const schema::Entry* entry : entries) {
      CAPTURE(entry->name);
      CHECK(entry->doc.size() > 5);
      bool has_principal = entry->principal.empty() || entry->merges;
      for (const schema::Key& key : entry->keys) {
        CAPTURE(key.name);
        CHECK(!key.doc.empty());
        CHECK_FALSE((key.is_required && key.default_yaml.has_value()));
        has_principal = has_principal || key.name == entry->principal;
      }
      CHECK(has_principal);
    }
  }
}

TEST_CASE("references in the schema lead somewhere") {
  const auto json = nlohmann::json::parse(language::json_schema(layers::catalogue()));
  int references = 0;
  const std::function<void(const nlohmann::json&)> walk = [&](const nlohmann::json& node) {
    if (node.is_object() && node.contains("$ref") && node["$ref"].is_string()) {
      const std::string path = node["$ref"].get<std::string>().substr(1);
      CAPTURE(path);
      CHECK(json.contains(nlohmann::json::json_pointer(path)));
      ++references;
    }
    if (node.is_structured()) {
      for (const auto& child : node) walk(child);
    }
  };
  walk(json);
  CHECK(references > 10);
}

TEST_CASE("the examples of the reference are right") {
  // Each source and prepare step stands where a file would have it.
  for (const auto& [group, entries] : language::all_entries(layers::catalogue())) {
    for (const schema::Entry* entry : entries) {
      CAPTURE(entry->name);
      std::string text;
      if (group == schema::Group::sources) {
        CHECK(entry->example.rfind(entry->name + ":", 0) == 0);
        text = "nnc: 1\ndata: {train: {" + entry->example + "}}\n";
      } else if (group == schema::Group::prepare_steps || group == schema::Group::augment_steps) {
        const bool bare = entry->example == entry->name;
        const std::string key = group == schema::Group::prepare_steps ? "prepare" : "augment";
        text = "nnc: 1\ndata: {fields: {x: {" + key + ": [" +
               (bare ? entry->example : "{" + entry->example + "}") + "]}}}\n";
      } else {
        continue;
      }
      // Any field will do as input; only the example may cause errors.
      text += "model: {inputs: [x], layers: [flatten]}\n";
      Diagnostics diagnostics;
      language::parse_text(text, "example.yaml", {}, layers::catalogue(), diagnostics);
      for (const Diagnostic& d : diagnostics.sorted()) {
        const bool about_input = d.message.find("the data has no field 'x'") == 0;
        INFO(render(d));
        CHECK(about_input);
      }
    }
  }
}
