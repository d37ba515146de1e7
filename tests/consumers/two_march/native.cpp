// SPDX-License-Identifier: MIT
#define PROBE native_probe
#define PROBE_NAME "native"
#include "probe.inl"
