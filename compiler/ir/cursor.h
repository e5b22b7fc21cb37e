// A place in a text of the graph IR, and the tokens that can be read from there.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "compiler/support/source.h"

namespace nnc::ir {

// Every reader skips white space first and throws UserError at its place if the text is another.
class Cursor {
 public:
  Cursor(const std::string& text, const std::string& path);

  // Whether the next characters are these; `accept` also passes them.
  bool at(const std::string& symbol);
  bool accept(const std::string& symbol);
  bool accept_word(const std::string& word);
  void symbol(const std::string& symbol);
  void word(const std::string& word);

  std::string identifier();  // letters, digits, _ and .
  std::string name();        // bare or in quotes (text.h)
  std::string text();        // in quotes
  std::string token();       // letters, digits and + - . _: a number or a word
  int64_t integer();
  // "@file:line:column" up to the end of the line; a default span if there is none.
  SourceSpan location();
  void end();

  SourceSpan here() const;
  [[noreturn]] void fail(const std::string& message, const std::string& expected = {},
                         const std::string& got = {}) const;

 private:
  void skip_space();
  template <typename Accept>
  std::string run(const std::string& what, Accept accept);

  std::shared_ptr<const SourceFile> file_;
  const std::string& text_;
  size_t position_ = 0;
  std::map<std::string, std::shared_ptr<const SourceFile>> located_;  // files that locations name
};

}  // namespace nnc::ir
