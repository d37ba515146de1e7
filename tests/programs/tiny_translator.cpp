// SPDX-License-Identifier: MIT
// tiny_translator FOLDER: writes random weights into a folder that has a model's other files, as
// its config.json wants them.
#include <memory>

#include "eigenformer/architectures/marian.hpp"
#include "eigenformer/architectures/module_file.hpp"
#include "eigenformer/io/json.hpp"

int main(int count, char** arguments) {
  using namespace eigenformer;
  if (count != 2) return 2;
  const std::string folder = arguments[1];
  const TransformerConfig config = read_marian_config(io::read_json(folder + "/config.json"));
  Marian<float> model(config);
  model.initialize(1);
  save(model, folder + "/model.safetensors",
       marian_names(config, {"", {}, std::shared_ptr<const void>()}));
}
