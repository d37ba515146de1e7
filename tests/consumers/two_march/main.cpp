// SPDX-License-Identifier: MIT
// Translation units with different -march flags agree on every public type, catch each other's
// errors, and free each other's memory.
#include <iostream>

#include "probe.hpp"

int main() {
  std::vector<Probe> probes = {plain_probe(), native_probe()};
#if defined(HAS_AVX2)
  probes.push_back(avx2_probe());
#endif

  int failures = 0;
  const auto check = [&](bool good, const Probe& a, const Probe& b, const std::string& what) {
    if (good) return;
    ++failures;
    std::cout << a.name << " and " << b.name << ": " << what << '\n';
  };

  for (const Probe& a : probes) {
    for (const Probe& b : probes) {
      const auto layouts = a.layouts(), others = b.layouts();
      for (std::size_t i = 0; i < layouts.size(); ++i) {
        check(layouts[i] == others[i], a, b, layouts[i].type + " differs");
      }
      check(a.catches(b.throws), a, b, "an error was not caught");

      // Quarters and small sums: exact in float, in whatever order the product sums them.
      for (const eigenformer::Index size : {1, 7, 16, 33}) {
        const auto product = a.multiplies(b.makes(size, size), a.makes(size, size));
        const auto expected = b.multiplies(a.makes(size, size), b.makes(size, size));
        check(product == expected, a, b, "products differ");
      }
      check(a.encodes(b.makes(70, 16)) == b.encodes(a.makes(70, 16)), a, b, "encoders differ");
    }
  }
  std::cout << probes.size() << " probes, " << failures << " failures\n";
  return failures == 0 ? 0 : 1;
}
