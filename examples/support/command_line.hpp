// SPDX-License-Identifier: MIT
/// Command lines as all examples take them: plain decimal numbers, choices of words, --help and
/// --version, and errors in one form.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "eigenformer/version.hpp"
#include "failure.hpp"
#include "files.hpp"

namespace program {

/// A word for each value.
template <class Value>
using Words = std::vector<std::pair<std::string, Value>>;

template <class Value>
std::string list(const Words<Value>& words) {
  std::string out;
  for (const auto& [word, value] : words) out += (out.empty() ? "" : "|") + word;
  return out;
}

/// What the word stands for that an option of that name got. Throws CLI::ValidationError.
template <class Value>
Value chosen(const std::string& name, const Words<Value>& words, const std::string& given) {
  for (const auto& [word, value] : words) {
    if (word == given) return value;
  }
  throw CLI::ValidationError(name, "expected " + list(words) + ", got " + given);
}

/// An option whose value is one of `words`; an empty one is for the option without a value.
template <class Variable, class Value>
CLI::Option* add_choice(CLI::App& app, const std::string& name, Variable& variable,
                        const Words<Value>& words, const std::string& description) {
  const auto choose = [&variable, name, words](const std::string& given) {
    variable = chosen(name, words, given);
  };
  return app.add_option_function<std::string>(name, choose, description)->type_name(list(words));
}

/// For Option::transform: a decimal number and nothing else. CLI11 by itself reads 010 as 8, and
/// what has more than 64 bits as the greatest number of them.
template <class Number>
CLI::Validator whole(Number least, Number most) {
  const auto check = [least, most](std::string& word) {
    Number number = 0;
    const char* const end = word.data() + word.size();
    const auto [after, error] = std::from_chars(word.data(), end, number);
    if (error == std::errc() && after == end && least <= number && number <= most) {
      word = std::to_string(number);
      return std::string();
    }
    return "expected " + std::to_string(least) + " to " + std::to_string(most) + ", got " + word;
  };
  return CLI::Validator(check, "");
}

/// An option whose value counts from 0; what there is the model says.
template <class Variable>
CLI::Option* add_index(CLI::App& app, const std::string& name, Variable& variable,
                       const std::string& description) {
  return app.add_option(name, variable, description)->transform(whole(0, 1 << 20))->type_name("N");
}

/// The same of a float; its range is somebody else's.
inline CLI::Validator real() {
  const auto check = [](std::string& word) {
    float number = 0;
    const char* const end = word.data() + word.size();
    const auto [after, error] = std::from_chars(word.data(), end, number);
    const bool is_number = error != std::errc::invalid_argument && after == end;
    return is_number ? std::string() : "expected a number, got " + word;
  };
  return CLI::Validator(check, "");
}

/// For Option::check of a model: a path that is no folder is refused before anything is read.
inline CLI::Validator folder() {
  const auto check = [](const std::string& path) {
    const bool is_folder =
        CLI::detail::check_path(path.c_str()) == CLI::detail::path_type::directory;
    return is_folder ? std::string() : path + " is not a folder, looked for from here";
  };
  return CLI::Validator(check, "");
}

/// The arguments as CLI11 takes them: last first, and --beam_size as --beam-size.
inline std::vector<std::string> reversed(int count, char** arguments) {
  std::vector<std::string> out(arguments + std::min(count, 1), arguments + count);
  for (std::string& word : out) {
    if (!word.starts_with("--")) continue;
    std::replace(word.begin(), std::find(word.begin(), word.end(), '='), '_', '-');
  }
  std::reverse(out.begin(), out.end());
  return out;
}

/// Gives the options their values; returns what --help or --version answers, nothing: go on. Throws
/// Failure of usage.
inline std::optional<std::string> parse(CLI::App& app, int count, char** arguments) {
  app.set_version_flag("--version", app.get_name() + ", Eigenformer " + eigenformer::version);
  try {
    app.parse(reversed(count, arguments));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    return app.help();
  } catch (const CLI::CallForVersion& version) {
    return std::string(version.what()) + "\n";
  } catch (const CLI::ParseError& error) {
    throw Failure(ExitStatus::usage,
                  std::string(error.what()) + " (see " + app.get_name() + " --help)");
  }
}

/// All of it to standard output. Throws Failure.
inline void print(std::string_view text) {
  Writer output(File::output(std::nullopt));
  output.write(text);
  output.flush();
}

}  // namespace program
