// What the user is told about mistakes: where, what, what was expected and what was found.
// User errors are collected, so that all errors of a file are reported together. An internal error
// (a bug in nnc) is a different thing with different words: InternalError.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "compiler/support/source.h"

namespace nnc {

enum class Severity { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  SourceSpan span;
  std::string message;
  std::string expected;  // may be empty
  std::string got;       // may be empty
};

class Diagnostics {
 public:
  void error(SourceSpan span, std::string message, std::string expected = {}, std::string got = {});
  void warning(SourceSpan span, std::string message, std::string expected = {},
               std::string got = {});

  bool has_errors() const { return errors_ > 0; }
  int errors() const { return errors_; }
  // Sorted by file, line and column; repeated diagnostics are dropped. Of thousands (a data file
  // given as a model, say) only the first are kept.
  std::vector<Diagnostic> sorted() const;

 private:
  void add(Diagnostic diagnostic);

  std::vector<Diagnostic> items_;
  int errors_ = 0;
};

// "path:line:column: error: message", the quoted line with carets, expected and got.
std::string render(const Diagnostic& diagnostic);

// Thrown where nothing sensible can follow (a file that cannot be read, a shape that cannot be
// built); the driver turns it into a diagnostic.
class UserError : public std::runtime_error {
 public:
  UserError(SourceSpan span, std::string message, std::string expected = {}, std::string got = {})
      : std::runtime_error(message),
        diagnostic{Severity::error, std::move(span), std::move(message), std::move(expected),
                   std::move(got)} {}
  Diagnostic diagnostic;
};

// A bug in nnc. Never caused by what a user wrote, and never shown as the user's mistake.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Throws InternalError with the message unless the condition holds.
inline void internal_check(bool condition, const std::string& message) {
  if (!condition) throw InternalError("internal error: " + message);
}

}  // namespace nnc
