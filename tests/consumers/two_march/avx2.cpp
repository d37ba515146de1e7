// SPDX-License-Identifier: MIT
#define PROBE avx2_probe
#define PROBE_NAME "avx2"
#include "probe.inl"
