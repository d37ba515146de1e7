// SPDX-License-Identifier: MIT
#include <eigenformer/eigenformer.hpp>
#include <iostream>

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : "models/fr-en-small";
  const auto translate = eigenformer::Translator::load(folder);
  std::cout << translate("Je suis étudiant.") << '\n';
}
