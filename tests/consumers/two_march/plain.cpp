// SPDX-License-Identifier: MIT
#define PROBE plain_probe
#define PROBE_NAME "plain"
#include "probe.inl"
