// SPDX-License-Identifier: MIT
// The walk of a product over its tiles. A Tile says how many rows and panels it has (rows, panels;
// row_panels where there is one row only), and run<Rows, Panels>(product, row, panel) computes rows
// [row, row + Rows) of panels [panel, panel + Panels). Tile::Stream is the same for a single row
// that asks for the panels after those it reads.

/// The last `rows` rows of some panels, up to Most, all at once: fewer sums would wait for each
/// other, and read the weights again.
template <int Most, int Panels, class Tile>
EIGENFORMER_KERNEL void last_rows(const Product& p, Index row, Index panel) {
  if constexpr (Most > 0) {
    if (p.rows - row == Most) return Tile::template run<Most, Panels>(p, row, panel);
    last_rows<Most - 1, Panels, Tile>(p, row, panel);
  }
}

/// All rows of some panels; of a lone panel the last ones row by row, which is rare, and compiles
/// sooner.
template <int Panels, class Tile>
EIGENFORMER_KERNEL void all_rows(const Product& p, Index panel) {
  Index row = 0;
  for (; row + Tile::rows <= p.rows; row += Tile::rows) {
    Tile::template run<Tile::rows, Panels>(p, row, panel);
  }
  if constexpr (Panels == Tile::panels) {
    last_rows<Tile::rows - 1, Panels, Tile>(p, row, panel);
  } else {
    for (; row < p.rows; ++row) Tile::template run<1, Panels>(p, row, panel);
  }
}

/// The last panels of a single row, fewer than 2 Most: each time half as many.
template <int Most, class Tile>
EIGENFORMER_KERNEL void rest_of_row(const Product& p, Index panel) {
  if (panel + Most <= p.panels()) {
    Tile::template run<1, Most>(p, 0, panel);
    panel += Most;
  }
  if constexpr (Most > 1) rest_of_row<Most / 2, Tile>(p, panel);
}

/// A single row: its sums are many panels wide.
template <class Tile>
EIGENFORMER_KERNEL void single_row(const Product& p) {
  Index panel = 0;
  const Index whole = p.panels() / Tile::row_panels * Tile::row_panels;
  for (; p.streams() && panel < whole; panel += Tile::row_panels) {
    Tile::Stream::template run<1, Tile::row_panels>(p, 0, panel);
  }
  for (; panel < whole; panel += Tile::row_panels) {
    Tile::template run<1, Tile::row_panels>(p, 0, panel);
  }
  rest_of_row<Tile::row_panels / 2, Tile>(p, panel);
}

template <class Tile>
EIGENFORMER_KERNEL void all_tiles(const Product& p) {
  if (p.rows == 1) return single_row<Tile>(p);
  Index panel = 0;
  if constexpr (Tile::panels > 1) {
    for (; panel + Tile::panels <= p.panels(); panel += Tile::panels) {
      all_rows<Tile::panels, Tile>(p, panel);
    }
  }
  for (; panel < p.panels(); ++panel) all_rows<1, Tile>(p, panel);
}
